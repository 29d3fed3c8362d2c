/**
 * Compares bottleneck adapters with AdapterHub's library (tests/oracle/make_bottleneck_fixtures.py); one body for both
 * backends. Tolerances are those of tests/oracle/README.md.
 */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBatchSource } from '../../src/data/batches';
import { causalVisible, fullVisible } from '../../src/engine/kernels/attention/visible';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { linearCrossEntropy } from '../../src/engine/kernels/losses/cross-entropy';
import { valueAndGradients } from '../../src/engine/kernels/tape';
import { createBottleneck } from '../../src/engine/methods/bottleneck';
import { inference, type Method } from '../../src/engine/methods/method';
import { loadModel } from '../../src/engine/models';
import { projectLogits, requireHead } from '../../src/engine/models/heads';
import type { LanguageModel } from '../../src/engine/models/model';
import { sft } from '../../src/engine/objectives/sft';
import { createOptimizer } from '../../src/engine/optim/optimizer';
import { checkpointBlocks, forwardOnly } from '../../src/engine/run/checkpointing';
import { freshState, recordStep } from '../../src/engine/run/loop';
import type { Hooks } from '../../src/engine/types';
import { readFloats } from '../../src/engine/webgpu/backend';
import { type BottleneckAdapter, readAdapterHub } from '../../src/formats/adapterhub';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { TrainingSection } from '../../src/recipe/types';
import { fixtureBytes, fixtureJson, fixtureTensors, relativeError } from '../fixture-files';
import type { BatchJson } from './virtual-case';

const CASES = [
  'llama-double',
  'llama-single',
  'gpt2-double',
  'gpt2-single',
  'mistral-single',
  'qwen2-single',
  'gemma2-double',
  'gemma2-single',
  'phi3-double',
  'smollm3-single',
  'gpt_neox-single',
  'gpt_neox-double',
  'gpt_neox-serial-single',
  'bert-double',
  'bert-single',
  'roberta-double',
  'distilbert-single',
  'bert-classification',
];

interface Expected {
  loss: number;
  trained: number;
  training?: Partial<TrainingSection>;
  steps?: { loss: number; grad_norm: number; learning_rate: number }[];
}

/** Reads the committed folder as AdapterHub wrote it. */
async function readFolder(folder: string): Promise<BottleneckAdapter> {
  const names = ['adapter_config.json', 'adapter.safetensors'];
  if (folder.endsWith('classification')) names.push('head_config.json', 'model_head.safetensors');
  return readAdapterHub(
    await Promise.all(names.map(async (path) => ({ path, bytes: await fixtureBytes(`${folder}/${path}`) }))),
  );
}

/** `setUp` prepares the backend for all of these tests; `only` limits them to some cases, because all would take long. */
export function bottleneckParity(backend: string, setUp: () => Promise<void>, only?: string[]): void {
  describe.each(CASES.filter((name) => !only || only.includes(name)))(`${backend}: %s`, (name) => {
    const folder = `bottleneck/${name}`;
    let base: string;
    let model: LanguageModel;
    let json: BatchJson;
    let expected: Expected;
    let adapter: BottleneckAdapter;
    let tensors: Awaited<ReturnType<typeof fixtureTensors>>;
    /** Kept through the backward pass, in which checkpointed blocks read them again. */
    let given: { ids: tf.Tensor; positions: tf.Tensor; visible: tf.Tensor; types: tf.Tensor };

    beforeAll(async () => {
      await setUp();
      const meta = await fixtureJson<{ cases: Record<string, { base: string }> }>('bottleneck/meta.json');
      base = meta.cases[name]!.base;
      const { source } = await fixtureTensors(`${base}/model.safetensors`);
      model = await loadModel(await fixtureJson<Record<string, unknown>>(`${base}/config.json`), source);
      json = await fixtureJson(`${base}/batch.json`);
      expected = await fixtureJson(`${folder}/expected.json`);
      tensors = await fixtureTensors(`${folder}/expected.safetensors`);
      adapter = await readFolder(folder);
      const { input_ids, lengths, token_type_ids } = json;
      const length = input_ids[0]!.length;
      const tokens = lengths.length * length;
      const visible = model.kind === 'encoder' ? fullVisible(lengths, length) : causalVisible(lengths, length);
      const ints = (values: ArrayLike<number>, shape: number[]) => tf.tensor(Int32Array.from(values), shape, 'int32');
      given = {
        ids: ints(input_ids.flat(), [tokens]),
        positions: ints(
          Array.from({ length: tokens }, (_, i) => i % length),
          [tokens],
        ),
        visible: ints(visible, [tokens, 2]),
        types: ints(token_type_ids?.flat() ?? new Int32Array(tokens), [tokens]),
      };
    });
    afterAll(() => {
      tf.dispose(Object.values(given));
      model.dispose();
      disposeInputs();
    });

    /** Uses copies, because the CPU backend trains the arrays it is given. */
    const open = (): Method => {
      const values = [...adapter.tensors].map(([n, { shape, data }]) => [n, { shape, data: data.slice() }] as const);
      return createBottleneck(model, adapter.settings, 0, new Map(values));
    };
    const hiddenOf = (hooks: Hooks): tf.Tensor =>
      model.hidden(
        { kind: 'text', ...given, batch: json.lengths.length, length: json.input_ids[0]!.length, states: 'text' },
        hooks,
      );

    /** Scores of BertForSequenceClassification, in plain tfjs. */
    const scores = (hidden: tf.Tensor): tf.Tensor => {
      const length = json.input_ids[0]!.length;
      const rows = tf.tensor1d(
        json.lengths.map((_, row) => row * length),
        'int32',
      );
      const layer = (x: tf.Tensor, path: string) => {
        const of = (leaf: string) => {
          const own = adapter.head?.tensors.get(`${path}.${leaf}`);
          const at = `${path}.${leaf}`;
          return own ? tf.tensor(own.data, own.shape) : tf.tensor(tensors.floats(at), tensors.shape(at));
        };
        return tf.add(tf.matMul(x as tf.Tensor2D, of('weight') as tf.Tensor2D, false, true), of('bias'));
      };
      return layer(tf.tanh(layer(tf.gather(hidden, rows), 'bert.pooler.dense')), 'classifier');
    };
    const whole = name.endsWith('classification');

    /** The fixture's mean cross-entropy: over labels, shifted for decoders, or over classes 0, 1, 2. */
    const lossOf = (hooks: Hooks): tf.Scalar => {
      const hidden = hiddenOf(hooks);
      if (whole) {
        const own = scores(hidden);
        const picked = tf.sum(tf.mul(tf.logSoftmax(own as tf.Tensor2D), tf.eye(3)));
        return tf.neg(tf.div(picked, 3));
      }
      const shift = model.kind === 'decoder' ? 1 : 0;
      const targets = json.labels.flatMap((row, b) =>
        row.flatMap((label, t) => (label < 0 || t < shift ? [] : [[b * row.length + t - shift, label] as const])),
      );
      const head = requireHead(model, 'lm');
      const x = head.transform ? head.transform(hidden, hooks) : hidden;
      const ints = (values: number[]) => tf.tensor1d(values, 'int32');
      return linearCrossEntropy(
        x,
        head.weight,
        ints(targets.map(([row]) => row)),
        ints(targets.map(([, label]) => label)),
        { scale: 1 / targets.length, withGradient: true, bias: head.bias, softcap: head.softcap },
      );
    };

    test('outputs of a padded batch match; strength 0 gives the base, and 2 differs from 1', async () => {
      const before = tf.memory().numTensors;
      const method = open();
      expect([...method.trainable.values()].reduce((sum, { size }) => sum + size, 0)).toBe(expected.trained);
      const outputs = async (hooks: Hooks) => {
        const out = tf.tidy(() => {
          const hidden = hiddenOf(forwardOnly(hooks));
          return whole ? scores(hidden) : projectLogits(requireHead(model, 'lm'), hidden, hooks);
        });
        const values = await readFloats(out);
        out.dispose();
        return values;
      };
      const reference = tensors.floats('output');
      const actual = await outputs(method.hooks(inference()));
      if (whole) expect(relativeError(actual, reference)).toBeLessThan(1e-4);
      else {
        const length = json.input_ids[0]!.length;
        for (const [row, real] of json.lengths.entries()) {
          const [start, end] = [row * length * model.vocabSize, (row * length + real) * model.vocabSize];
          const error = relativeError(actual.slice(start, end), reference.slice(start, end));
          expect(error, `row ${row}`).toBeLessThan(1e-4);
        }
      }
      expect(await outputs(method.hooks(inference(0)))).toEqual(await outputs({}));
      expect(relativeError(await outputs(method.hooks(inference(2))), actual)).toBeGreaterThan(0.01);
      // Strength 1 and a strength very close to it take two different paths.
      expect(relativeError(await outputs(method.hooks(inference(1 + 1e-7))), actual)).toBeLessThan(1e-4);
      method.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    test('loss and gradients match, with the same bits when every block is computed twice', async () => {
      const method = open();
      const names = [...method.trainable.keys()];
      const hooks = method.hooks({ ...inference(), training: true });
      const run = (own: Hooks) => valueAndGradients(() => lossOf(own), [...method.trainable.values()]);
      const { value, grads } = run(hooks);
      expect(relativeError(await readFloats(value), [expected.loss])).toBeLessThan(1e-4);
      const again = run({ ...hooks, block: checkpointBlocks(model, method.trainable) });
      for (const [i, grad] of grads.entries()) {
        const values = await readFloats(grad);
        expect(relativeError(values, tensors.floats(`grad.${names[i]}`)), names[i]).toBeLessThan(1e-3);
        expect(await readFloats(again.grads[i]!), names[i]).toEqual(values);
      }
      tf.dispose([value, ...grads, again.value, ...again.grads]);
      method.dispose();
    });

    if (name === 'llama-double') {
      test('ten AdamW steps match torch', async () => {
        const data = await fixtureJson<{ examples: { ids: number[]; labels: number[] }[] }>(`${base}/train_data.json`);
        const settings: TrainingSection = { ...resolveRecipe({ version: 1 }).training, ...expected.training };
        const examples = data.examples.map(({ ids, labels }, row) => ({
          kind: 'next_token' as const,
          row,
          ids: Int32Array.from(ids),
          labels: Int32Array.from(labels),
          starts: null,
          truncatedBy: 0,
        }));
        const batches = createBatchSource(examples, [], {
          batchSize: settings.per_device_train_batch_size,
          accumulation: settings.gradient_accumulation_steps,
          even: false,
          shuffle: false,
          seed: settings.seed,
          padTokenId: 0,
        });
        const method = open();
        const start = new Map(
          await Promise.all([...method.trainable].map(async ([n, t]) => [n, (await readFloats(t)).slice()] as const)),
        );
        const optimizer = createOptimizer(method.trainable, settings);
        const state = freshState();
        const setup = { model, method, objective: sft, optimizer, batches, settings, totalSteps: 10 };
        for (const step of expected.steps!) {
          const { stats, learningRate } = recordStep(setup, state);
          const { loss, gradNorm } = await stats;
          expect(Math.abs(learningRate - step.learning_rate)).toBeLessThan(1e-12);
          expect(relativeError([loss], [step.loss]), `loss of step ${state.step}`).toBeLessThan(1e-3);
          expect(relativeError([gradNorm], [step.grad_norm]), `norm of step ${state.step}`).toBeLessThan(1e-3);
        }
        for (const [tensor, t] of method.trainable) {
          const moved = (await readFloats(t)).map((v, i) => v - start.get(tensor)![i]!);
          expect(relativeError(moved, tensors.floats(`moved.${tensor}`)), tensor).toBeLessThan(2e-3);
        }
        optimizer.dispose();
        method.dispose();
      });
    }
  });
}
