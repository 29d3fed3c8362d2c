/** Classifies a text: labels with their probabilities, or a label for each word. */
import { TabtuneError } from '../base/errors';
import { labelsWords } from '../base/task';
import { type LabelScore, textLabels, wordLabels, wordsOf } from '../data/label-scores';
import type { EngineApi } from '../workers/engine/api';
import type { JudgedText } from './comparison-types';
import type { EmbedNeeds } from './embed';
import { answerLimit } from './engine-host';

type Found = Awaited<ReturnType<EngineApi['classify']>>;

export const classify = ({ engine, ...rest }: EmbedNeeds, text: string, strength: number): Promise<LabelScore[]> =>
  classifyWith(rest, text, (ids) => engine.use((api) => api.classify(ids, strength), answerLimit));

/** `ask` gives what the head says of some tokens. An answer is judged with its prompt. */
export async function classifyWith(
  { data, models }: Pick<EmbedNeeds, 'data' | 'models'>,
  text: string | JudgedText,
  ask: (ids: Int32Array) => Promise<Found>,
): Promise<LabelScore[]> {
  const { tokenizer, info } = models.require();
  if (typeof text !== 'string') {
    const { labels, probabilities } = await ask(
      await data.encodeAnswer(tokenizer, text.prompt, text.answer, info.contextLength),
    );
    return labels.map((label, i) => ({ label, probability: probabilities[i]! }));
  }
  const { ids } = await data.encodeForTask(tokenizer, text, info.contextLength);
  if (ids.length === 0) {
    throw new TabtuneError({ code: 'bad_data', message: 'The text is empty.', action: 'Enter a text to classify.' });
  }
  const found = await ask(ids);
  if (!labelsWords(found)) return textLabels(found.labels, found.probabilities);
  // Words are encoded as in the training examples, so that each is classified at the same token.
  const words = wordsOf(text);
  const encoded = await data.encodeForTask(tokenizer, words, info.contextLength);
  const { labels, probabilities } = await ask(encoded.ids);
  return wordLabels(words, encoded.words ?? new Int32Array(), labels, probabilities);
}
