import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maskTokens } from '../../../src/base/masking';
import type { Batch, HiddenTokensBatch, NextTokenBatch } from '../../../src/data/types';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { valueAndGradients } from '../../../src/engine/kernels/tape';
import { createFull } from '../../../src/engine/methods/full';
import { loadModel } from '../../../src/engine/models';
import { positionsOf, visibleOf } from '../../../src/engine/models/input';
import type { LanguageModel } from '../../../src/engine/models/model';
import { createObjective } from '../../../src/engine/objectives';
import { maskedLm } from '../../../src/engine/objectives/masked-lm';
import { sft, targetRows } from '../../../src/engine/objectives/sft';
import { checkpointBlocks } from '../../../src/engine/run/checkpointing';
import { trainingHooks } from '../../../src/engine/run/training-hooks';
import { fixtureJson, fixtureTensors } from '../../fixture-files';
import { expectClose } from '../../kernel-helpers';
import { lossOf } from '../../parity/loss';

const open = async (folder: string) =>
  loadModel(await fixtureJson(`${folder}/config.json`), (await fixtureTensors(`${folder}/model.safetensors`)).source);

/** Rows of texts, one after the other in a row, padded with 0. */
function packed(rows: number[][][], length: number, labelled = true): NextTokenBatch {
  const flat = <T>(of: (texts: number[][]) => T[], pad: T) =>
    rows.flatMap((texts) => Array.from({ length }, (_, t) => of(texts)[t] ?? pad));
  const ids = Int32Array.from(flat((texts) => texts.flat(), 0));
  const lengths = Int32Array.from(rows, (texts) => texts.flat().length);
  return {
    kind: 'next_token',
    batchSize: rows.length,
    length,
    ids,
    lengths,
    labels: labelled
      ? Int32Array.from(
          flat((texts) => texts.flat(), -100),
          (id) => id,
        )
      : new Int32Array(ids.length).fill(-100),
    starts: Int32Array.from(
      flat((texts) => texts.flatMap((text, i) => text.map(() => texts.slice(0, i).flat().length)), 0),
    ),
    targetCount: rows.flat().reduce((sum, text) => sum + text.length - 1, 0),
  };
}

const pairsOf = (flat: Int32Array) => Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);

describe('packed texts', () => {
  const batch = packed(
    [
      [
        [7, 8, 9],
        [5, 6],
      ],
      [[4]],
    ],
    6,
  );

  test('positions restart with each text, and no text sees another', () => {
    expect([...positionsOf(batch)]).toEqual([0, 1, 2, 0, 1, 5, 0, 1, 2, 3, 4, 5]);
    expect(pairsOf(visibleOf('decoder', batch))).toEqual([
      ...[
        [0, 1],
        [0, 2],
        [0, 3],
        [3, 4],
        [3, 5],
        [0, 0],
      ],
      ...[
        [0, 1],
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    ]);
    expect(pairsOf(visibleOf('encoder', batch)).slice(0, 6)).toEqual([
      [0, 3],
      [0, 3],
      [0, 3],
      [3, 5],
      [3, 5],
      [0, 0],
    ]);
  });

  test('a text’s first token is not predicted from the previous text', () => {
    const { rows, targets } = targetRows(batch);
    expect([...rows.slice(0, 4)]).toEqual([0, 1, 3, -1]);
    expect([...targets.slice(0, 4)]).toEqual([8, 9, 6, -1]);
  });

  test('the loss is that of the separate texts', async () => {
    await tf.setBackend('cpu');
    const model = await open('llama/gqa-untied-odd');
    const texts = [
      [7, 8, 9, 12, 31],
      [5, 6, 40],
      [11, 30, 2, 9],
    ];
    const summed = (given: Batch) =>
      tf.tidy(() => lossOf(sft, model, {}, given, { scale: 1, withGradient: false }).dataSync()[0]!);
    const together = summed(packed([texts], 14));
    const alone = texts.reduce((sum, text) => sum + summed(packed([[text]], text.length)), 0);
    expectClose([together], [alone], { rtol: 1e-6 });
    model.dispose();
    disposeInputs();
  });
});

describe('masked words', () => {
  const many: HiddenTokensBatch = {
    kind: 'hidden_tokens',
    batchSize: 40,
    length: 500,
    ids: Int32Array.from({ length: 20_000 }, (_, i) => 10 + (i % 50)),
    lengths: new Int32Array(40).fill(450),
    special: Uint8Array.from({ length: 20_000 }, (_, i) => (i % 500 === 0 || i % 500 > 448 ? 1 : 0)),
    targetCount: 0,
  };
  const masking = { mlm_probability: 0.15, maskTokenId: 4, vocabSize: 60 };

  test('15 % of the tokens that are not special are chosen: 80 % masked, 10 % replaced, 10 % unchanged', () => {
    const { ids, pairs } = maskTokens(many, masking, { seed: 5, pass: 9 });
    const eligible = 40 * 448;
    const within = (count: number, of: number, p: number) =>
      expect(Math.abs(count / of - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / of));
    within(pairs.length, eligible, 0.15);
    for (const [at, was] of pairs) {
      expect(many.special[at]).toBe(0);
      expect(was).toBe(many.ids[at]);
    }
    const now = pairs.map(([at]) => ids[at]!);
    within(now.filter((id) => id === 4).length, pairs.length, 0.8 + 0.1 / 60);
    within(now.filter((id, i) => id === pairs[i]![1]).length, pairs.length, 0.1 + 0.1 / 60);
    expect(now.every((id) => id >= 0 && id < 60)).toBe(true);
    const chosen = new Set(pairs.map(([at]) => at));
    expect(ids.every((id, i) => chosen.has(i) || id === many.ids[i])).toBe(true);
  });

  test('masking depends on seed and pass: the same ones repeat it, others change it', () => {
    const few = { ...many, batchSize: 2, ids: many.ids.slice(0, 1000), lengths: many.lengths.slice(0, 2) };
    const draw = (seed: number, pass: number) => [...maskTokens(few, masking, { seed, pass }).ids];
    expect(draw(5, 9)).toEqual(draw(5, 9));
    expect(draw(5, 10)).not.toEqual(draw(5, 9));
    expect(draw(6, 9)).not.toEqual(draw(5, 9));
    expect(maskTokens(few, masking, {})).toEqual(maskTokens(few, masking, { seed: 0, pass: 0 }));
  });

  test('targets counts the terms of the loss', () => {
    const objective = maskedLm(0.15, masking);
    const draw = { seed: 5, pass: 9 };
    expect(objective.targets!(many, draw)).toBe(maskTokens(many, masking, draw).pairs.length);
  });
});

describe('impossible combinations', () => {
  const info = { maskTokenId: 4, vocabSize: 60, task: null };
  beforeAll(() => tf.setBackend('cpu').then(() => {}));

  test('masked words without a mask token, and labels without data that has them, are rejected', () => {
    expect(() => createObjective({ type: 'masked_lm', mlm_probability: 0.15 }, { ...info, maskTokenId: null })).toThrow(
      'has no mask token',
    );
    const sequence = { type: 'sequence_classification', problem_type: 'auto' } as const;
    expect(() => createObjective(sequence, info)).toThrow('a label or number for each text');
    const tags = { problemType: 'token_classification' as const, labels: ['O'] };
    expect(() => createObjective(sequence, { ...info, task: tags })).toThrow('a label or number');
    expect(() => createObjective({ type: 'token_classification' }, info)).toThrow('a label for each word');
  });

  test('objectives are rejected on models that they are not made for', async () => {
    const [decoder, encoder] = [await open('llama/gqa-untied-odd'), await open('families/bert')];
    const batch = packed([[[7, 8, 9]]], 4);
    const options = { scale: 1, withGradient: false };
    const masked = createObjective({ type: 'masked_lm', mlm_probability: 0.15 }, info);
    expect(() => lossOf(masked, decoder, {}, batch, options)).toThrow('masked-language-modelling head');
    expect(() => lossOf(masked, { ...encoder, heads: {} }, {}, batch, options)).toThrow(
      'masked-language-modelling head',
    );
    expect(() => lossOf(sft, encoder, {}, batch, options)).toThrow('sees the whole text at once');
    const tags = createObjective(
      { type: 'token_classification' },
      { ...info, task: { problemType: 'token_classification', labels: ['O', 'B'] } },
    );
    const tagged: Batch = { ...batch, kind: 'token_labels' };
    expect(() => lossOf(tags, decoder, {}, tagged, options)).toThrow('has no head that classifies words');
    decoder.dispose();
    encoder.dispose();
    disposeInputs();
  });
});

describe('dropout of a whole model', () => {
  let model: LanguageModel;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    model = await open('families/gpt2');
  });
  afterAll(() => {
    model.dispose();
    disposeInputs();
  });

  test('recomputed blocks drop the same values; another pass drops others; off is off', async () => {
    expect(model.dropout).toMatchObject({ attention: 0.1, embeddings: 0.1, residual: 0.1 });
    const method = createFull(model);
    const batch = packed([[[7, 8, 9, 12, 31, 2, 5]], [[4, 6, 8]]], 8);
    const run = (pass: number, options: { on: boolean; again?: boolean }) => {
      const hooks = trainingHooks(method, { seed: 3, model_dropout: options.on, neftune_noise_alpha: 5 }, pass);
      const block = options.again ? { block: checkpointBlocks(model, method.trainable) } : {};
      const { value, grads } = valueAndGradients(
        () => lossOf(sft, model, { ...hooks, ...block }, batch, { scale: 1, withGradient: true, smoothing: 0.1 }),
        [...method.trainable.values()],
      );
      const values = [value, ...grads].map((t) => t.dataSync().slice());
      tf.dispose([value, ...grads]);
      return values;
    };
    const first = run(1, { on: true });
    expect(run(1, { on: true, again: true })).toEqual(first);
    expect(run(2, { on: true })[0]).not.toEqual(first[0]);
    expect(run(1, { on: false })[0]).not.toEqual(first[0]);
    method.dispose();
  });
});
