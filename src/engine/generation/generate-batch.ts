/**
 * Answers to several prompts at once, which share every pass over the weights. Texts are padded on the right where prompts are
 * read, and not at all afterwards: each row of the cache has its own length, so that a row's positions, and what it sees, are those
 * of the text alone. Rows that have ended are left out of the passes.
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { Stream, uniform } from '../../base/random';
import { int32Input } from '../kernels/inputs';
import { takeRows } from '../kernels/moves/row-moves';
import { STEPS, sampleTokens } from '../kernels/sampling/sample-tokens';
import { keepRows } from '../models/cache';
import { projectLogits, requireHead } from '../models/heads';
import { positionsOf, visibleOf } from '../models/input';
import { type CachedInput, disposeCache, type KeyValueCache, type LanguageModel } from '../models/model';
import { forwardOnly } from '../run/checkpointing';
import type { Hooks } from '../types';
import { readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import type { BatchAnswer, BatchGenerateOptions } from './options';
import { beginTogether, capacityFor, paddedLength, requireCache, roomFor, rowsAtOnce } from './room';

/** One answer in the making. */
interface Row {
  prompt: Int32Array;
  /** Its number in the draw. */
  answer: number;
  /** How many tokens it may have. */
  room: number;
  ids: number[];
  logProbs: number[];
  /** A stop token came. */
  finished: boolean;
  /** Nobody needs more of it. */
  ended: boolean;
}

/** Follows the answers while they are written. */
export interface BatchWatch {
  onToken(prompt: number, id: number): void;
  /** Whether a prompt needs no more of its answer. */
  over(prompt: number): boolean;
}

interface Run {
  model: LanguageModel;
  hooks: Hooks;
  virtual: number;
  options: BatchGenerateOptions;
  watch: BatchWatch | null;
}

const isOver = ({ finished, ended, ids, room }: Row) => finished || ended || ids.length >= room;

/**
 * Answers in the order of the prompts. A token depends on its own text, and on (seed, draw, answer, position) when it is drawn;
 * on graphics cards also on how many rows are computed at once, by rounding.
 * Stops after the current token once `stopped`, with the tokens so far.
 */
export async function generateBatch(
  model: LanguageModel,
  hooks: Hooks,
  prompts: readonly Int32Array[],
  options: BatchGenerateOptions,
  stopped: () => boolean = () => false,
  watch: BatchWatch | null = null,
): Promise<BatchAnswer[]> {
  const createCache = requireCache(model);
  let virtual = 0;
  const rows = prompts.map((prompt, i): Row => {
    const name = prompts.length === 1 ? 'The prompt' : `Prompt ${i + 1} of ${prompts.length}`;
    const has = roomFor(model, hooks, prompt, options.maxNewTokens, name);
    virtual = has.virtual;
    const answer = (options.firstAnswer ?? 0) + i;
    return { prompt, answer, room: has.room, ids: [], logProbs: [], finished: false, ended: false };
  });
  const run: Run = { model, hooks: forwardOnly(hooks), virtual, options, watch };
  const tokensOf = ({ prompt, room }: Row) => virtual + prompt.length + room;
  const longest = (of: Row[]) => capacityFor(model, Math.max(...of.map(tokensOf)));
  const open = rows.filter((row) => !isOver(row));
  const size = open.length === 0 ? 1 : rowsAtOnce(model, longest(open), options.rowsAtOnce);
  for (let i = 0; i < open.length && !stopped(); i += size) {
    const some = open.slice(i, i + size);
    await answerRows(run, some, createCache(some.length, longest(some)), stopped);
  }
  return rows.map(({ ids, logProbs, finished }) => ({
    ids: Int32Array.from(ids),
    finished,
    logProbs: Float32Array.from(logProbs),
  }));
}

/** Answers some rows; disposes the cache, which has room for them. */
async function answerRows(run: Run, rows: Row[], cache: KeyValueCache, stopped: () => boolean): Promise<void> {
  let own = cache;
  try {
    for (const texts of beginTogether(rows.map(({ prompt }) => prompt))) {
      if (stopped()) return;
      await begin(run, rows, texts, own);
    }
    let kept = rows;
    while (!stopped()) {
      const live = kept.flatMap((row, i) => (isOver(row) ? [] : [i]));
      if (live.length === 0) break;
      // Moving the cache costs less than a pass; rows that have ended cost a pass each.
      if (live.length <= 0.75 * kept.length) {
        own = keepRows(own, live);
        kept = live.map((i) => kept[i]!);
      }
      await next(run, kept, own);
    }
  } finally {
    disposeCache(own);
  }
}

/** Reads prompts, and draws the first token of every row that has one of them. `texts` are their rows, equal ones together. */
async function begin(run: Run, rows: Row[], texts: number[][], cache: KeyValueCache): Promise<void> {
  const { model, virtual } = run;
  const prompts = texts.map(([first]) => rows[first!]!.prompt);
  const lengths = Int32Array.from(prompts, ({ length }) => length);
  const length = paddedLength(Math.max(...lengths), model.contextLength - virtual);
  const batch = texts.length;
  const ids = new Int32Array(batch * length);
  prompts.forEach((prompt, b) => {
    ids.set(prompt, b * length);
  });
  const padded = { batchSize: batch, length, ids, lengths };
  const pairs = texts.flatMap((same, b) => same.map((row) => [b, row] as const));
  await draw(
    run,
    {
      kind: 'cached',
      ids: int32Input('ids', ids, [batch * length]),
      positions: int32Input('positions', positionsOf(padded), [batch * length]),
      visible: int32Input('visible', visibleOf(model.kind, padded), [batch * length, 2]),
      batch,
      length,
      cache,
      begins: pairs,
    },
    lengths.map((n, b) => b * length + n - 1),
    pairs.map(([b, row]) => [b, rows[row]!]),
  );
}

/** One more token of every row; those that have ended take part as padding. */
async function next(run: Run, rows: Row[], cache: KeyValueCache): Promise<void> {
  const n = rows.length;
  const positions = Int32Array.from(rows, ({ prompt, ids }) => run.virtual + prompt.length + ids.length - 1);
  const visible = rows.flatMap((row, i) => (isOver(row) ? [0, 0] : [0, positions[i]! + 1]));
  await draw(
    run,
    {
      kind: 'cached',
      ids: int32Input(
        'ids',
        Int32Array.from(rows, ({ ids }) => ids.at(-1)!),
        [n],
      ),
      positions: int32Input('positions', positions, [n]),
      visible: int32Input('visible', Int32Array.from(visible), [n, 2]),
      batch: n,
      length: 1,
      cache,
      begins: null,
    },
    null,
    rows.map((row, i) => [i, row]),
  );
}

/**
 * Runs the model and adds a token to every row that has not ended: `draws` says which of the logits each draws from. `last` are the
 * hidden states that logits are made of; all of them if null.
 */
async function draw(
  { model, hooks, options, watch }: Run,
  input: CachedInput,
  last: Int32Array | null,
  draws: (readonly [logits: number, row: Row])[],
): Promise<void> {
  const { seed, temperature, topK, topP, stopTokenIds } = options;
  const numbers = draws.flatMap(([logits, { answer, prompt, ids }]) => {
    const position = prompt.length + ids.length;
    return [logits, STEPS * uniform(seed, Stream.rollout, position + answer * 2 ** 32, options.draw)];
  });
  beginWork();
  const drawn = tf.tidy(() => {
    const hidden = model.hidden(input, hooks);
    const rows = last ? takeRows(hidden, int32Input('last', last, [last.length])) : hidden;
    const plain = projectLogits(requireHead(model, 'lm'), rows, hooks);
    const logits = options.presencePenalty ? penalised(plain, draws, options.presencePenalty) : plain;
    return sampleTokens(logits, int32Input('draws', Int32Array.from(numbers), [draws.length, 2]), {
      temperature,
      topK,
      topP,
    });
  });
  const read = readFloats(drawn);
  drawn.dispose();
  const values = await read;
  draws.forEach(([, row], i) => {
    if (isOver(row)) return;
    const [id, logProb] = [values[2 * i]!, values[2 * i + 1]!];
    if (!Number.isFinite(logProb)) throw notFinite();
    row.ids.push(id);
    row.logProbs.push(logProb);
    row.finished = stopTokenIds.includes(id);
    const prompt = row.answer - (options.firstAnswer ?? 0);
    watch?.onToken(prompt, id);
    row.ended = watch?.over(prompt) ?? false;
  });
}

/** Makes what a row has written less likely. */
function penalised(logits: tf.Tensor, draws: readonly (readonly [number, Row])[], penalty: number): tf.Tensor {
  const [rows, vocab] = logits.shape as [number, number];
  const taken = new Float32Array(rows * vocab);
  for (const [at, { ids }] of draws) for (const id of ids) taken[at * vocab + id] = penalty;
  return tf.sub(logits, tf.tensor2d(taken, [rows, vocab]));
}

const notFinite = () =>
  new TabtuneError({
    code: 'not_finite',
    message: 'The model gives no probabilities for the next token: its numbers are infinite or undefined.',
    where: 'training.learning_rate',
    action: 'Lower the learning rate, or start again from a checkpoint before this step.',
  });
