/** The texts on which exported files are compared with the model in memory. */
import { readSamples } from '../storage/runs';
import type { RunRecord } from '../storage/types';
import type { DataHost } from './data-host';
import type { OpenModel } from './models';

/** Fewer would say little of how often the next token is the same. */
const LEAST_TOKENS = 256;
const MOST_TOKENS = 512;
/** The logits of one text, in bytes; those of two models are in memory at once. */
const LOGITS_BYTES = 32 * 2 ** 20;
const LEAST_PIECE = 16;

/** Prose, a question, code, another script; then prose again, until there are enough tokens. */
const TEXTS = [
  'The old lighthouse keeper climbed the stairs every evening and lit the lamp for the ships.',
  'What is the capital of France, and why is it famous?',
  'def add(a, b):\n    return a + b  # 1 + 2 = 3',
  'Größe, naïve façade; 東京 🙂 {"key": [1, 2.5, null]}',
  'On the first morning of spring the baker opened her shop before the sun was up. She mixed flour, water, salt and a little yeast, and waited while the dough rose under a clean cloth. When the first loaves came out of the oven, the whole street smelled of bread, and her neighbours stood in line with their baskets.',
  'A river begins as rain on high ground. Small streams meet and grow, cut through soft stone and go around the hard. Where the land is flat the water slows down, drops its sand and turns in wide bends. At last it reaches the sea, and some of it rises again as cloud. This is why the same drop may pass the same mill more than once.',
  'To repair a flat tyre, turn the bicycle over and take off the wheel. Lift one edge of the tyre with two levers, pull out the tube and pump it up a little. Hold it under water and look for bubbles. Dry the place, roughen it, spread the glue and wait until it is no longer wet. Then press the patch on it, and put everything back together.',
  'Dear Anna, thank you for your letter of 14 May. We would be glad to see you in Lisbon next month. The train from the airport takes 25 minutes and costs less than two euros; from the last stop it is a short walk uphill. Bring good shoes and something warm for the evenings, because the wind comes from the sea. Yours, Miguel',
];

/** Token ids: the run's sample prompts with its last answers, then texts of all kinds. `labels`: the model has a classification head. */
export async function proofTexts(
  { tokenizer, info }: OpenModel,
  data: DataHost,
  run: RunRecord | null,
  labels: boolean,
): Promise<Int32Array[]> {
  const limit = Math.min(info.contextLength, Math.max(LEAST_PIECE, Math.floor(LOGITS_BYTES / (4 * info.vocabSize))));
  const pieces: Int32Array[] = [];
  let tokens = 0;
  const add = (ids: Int32Array) => {
    // A head reads whole texts.
    const step = labels ? info.contextLength : limit;
    for (let from = 0; from < ids.length && tokens < MOST_TOKENS; from += step) {
      const piece = ids.slice(from, from + step);
      pieces.push(piece);
      tokens += piece.length;
      if (labels) return;
    }
  };
  for (const { prompt, tuned } of await samplesOf(run)) {
    const asked = await data.encodePrompt(tokenizer, prompt);
    const [answer] = tuned === '' ? [new Int32Array()] : await data.encodeTexts(tokenizer, [tuned], MOST_TOKENS);
    const ids = new Int32Array(asked.length + answer!.length);
    ids.set(asked);
    ids.set(answer!, asked.length);
    add(ids);
  }
  for (const [i, text] of TEXTS.entries()) {
    if (i >= 4 && tokens >= LEAST_TOKENS) break;
    add(await data.encodePrompt(tokenizer, text));
  }
  return pieces;
}

/** The answers of the last evaluation. */
async function samplesOf(run: RunRecord | null): Promise<{ prompt: string; tuned: string }[]> {
  if (!run) return [];
  const samples = await readSamples(run.id);
  const last = samples.at(-1)?.step;
  return samples.filter(({ step }) => step === last);
}
