/**
 * Opens what was exported as its readers would: names, types and ties come from its files alone. Then its logits are compared with
 * those of the model that it was made of.
 */
import { TabtuneError } from '../../base/errors';
import { textScores } from '../../engine/classification/classify';
import { textLogits } from '../../engine/generation/generate';
import { inference } from '../../engine/methods/method';
import { loadModel } from '../../engine/models';
import type { LanguageModel } from '../../engine/models/model';
import type { Hooks } from '../../engine/types';
import { canAllocate } from '../../engine/webgpu/backend';
import type { ExportProgress, Proof, Tolerance } from '../../exports/export';
import type { AdapterFiles } from '../../formats/adapter-format';
import { checkModelFolder } from '../../hub/check';
import { type DroppedFile, droppedModelFolder } from '../../hub/folder';
import { withGguf } from '../../hub/gguf/with-gguf';
import { settleTies } from '../../hub/ties';
import { openWeights } from '../../hub/weights';
import { type HeadSource, openAdapter } from './adapters';
import { stopIfAsked } from './merge';
import type { MergeModel } from './merged-tensors';
import { checkpointHead } from './stored-head';

/** What is compared, and how much may differ. */
export interface ProofTexts {
  /** As token ids. The logits of a text are in memory twice, so long texts are given in pieces. */
  texts: Int32Array[];
  tolerance: Tolerance;
}

type OnProgress = (progress: ExportProgress) => void;

const wrong = (message: string, details: string): TabtuneError =>
  new TabtuneError({
    code: 'bad_model',
    message,
    action:
      'Nothing was saved. Choose a format that rounds less, or export the adapter where there is one. If this format does not round, report it.',
    details,
  });

/** A folder in Hugging Face's layout, or one GGUF file, beside the model that it was made of. */
export async function proveModel(
  merged: MergeModel,
  files: DroppedFile[],
  proof: ProofTexts,
  onProgress: OnProgress = () => {},
  signal?: AbortSignal,
): Promise<Proof> {
  onProgress({ phase: 'checking', done: 0, total: proof.texts.length });
  const { model } = merged;
  const folder = await withGguf(droppedModelFolder('file:exported', files));
  const checked = await settleTies(await checkModelFolder(folder));
  const { classification, lm } = model.heads;
  const tied = model.ties.length > 0;
  if (!classification && lm && checked.config.tie_word_embeddings !== tied) {
    throw wrong(
      'The exported file would not be read as the model that was trained.',
      tied ? 'It holds an output projection that differs from the embedding.' : 'It ties what was trained apart.',
    );
  }
  const weights = openWeights(checked);
  if (!classification && !lm) return unproven(proof, 'no_output');
  if (!(await canAllocate(weights.bytes))) return unproven(proof, 'no_room');
  const bare = await loadModel(checked.json, weights);
  let other = bare;
  try {
    other = (await checkpointHead(bare, checked, weights, 'none')).model;
    return await compare(ofModel(merged), { model: other, hooks: {} }, proof, onProgress, signal);
  } finally {
    if (other !== bare) other.dispose();
    bare.dispose();
  }
}

/** An adapter's files on the base, beside the one that they were made of. */
export async function proveAdapter(
  merged: MergeModel,
  base: LanguageModel,
  files: AdapterFiles,
  head: HeadSource,
  proof: ProofTexts,
  onProgress: OnProgress = () => {},
  signal?: AbortSignal,
): Promise<Proof> {
  onProgress({ phase: 'checking', done: 0, total: proof.texts.length });
  const { classification, lm } = merged.model.heads;
  if (!classification && !lm) return unproven(proof, 'no_output');
  const opened = await openAdapter(base, files, head);
  try {
    const read = { model: opened.model, hooks: opened.method.hooks(inference()) };
    return await compare(ofModel(merged), read, proof, onProgress, signal);
  } finally {
    opened.dispose();
  }
}

const ofModel = ({ model, method }: MergeModel): Trained => ({
  model,
  hooks: method?.hooks(inference()) ?? {},
  base: method ? { model, hooks: method.hooks(inference(0)) } : null,
});

interface Computed {
  model: LanguageModel;
  hooks: Hooks;
}

/** What was trained, and the same with its training switched off; null where there is none. */
interface Trained extends Computed {
  base: Computed | null;
}

function unproven({ texts }: ProofTexts, why: Proof['unproven']): Proof {
  return {
    ...{ ...sizeOf(texts), unproven: why, maxLogitDifference: null, largestLogit: null },
    ...{ sameChoices: null, carried: null, rounding: null, perplexity: null },
  };
}

const sizeOf = (texts: Int32Array[]) => ({
  texts: texts.length,
  tokens: texts.reduce((sum, { length }) => sum + length, 0),
});

async function compare(
  trained: Trained,
  stored: Computed,
  { texts, tolerance }: ProofTexts,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<Proof> {
  const { classification } = trained.model.heads;
  const logits = ({ model, hooks }: Computed, ids: Int32Array) =>
    classification ? textScores(model, hooks, ids) : textLogits(model, hooks, ids);
  let difference = 0;
  let largest = 0;
  let same = 0;
  let predicted = 0;
  const loss = { before: 0, after: 0 };
  // Sums over all logits: of (trained − base)², (file − base) · (trained − base), and (file − base)².
  let changed = 0;
  let along = 0;
  let moved = 0;
  for (const [i, ids] of texts.entries()) {
    stopIfAsked(signal);
    const before = await logits(trained, ids);
    const after = await logits(stored, ids);
    for (let j = 0; j < before.length; j++) {
      const apart = Math.abs(before[j]! - after[j]!);
      // Not a number where a logit is none, and then it stays so.
      if (!(apart <= difference)) difference = apart;
      largest = Math.max(largest, Math.abs(before[j]!));
    }
    if (trained.base) {
      const base = await logits(trained.base, ids);
      for (let j = 0; j < before.length; j++) {
        const by = before[j]! - base[j]!;
        changed += by * by;
        const to = after[j]! - base[j]!;
        along += to * by;
        moved += to * to;
      }
    }
    if (!classification) {
      const width = before.length / ids.length;
      for (let t = 0; t < ids.length; t++) {
        const a = rowOf(before, t, width, ids[t + 1]);
        const b = rowOf(after, t, width, ids[t + 1]);
        if (a.choice === b.choice) same++;
        if (t + 1 === ids.length) continue;
        predicted++;
        loss.before += a.loss;
        loss.after += b.loss;
      }
    }
    onProgress({ phase: 'checking', done: i + 1, total: texts.length });
  }
  const writes = !classification && trained.model.kind === 'decoder' && predicted > 0;
  const perplexity = writes
    ? { before: Math.exp(loss.before / predicted), after: Math.exp(loss.after / predicted) }
    : null;
  // Less than what the order of sums makes of logits is no change.
  const count = texts.reduce((sum, ids) => sum + ids.length, 0);
  const share = changed > count * (1e-5 * largest) ** 2 ? along / changed : null;
  const rounding = share === null ? null : Math.sqrt(Math.max(0, moved / changed - share * share));
  // Then the projection says more of the rounding than of the training.
  const carried = rounding !== null && rounding > MOST_ROUNDING ? null : share;
  assertWithin({ difference, largest, carried, rounding, perplexity }, tolerance);
  return {
    ...sizeOf(texts),
    unproven: null,
    maxLogitDifference: difference,
    largestLogit: largest,
    sameChoices: classification ? null : same,
    carried,
    rounding,
    perplexity,
  };
}

/** The most likely token after a position, and the loss of the one that comes, in nats. */
function rowOf(logits: Float32Array, t: number, width: number, next: number | undefined) {
  let choice = 0;
  const start = t * width;
  for (let j = 1; j < width; j++) if (logits[start + j]! > logits[start + choice]!) choice = j;
  if (next === undefined) return { choice, loss: 0 };
  const most = logits[start + choice]!;
  let sum = 0;
  for (let j = 0; j < width; j++) sum += Math.exp(logits[start + j]! - most);
  return { choice, loss: most + Math.log(sum) - logits[start + next]! };
}

/** Of what training changed; the rest is what a coarse format may round away. */
const MOST_LOST = 0.25;
/** Rounding is not all across what training changed: of how far it moves the logits, so much may be along it, or against. */
const ALONG = 0.25;
/** What a format rounds, as a multiple of what training changed, up to which the two can be told apart. */
const MOST_ROUNDING = 2;

function assertWithin(
  {
    difference,
    largest,
    carried,
    rounding,
    perplexity,
  }: Pick<Proof, 'carried' | 'rounding' | 'perplexity'> & { difference: number; largest: number },
  tolerance: Tolerance,
): void {
  const details = `largest difference ${difference}, largest logit ${largest}, perplexity ${perplexity?.before} before and ${perplexity?.after} after`;
  if (!Number.isFinite(difference) || !Number.isFinite(largest)) {
    throw wrong('The exported file gives logits that are not numbers.', details);
  }
  // However coarsely a format rounds, it rounds in all directions: what training did is there, or it is not.
  if (carried !== null && Math.abs(carried - 1) > MOST_LOST + ALONG * (rounding ?? 0)) {
    throw wrong(
      `The exported file does not behave as trained: of what training changed in the logits, ${(100 * carried).toFixed(0)} % is in it.`,
      `carried ${carried}, rounding ${rounding}, ${details}`,
    );
  }
  if (difference > tolerance.logits * largest) {
    throw wrong(
      `The exported file does not compute what was trained: a logit differs by ${difference.toPrecision(2)}, and the largest is ${largest.toPrecision(2)}.`,
      details,
    );
  }
  if (perplexity && tolerance.perplexity && perplexity.after > tolerance.perplexity * perplexity.before) {
    throw wrong(
      `The exported file predicts text worse than what was trained: its perplexity is ${perplexity.after.toPrecision(3)} instead of ${perplexity.before.toPrecision(3)}.`,
      details,
    );
  }
}
