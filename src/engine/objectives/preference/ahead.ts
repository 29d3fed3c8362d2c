/**
 * What the reference gives every answer, computed before the first step and kept with the run (precompute_ref_log_probs). Answers are
 * found by their tokens. In the first epoch these are the very bytes that the steps would compute; in later ones too, unless a
 * shuffle puts an answer into a batch of another shape, whose sums may round differently.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '../../../data/types';
import { decided, madeOnce } from '../../webgpu/live';
import type { Objective, PrepareTools, RunAhead, View } from '../objective';
import type { AnswerTokens, LabelledRows } from './answers';

/** How an objective asks the reference about the rows of a batch. */
export interface Question {
  rows: LabelledRows;
  tokens: AnswerTokens;
  /** What else the sums depend on, for each row. */
  marks?(row: number): number;
  /** Sums of the rows' answers, [batchSize]. */
  ask(view: View): tf.Tensor1D;
}

export interface Ahead extends Pick<Objective, 'before' | 'state' | 'restore'> {
  /** The answer to a question: known already, or from the reference. */
  answer(question: Question, reference: () => View): tf.Tensor1D;
}

/** Two hashes (FNV-1a, from two starts) of a row's tokens, of how many are its answer, and of its mark. */
function keyOf({ rows, tokens, marks }: Question, row: number): string {
  const { ids, length, lengths } = rows;
  let [a, b] = [0x811c9dc5, 0x9747b28c];
  const add = (value: number) => {
    a = Math.imul(a ^ value, 0x01000193);
    b = Math.imul(b ^ (value + 0x9e37), 0x01000193);
    b ^= b >>> 15;
  };
  for (let t = 0; t < lengths[row]!; t++) add(ids[row * length + t]!);
  add(tokens.counts[row]!);
  add(marks?.(row) ?? -1);
  return `${(a >>> 0).toString(36)}-${(b >>> 0).toString(36)}`;
}

const keysOf = (question: Question) =>
  Array.from({ length: question.rows.batchSize }, (_, row) => keyOf(question, row));

/** Without `enabled`, every question goes to the reference. */
export function computedAhead(enabled: boolean, questionOf: (batch: Batch) => Question): Ahead {
  const known = new Map<string, number>();
  const answer: Ahead['answer'] = (question, reference) => {
    if (!enabled) return question.ask(reference());
    const values = madeOnce(() => keysOf(question).map((key) => known.get(key)));
    if (decided(() => Number(values().includes(undefined))) > 0) return question.ask(reference());
    const { batchSize, floats } = question.tokens;
    return floats('reference', () => Float32Array.from(values() as number[]), [batchSize]) as tf.Tensor1D;
  };
  if (!enabled) return { answer };
  return {
    answer,
    async before(tools: PrepareTools, { source, steps, progress }: RunAhead) {
      const held = source.evaluation();
      const total = steps + held.length;
      for (let done = 0; done < total; done++) {
        for (const batch of done < steps ? source.microBatches(done) : [held[done - steps]!]) {
          if (tools.stopped()) return;
          const question = questionOf(batch);
          const keys = keysOf(question);
          if (keys.every((key) => known.has(key))) continue;
          const values = await tools.read(() => question.ask(tools.reference()));
          for (const [row, key] of keys.entries()) known.set(key, values[row]!);
        }
        progress((done + 1) / total);
      }
    },
    state: () => ({ reference: { keys: [...known.keys()], values: [...known.values()] } }),
    restore(state) {
      const { keys, values } = (state as { reference: { keys: string[]; values: number[] } }).reference;
      for (const [i, key] of keys.entries()) known.set(key, values[i]!);
    },
  };
}
