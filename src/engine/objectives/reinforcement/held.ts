/**
 * The answers that steps are taken on, between the step that wrote them and the last that uses them. As plain JSON they are saved
 * with a run: a resumed run goes on with the answers of the policy as it was, not as it is by then.
 */
import { IGNORE_INDEX } from '../../../base/ignore-index';
import type { RolloutBatch } from '../../../data/types';

/** An answer with what is known of it: a number, or one for each of its tokens. */
export interface HeldAnswer {
  prompt: readonly number[];
  answer: readonly number[];
  figures: Readonly<Record<string, number | readonly number[]>>;
  /** Numbers of the states before its tokens, and perhaps of the one behind the last. */
  states?: Readonly<Record<string, readonly number[]>>;
  /** No token of it is learned from. */
  masked?: true;
}

export interface HeldRollouts {
  /** Counts the turns of the examples: steps divided by how many are taken on each. */
  turn: number;
  answers: readonly HeldAnswer[];
  /** Reported at the first step that uses them. */
  metrics: Readonly<Record<string, number>>;
}

/** Padded as the data layer pads, so that few distinct shapes occur. */
export function rolloutBatch(answers: readonly HeldAnswer[], pad: number): RolloutBatch {
  const lengths = Int32Array.from(answers, ({ prompt, answer }) => prompt.length + answer.length);
  const longest = Math.max(...lengths);
  const bucket = longest < 128 ? 16 : 32;
  const length = Math.ceil(longest / bucket) * bucket;
  const size = answers.length;
  const ids = new Int32Array(size * length).fill(pad);
  const labels = new Int32Array(size * length).fill(IGNORE_INDEX);
  const figures: Record<string, Float32Array> = {};
  let targetCount = 0;
  answers.forEach(({ prompt, answer, masked, figures: own, states }, r) => {
    const start = r * length + prompt.length;
    ids.set(prompt, r * length);
    ids.set(answer, start);
    if (!masked) {
      labels.set(answer, start);
      targetCount += answer.length;
    }
    for (const [name, values] of Object.entries(states ?? {})) {
      figures[name] ??= new Float32Array(size * length);
      figures[name].set(values, start - 1);
    }
    for (const [name, value] of Object.entries(own)) {
      if (typeof value === 'number') {
        figures[name] ??= new Float32Array(size);
        figures[name][r] = value;
      } else {
        figures[name] ??= new Float32Array(size * length);
        figures[name].set(value, start);
      }
    }
  });
  return { kind: 'rollout', batchSize: size, length, ids, lengths, labels, figures, targetCount };
}

/** Micro-batches of so many answers, in order. */
export function rolloutBatches(answers: readonly HeldAnswer[], rows: number, pad: number): RolloutBatch[] {
  return Array.from({ length: Math.ceil(answers.length / rows) }, (_, i) =>
    rolloutBatch(answers.slice(i * rows, (i + 1) * rows), pad),
  );
}

/** A figure of a batch by name; a batch without it was not made for this loss. */
export function figureOf(batch: RolloutBatch, name: string): Float32Array {
  const figure = batch.figures[name];
  if (!figure) throw new Error(`The batch has no figure ${name}.`);
  return figure;
}
