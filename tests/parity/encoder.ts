/**
 * Compares a tiny encoder of every family with transformers and PEFT (tests/oracle/make_family_fixtures.py); one body for
 * both backends. Tolerances are those of tests/oracle/README.md.
 */

import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IGNORE_INDEX } from '../../src/base/ignore-index';
import { textLogits } from '../../src/engine/generation/generate';
import { fullVisible } from '../../src/engine/kernels/attention/visible';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { linearCrossEntropy } from '../../src/engine/kernels/losses/cross-entropy';
import { valueAndGradients } from '../../src/engine/kernels/tape';
import { inference } from '../../src/engine/methods/method';
import { loadModel } from '../../src/engine/models';
import { projectLogits, requireHead } from '../../src/engine/models/heads';
import type { LanguageModel, WeightSource } from '../../src/engine/models/model';
import { checkpointBlocks } from '../../src/engine/run/checkpointing';
import type { Hooks } from '../../src/engine/types';
import { readFloats } from '../../src/engine/webgpu/backend';
import { fixtureJson, fixtureTensors, relativeError } from '../fixture-files';
import { openAdapter } from './adapter';

/** Folders of tests/fixtures/families, each with the class of the encoder without a head. */
export const ENCODERS = [
  ['bert', 'BertModel'],
  ['roberta', 'RobertaModel'],
  ['distilbert', 'DistilBertModel'],
] as const;

interface Expected {
  target_tokens: number;
  loss: { base: number; adapter: number };
}
export interface BatchJson {
  input_ids: number[][];
  token_type_ids?: number[][];
  labels: number[][];
  lengths: number[];
}

/** Kept through the backward pass, in which checkpointed blocks read them again; see `freeInts`. */
const kept: tf.Tensor[] = [];
function ints(values: ArrayLike<number>, shape: number[]): tf.Tensor {
  const tensor = tf.keep(tf.tensor(Int32Array.from(values), shape, 'int32'));
  kept.push(tensor);
  return tensor;
}
export const freeInts = () => tf.dispose(kept.splice(0));

/** Hidden states [B·T, d] of the rows, padded on one side. */
export function hiddenOf(model: LanguageModel, json: BatchJson, side: 'left' | 'right', hooks: Hooks): tf.Tensor {
  const { lengths, input_ids, token_type_ids } = json;
  const length = input_ids[0]!.length;
  const tokens = lengths.length * length;
  const padOf = (row: number) => (side === 'left' ? length - lengths[row]! : 0);
  const turned = (rows: number[][]) =>
    rows.flatMap((row, b) => [...row.slice(length - padOf(b)), ...row.slice(0, length - padOf(b))]);
  const visible =
    side === 'right'
      ? fullVisible(lengths, length)
      : lengths.flatMap((_, b) =>
          Array.from({ length }, (_, t) => (t < padOf(b) ? [0, 0] : [padOf(b), length])).flat(),
        );
  return model.hidden(
    {
      kind: 'text',
      states: 'text',
      ids: ints(turned(input_ids), [tokens]),
      positions: ints(
        lengths.flatMap((_, b) => Array.from({ length }, (_, t) => Math.max(0, t - padOf(b)))),
        [tokens],
      ),
      types: token_type_ids ? ints(turned(token_type_ids), [tokens]) : null,
      visible: ints(visible, [tokens, 2]),
      batch: lengths.length,
      length,
    },
    hooks,
  );
}

/** Each row's real tokens, `width` numbers per token. */
export function realRows(values: Float32Array, json: BatchJson, side: 'left' | 'right', width: number): Float32Array[] {
  const length = json.input_ids[0]!.length;
  return json.lengths.map((real, b) => {
    const start = (b * length + (side === 'left' ? length - real : 0)) * width;
    return values.slice(start, start + real * width);
  });
}

export async function read(compute: () => tf.Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(compute);
  const values = await readFloats(tensor);
  tensor.dispose();
  freeInts();
  return values;
}

/** Cross-entropy of the labels at their own positions. */
export function maskedLoss(model: LanguageModel, json: BatchJson, hooks: Hooks, withGradient: boolean): tf.Scalar {
  const head = requireHead(model, 'lm');
  const targets = json.labels.flatMap((row, b) =>
    row.flatMap((label, t) => (label === IGNORE_INDEX ? [] : [[b * row.length + t, label] as const])),
  );
  const hidden = head.transform!(hiddenOf(model, json, 'right', hooks), hooks);
  return linearCrossEntropy(
    hidden,
    head.weight,
    ints(
      targets.map(([row]) => row),
      [targets.length],
    ),
    ints(
      targets.map(([, label]) => label),
      [targets.length],
    ),
    { scale: 1 / targets.length, withGradient, bias: head.bias, softcap: head.softcap },
  );
}

/** `setUp` prepares the backend for all of these tests. */
export function encoderParity(backend: string, setUp: () => Promise<void>): void {
  describe.each(ENCODERS)(`${backend}: %s`, (name, bareClass) => {
    const folder = `families/${name}`;
    let config: Record<string, unknown>;
    let weights: Awaited<ReturnType<typeof fixtureTensors>>;
    let model: LanguageModel;
    let expected: Expected;
    let json: BatchJson;
    let tensors: Awaited<ReturnType<typeof fixtureTensors>>;

    beforeAll(async () => {
      await setUp();
      config = await fixtureJson(`${folder}/config.json`);
      weights = await fixtureTensors(`${folder}/model.safetensors`);
      model = await loadModel(config, weights.source);
      const count = weights.names.reduce((sum, n) => sum + weights.floats(n).length, 0);
      expect(model.parameters).toBe(count);
      expected = await fixtureJson(`${folder}/expected.json`);
      json = await fixtureJson(`${folder}/batch.json`);
      tensors = await fixtureTensors(`${folder}/expected.safetensors`);
    });
    afterAll(() => model.dispose());

    test('logits of a batch padded on either side match, and every block goes through the hook', async () => {
      const all = tensors.floats('logits');
      const width = json.input_ids[0]!.length * model.vocabSize;
      for (const side of ['right', 'left'] as const) {
        const met: string[] = [];
        const hooks: Hooks = {
          block(path, index, x, run) {
            met.push(path);
            expect(path).toBe(model.blockPaths[index]);
            return run(x);
          },
        };
        const logits = await read(() =>
          projectLogits(requireHead(model, 'lm'), hiddenOf(model, json, side, hooks), hooks),
        );
        expect(met).toEqual(model.blockPaths);
        for (const [b, row] of realRows(logits, json, side, model.vocabSize).entries()) {
          const wanted = all.slice(b * width, b * width + row.length);
          expect(relativeError(row, wanted), `padding ${side}, row ${b}`).toBeLessThan(1e-4);
        }
      }
    });

    // textLogits sets all token types to 0, and BERT's fixture has others.
    const alone = async () => {
      const row = 2;
      const logits = await textLogits(model, {}, Int32Array.from(json.input_ids[row]!.slice(0, json.lengths[row])));
      disposeInputs();
      const start = row * json.input_ids[0]!.length * model.vocabSize;
      expect(relativeError(logits, tensors.floats('logits').slice(start, start + logits.length))).toBeLessThan(1e-4);
    };
    if (name !== 'bert') test('logits of a single text match', alone);

    test('masked loss and every LoRA gradient match, including those of the head', async () => {
      const method = await openAdapter(`${folder}/adapter`, model);
      expect(method.trainable.size).toBe(2 * model.linears.length);
      const hooks = method.hooks({ ...inference(), training: true });
      const names = [...method.trainable.keys()];
      const before = tf.memory().numTensors;
      const { value, grads } = valueAndGradients(
        () => maskedLoss(model, json, hooks, true),
        [...method.trainable.values()],
      );
      freeInts();
      expect(tf.memory().numTensors - before, 'tensors left').toBe(1 + grads.length);
      expect(relativeError(await readFloats(value), [expected.loss.adapter])).toBeLessThan(1e-4);
      for (const [i, grad] of grads.entries()) {
        const reference = tensors.floats(`grad.base_model.model.${names[i]}`);
        expect(relativeError(await readFloats(grad), reference), names[i]).toBeLessThan(1e-3);
      }
      // The same bits when every block is recomputed in the backward pass.
      const block = checkpointBlocks(model, method.trainable);
      const again = valueAndGradients(
        () => maskedLoss(model, json, { ...hooks, block }, true),
        [...method.trainable.values()],
      );
      freeInts();
      for (const [i, grad] of again.grads.entries()) {
        expect(await readFloats(grad), names[i]).toEqual(await readFloats(grads[i]!));
      }
      tf.dispose([value, ...grads, again.value, ...again.grads]);
      const base = await read(() => maskedLoss(model, json, {}, false));
      expect(relativeError(base, [expected.loss.base])).toBeLessThan(1e-4);
      method.dispose();
    });

    test('the bare encoder has no prefix and no head, and gives the same hidden states', async () => {
      const prefix = `${name}.`;
      const source: WeightSource = {
        info: (tensor) => weights.source.info(prefix + tensor),
        read: (tensor, from, to) => weights.source.read(prefix + tensor, from, to),
      };
      const bare = await loadModel({ ...config, architectures: [bareClass] }, source);
      expect(bare.heads.lm).toBeUndefined();
      expect(() => requireHead(bare, 'lm')).toThrow('has no language-modelling head');
      expect(bare.blockPaths).toEqual(model.blockPaths.map((path) => path.slice(prefix.length)));
      const wanted = await read(() => hiddenOf(model, json, 'right', {}));
      expect(await read(() => hiddenOf(bare, json, 'right', {}))).toEqual(wanted);
      bare.dispose();
    });
  });
}
