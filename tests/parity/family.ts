/**
 * Compares a tiny model of every family with transformers and PEFT (tests/oracle/make_family_fixtures.py); one body for both
 * backends. Tolerances are those of tests/oracle/README.md.
 */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Batch } from '../../src/data/types';
import { generate } from '../../src/engine/generation/generate';
import { causalVisible, leftPaddedVisible } from '../../src/engine/kernels/attention/visible';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { valueAndGradients } from '../../src/engine/kernels/tape';
import { inference } from '../../src/engine/methods/method';
import { loadModel } from '../../src/engine/models';
import { projectLogits, requireHead } from '../../src/engine/models/heads';
import type { LanguageModel } from '../../src/engine/models/model';
import { sft } from '../../src/engine/objectives/sft';
import { checkpointBlocks } from '../../src/engine/run/checkpointing';
import type { Hooks } from '../../src/engine/types';
import { readFloats } from '../../src/engine/webgpu/backend';
import { fixtureJson, fixtureTensors, relativeError } from '../fixture-files';
import { openAdapter } from './adapter';
import { lossOf } from './loss';

/** Folders of tests/fixtures/families. */
export const DECODERS = [
  'mistral',
  'qwen2',
  'qwen3',
  'gemma2',
  'gemma3_text',
  'phi3',
  'phi3-longrope',
  'smollm3',
  'gpt2',
  'gpt_neox',
  'gpt_neox-serial',
] as const;

interface Expected {
  target_tokens: number;
  loss: { base: number; adapter: number };
  greedy: { prompt: number[]; adapter: number[] };
}
interface BatchJson {
  input_ids: number[][];
  labels: number[][];
  lengths: number[];
}

const ints = (values: number[], shape: number[]) => tf.tensor(values, shape, 'int32');

/** Logits [T, vocab] of each row's real tokens, from a batch padded on one side. */
async function batchLogits(model: LanguageModel, json: BatchJson, side: 'left' | 'right', hooks: Hooks) {
  const { lengths } = json;
  const length = json.input_ids[0]!.length;
  const padOf = (row: number) => (side === 'left' ? length - lengths[row]! : 0);
  const turn = <T>(row: T[], by: number) => [...row.slice(row.length - by), ...row.slice(0, row.length - by)];
  const tokens = lengths.length * length;
  const visible = side === 'left' ? leftPaddedVisible(lengths, length) : causalVisible(lengths, length);
  const logits = tf.tidy(() => {
    const hidden = model.hidden(
      {
        kind: 'text',
        types: null,
        states: 'text',
        ids: ints(
          json.input_ids.flatMap((row, b) => turn(row, padOf(b))),
          [tokens],
        ),
        positions: ints(
          lengths.flatMap((_, b) => Array.from({ length }, (_, t) => Math.max(0, t - padOf(b)))),
          [tokens],
        ),
        visible: ints([...visible], [tokens, 2]),
        batch: lengths.length,
        length,
      },
      hooks,
    );
    return projectLogits(requireHead(model, 'lm'), hidden, hooks);
  });
  const values = await readFloats(logits);
  logits.dispose();
  const width = length * model.vocabSize;
  return lengths.map((real, b) => {
    const start = b * width + padOf(b) * model.vocabSize;
    return values.slice(start, start + real * model.vocabSize);
  });
}

/** `setUp` prepares the backend for all of these tests. */
export function familyParity(backend: string, cases: readonly string[], setUp: () => Promise<void>): void {
  describe.each(cases)(`${backend}: %s`, (name) => {
    const folder = `families/${name}`;
    let model: LanguageModel;
    let expected: Expected;
    let json: BatchJson;
    let tensors: Awaited<ReturnType<typeof fixtureTensors>>;

    beforeAll(async () => {
      await setUp();
      const config = await fixtureJson<Record<string, unknown>>(`${folder}/config.json`);
      const weights = await fixtureTensors(`${folder}/model.safetensors`);
      model = await loadModel(config, weights.source);
      const count = weights.names.reduce((sum, n) => sum + weights.floats(n).length, 0);
      expect(model.parameters).toBe(count);
      expected = await fixtureJson(`${folder}/expected.json`);
      json = await fixtureJson(`${folder}/batch.json`);
      tensors = await fixtureTensors(`${folder}/expected.safetensors`);
    });
    afterAll(() => {
      model.dispose();
      disposeInputs();
    });

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
        const rows = await batchLogits(model, json, side, hooks);
        expect(met).toEqual(model.blockPaths);
        for (const [b, logits] of rows.entries()) {
          const wanted = all.slice(b * width, b * width + logits.length);
          expect(relativeError(logits, wanted), `padding ${side}, row ${b}`).toBeLessThan(1e-4);
        }
      }
    });

    test('loss and every LoRA gradient match on a padded batch', async () => {
      const batch: Batch = {
        batchSize: json.input_ids.length,
        length: json.input_ids[0]!.length,
        ids: Int32Array.from(json.input_ids.flat()),
        kind: 'next_token',
        labels: Int32Array.from(json.labels.flat()),
        starts: null,
        lengths: Int32Array.from(json.lengths),
        targetCount: expected.target_tokens,
      };
      const method = await openAdapter(`${folder}/adapter`, model);
      expect(method.trainable.size).toBe(2 * model.linears.length);
      const scale = 1 / expected.target_tokens;
      const hooks = method.hooks({ ...inference(), training: true });
      const names = [...method.trainable.keys()];
      const { value, grads } = valueAndGradients(
        () => lossOf(sft, model, hooks, batch, { scale, withGradient: true }),
        [...method.trainable.values()],
      );
      expect(relativeError(await readFloats(value), [expected.loss.adapter])).toBeLessThan(1e-4);
      for (const [i, grad] of grads.entries()) {
        const reference = tensors.floats(`grad.base_model.model.${names[i]}`);
        expect(relativeError(await readFloats(grad), reference), names[i]).toBeLessThan(1e-3);
      }
      // The same bits when every block is recomputed in the backward pass.
      const again = valueAndGradients(
        () =>
          lossOf(sft, model, { ...hooks, block: checkpointBlocks(model, method.trainable) }, batch, {
            scale,
            withGradient: true,
          }),
        [...method.trainable.values()],
      );
      for (const [i, grad] of again.grads.entries()) {
        expect(await readFloats(grad), names[i]).toEqual(await readFloats(grads[i]!));
      }
      tf.dispose([value, ...grads, again.value, ...again.grads]);
      const base = tf.tidy(() => lossOf(sft, model, {}, batch, { scale, withGradient: false }));
      expect(relativeError(await readFloats(base), [expected.loss.base])).toBeLessThan(1e-4);
      base.dispose();
      method.dispose();
    });

    test('16 greedy tokens match with the adapter and a key/value cache, and no tensor is left over', async () => {
      const options = { temperature: 0, topP: 1, seed: 0, maxNewTokens: 16, stopTokenIds: [] };
      const method = await openAdapter(`${folder}/adapter`, model);
      const before = tf.memory().numTensors;
      disposeInputs();
      const prompt = Int32Array.from(expected.greedy.prompt);
      expect([...(await generate(model, method.hooks(inference()), prompt, options))]).toEqual(expected.greedy.adapter);
      disposeInputs();
      expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
      method.dispose();
    });
  });
}
