/**
 * Compares virtual tokens with PEFT on transformers (tests/oracle/make_prompt_fixtures.py); one body for both backends.
 * Tolerances are those of tests/oracle/README.md.
 */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBatchSource } from '../../src/data/batches';
import type { Batch } from '../../src/data/types';
import { generate, textLogits } from '../../src/engine/generation/generate';
import { causalVisible, fullVisible } from '../../src/engine/kernels/attention/visible';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { valueAndGradients } from '../../src/engine/kernels/tape';
import { inference } from '../../src/engine/methods/method';
import { createPrefixTuning, prefixFromText } from '../../src/engine/methods/prefix-tuning';
import { createPromptTuning, PROMPT_EMBEDDINGS } from '../../src/engine/methods/prompt-tuning';
import { projectLogits, requireHead } from '../../src/engine/models/heads';
import type { LanguageModel, TextInput } from '../../src/engine/models/model';
import { sft } from '../../src/engine/objectives/sft';
import { createOptimizer } from '../../src/engine/optim/optimizer';
import { checkpointBlocks, forwardOnly } from '../../src/engine/run/checkpointing';
import { freshState, recordStep } from '../../src/engine/run/loop';
import type { Hooks } from '../../src/engine/types';
import { readFloats } from '../../src/engine/webgpu/backend';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { TrainingSection } from '../../src/recipe/types';
import { fixtureJson, relativeError } from '../fixture-files';
import { lossOf } from './loss';
import { type BatchJson, openVirtualCase, type VirtualCase } from './virtual-case';

const DECODERS = [
  'llama-prompt',
  'llama-p-tuning',
  'llama-prefix',
  'llama-prefix-projection',
  'gpt2-prompt',
  'gpt2-prefix',
  'gpt_neox-prefix',
  'mistral-prompt',
  'mistral-prefix',
  'gemma2-prompt',
  'gemma2-prefix',
];
const ENCODERS = ['bert-prompt', 'roberta-prompt', 'distilbert-prompt'];
const CLASSIFIERS = ['bert-classification', 'roberta-classification'];

/** Kept through the backward pass, in which checkpointed blocks read them again; see `freeInts`. */
const kept: tf.Tensor[] = [];
const ints = (values: ArrayLike<number>, shape: number[]): tf.Tensor => {
  const tensor = tf.keep(tf.tensor(Int32Array.from(values), shape, 'int32'));
  kept.push(tensor);
  return tensor;
};
const freeInts = () => tf.dispose(kept.splice(0));

/** Hidden states [B·T, d] of all rows at once. */
function hiddenOf(
  model: LanguageModel,
  { input_ids, lengths, token_type_ids }: BatchJson,
  hooks: Hooks,
  states: TextInput['states'] = 'text',
): tf.Tensor {
  const [batch, length] = [input_ids.length, input_ids[0]!.length];
  const tokens = batch * length;
  const visible = model.kind === 'encoder' ? fullVisible(lengths, length) : causalVisible(lengths, length);
  return model.hidden(
    {
      kind: 'text',
      ids: ints(input_ids.flat(), [tokens]),
      positions: ints(
        Array.from({ length: tokens }, (_, i) => i % length),
        [tokens],
      ),
      types: token_type_ids ? ints(token_type_ids.flat(), [tokens]) : null,
      visible: ints(visible, [tokens, 2]),
      batch,
      length,
      states,
    },
    hooks,
  );
}

const batchOf = ({ input_ids, labels, lengths }: BatchJson, targetCount: number): Batch => ({
  kind: 'next_token',
  batchSize: input_ids.length,
  length: input_ids[0]!.length,
  ids: Int32Array.from(input_ids.flat()),
  labels: Int32Array.from(labels.flat()),
  starts: null,
  lengths: Int32Array.from(lengths),
  targetCount,
});

/** Compares real positions only: the fixture has zeros for padding. */
async function expectRows(output: tf.Tensor, reference: Float32Array, { input_ids, lengths }: BatchJson) {
  const length = input_ids[0]!.length;
  const width = output.shape[1]!;
  const values = await readFloats(output);
  for (const [row, real] of lengths.entries()) {
    const [start, end] = [row * length * width, (row * length + real) * width];
    expect(relativeError(values.slice(start, end), reference.slice(start, end)), `row ${row}`).toBeLessThan(1e-4);
  }
}

/** Takes ten steps as the Trainer does. */
async function tenSteps({ base, model, expected, tensors, method: open }: VirtualCase): Promise<void> {
  const data = await fixtureJson<{ examples: { ids: number[]; labels: number[] }[] }>(`${base}/train_data.json`);
  const settings: TrainingSection = { ...resolveRecipe({ version: 1 }).training, ...expected.training };
  const examples = data.examples.map(({ ids, labels }, row) => ({
    kind: 'next_token' as const,
    row,
    ids: Int32Array.from(ids),
    labels: Int32Array.from([-100, ...labels.slice(1)]),
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
  const method = await open();
  const start = new Map(
    await Promise.all([...method.trainable].map(async ([name, t]) => [name, await readFloats(t)] as const)),
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
  for (const [name, tensor] of method.trainable) {
    const moved = (await readFloats(tensor)).map((v, i) => v - start.get(name)![i]!);
    expect(relativeError(moved, tensors.floats(`moved.${name}`)), name).toBeLessThan(2e-3);
  }
  const saved = method.saved!();
  expect([...saved.keys()]).toEqual([PROMPT_EMBEDDINGS]);
  const made = await readFloats(saved.get(PROMPT_EMBEDDINGS)!);
  expect(relativeError(made, tensors.floats(`final.${PROMPT_EMBEDDINGS}`))).toBeLessThan(1e-4);
  tf.dispose([...saved.values()]);
  optimizer.dispose();
  method.dispose();
}

/** `setUp` prepares the backend for all of these tests; `only` limits them to some cases, because all would take long. */
export function promptParity(backend: string, setUp: () => Promise<void>, only?: string[]): void {
  const chosen = (cases: string[]) => cases.filter((name) => !only || only.includes(name));
  describe.each(chosen(DECODERS))(`${backend}: %s`, (name) => {
    let c: VirtualCase;
    beforeAll(async () => {
      await setUp();
      c = await openVirtualCase(name);
    });
    afterAll(() => {
      c.model.dispose();
      disposeInputs();
    });

    test('logits of a padded batch match, from the network and as saved', async () => {
      const before = tf.memory().numTensors;
      for (const as of ['network', 'saved'] as const) {
        const method = await c.method(as);
        const hooks = method.hooks(inference());
        const logits = tf.tidy(() =>
          projectLogits(requireHead(c.model, 'lm'), hiddenOf(c.model, c.json, forwardOnly(hooks)), hooks),
        );
        await expectRows(logits, c.tensors.floats('output'), c.json);
        logits.dispose();
        method.dispose();
      }
      freeInts();
      expect(tf.memory().numTensors).toBe(before);
    });

    test('strength 0 gives the base', async () => {
      const method = await c.method();
      const ids = Int32Array.from(c.expected.greedy.prompt);
      const base = await textLogits(c.model, {}, ids);
      expect(await textLogits(c.model, method.hooks(inference(0)), ids)).toEqual(base);
      expect(await textLogits(c.model, method.hooks(inference()), ids)).not.toEqual(base);
      method.dispose();
    });

    test('loss and gradients match, with the same bits when every block is computed twice', async () => {
      const method = await c.method();
      const names = [...method.trainable.keys()];
      const batch = batchOf(c.json, c.expected.target_tokens);
      const hooks = method.hooks({ ...inference(), training: true });
      const run = (own: Hooks) =>
        valueAndGradients(
          () => lossOf(sft, c.model, own, batch, { scale: 1 / c.expected.target_tokens, withGradient: true }),
          [...method.trainable.values()],
        );
      const { value, grads } = run(hooks);
      expect(relativeError(await readFloats(value), [c.expected.loss])).toBeLessThan(1e-4);
      const block = checkpointBlocks(c.model, method.trainable);
      const before = tf.memory().numTensors;
      const again = run({ ...hooks, block });
      expect(tf.memory().numTensors - before).toBe(1 + grads.length);
      for (const [i, grad] of grads.entries()) {
        const values = await readFloats(grad);
        expect(relativeError(values, c.tensors.floats(`grad.${names[i]}`)), names[i]).toBeLessThan(1e-3);
        expect(await readFloats(again.grads[i]!), names[i]).toEqual(values);
      }
      tf.dispose([value, ...grads, again.value, ...again.grads]);
      method.dispose();
    });

    test('16 greedy tokens match with a key/value cache', async () => {
      const method = await c.method();
      const options = { temperature: 0, topP: 1, seed: 0, maxNewTokens: 16, stopTokenIds: [] };
      const { prompt, tokens } = c.expected.greedy;
      const answer = await generate(c.model, method.hooks(inference()), Int32Array.from(prompt), options);
      expect([...answer]).toEqual(tokens);
      method.dispose();
    });

    if (['llama-prompt', 'llama-p-tuning', 'llama-prefix', 'llama-prefix-projection'].includes(name)) {
      test('ten AdamW steps match the Trainer', () => tenSteps(c));
    }

    if (name === 'llama-prompt' || name === 'gemma2-prompt') {
      test('starts from a text as PEFT does', async () => {
        for (const [count, initIds] of Object.entries(c.expected.text!)) {
          const settings = { num_virtual_tokens: Number(count), prompt_tuning_init: 'TEXT' } as const;
          const method = createPromptTuning(c.model, settings, 0, undefined, { initIds });
          const values = await readFloats(method.trainable.get(PROMPT_EMBEDDINGS)!);
          expect(relativeError(values, c.tensors.floats(`text.${count}`))).toBeLessThan(1e-6);
          method.dispose();
        }
      });
    }

    if (name.endsWith('prefix')) {
      test('starts from a text’s keys and values, which have the same effect as the text', async () => {
        const before = tf.memory().numTensors;
        const ids = c.expected.cached!;
        const initial = prefixFromText(c.model, ids, ids.length);
        expect(relativeError(await readFloats(initial), c.tensors.floats('cached'))).toBeLessThan(1e-4);
        const settings = { num_virtual_tokens: ids.length, prefix_projection: false, encoder_hidden_size: null };
        const method = createPrefixTuning(c.model, settings, 0, undefined, { initial });
        initial.dispose();
        const rest = c.expected.greedy.prompt;
        const after = await textLogits(c.model, method.hooks(inference()), Int32Array.from(rest));
        const whole = await textLogits(c.model, {}, Int32Array.from([...ids, ...rest]));
        expect(relativeError(after, whole.slice(-after.length))).toBeLessThan(1e-4);
        method.dispose();
        disposeInputs();
        expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
      });
    }
  });

  describe.each(chosen([...ENCODERS, ...CLASSIFIERS]))(`${backend}: %s`, (name) => {
    let c: VirtualCase;
    beforeAll(async () => {
      await setUp();
      c = await openVirtualCase(name);
    });
    afterAll(() => c.model.dispose());

    /** The head of transformers' class on the very first position, in plain tfjs. */
    const scores = (hidden: tf.Tensor): tf.Tensor => {
      const length = c.json.input_ids[0]!.length;
      const first = tf.gather(
        hidden,
        tf.tensor1d(
          c.json.lengths.map((_, row) => row * length),
          'int32',
        ),
      );
      const given = (tensor: string) => tf.tensor(c.tensors.floats(tensor), c.tensors.shape(tensor));
      const layer = (x: tf.Tensor, path: string) =>
        tf.add(tf.matMul(x as tf.Tensor2D, given(`${path}.weight`) as tf.Tensor2D, false, true), given(`${path}.bias`));
      return name.startsWith('bert')
        ? layer(tf.tanh(layer(first, 'bert.pooler.dense')), 'classifier')
        : layer(tf.tanh(layer(first, 'classifier.dense')), 'classifier.out_proj');
    };
    /** Computed in JavaScript, because a GPU's own sine is coarse. */
    const sines = (shape: number[]) =>
      tf.tensor(
        Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(i)),
        shape,
      );

    test('outputs and gradients of a padded batch match', async () => {
      const whole = CLASSIFIERS.includes(name);
      const method = await c.method();
      const hooks = method.hooks(inference());
      const { token_type_ids, ...untyped } = c.json;
      // PEFT's feature extraction drops token types; its classification gives virtual tokens type 0.
      const json: BatchJson = whole && token_type_ids ? c.json : untyped;
      const outputOf = () =>
        (whole ? scores : (x: tf.Tensor) => x)(hiddenOf(c.model, json, hooks, whole ? 'from_first' : 'text'));
      const output = tf.tidy(outputOf);
      const reference = c.tensors.floats('output');
      if (whole) expect(relativeError(await readFloats(output), reference)).toBeLessThan(1e-4);
      else await expectRows(output, reference, json);

      const length = json.input_ids[0]!.length;
      const mask = json.lengths.flatMap((real) => Array.from({ length }, (_, t) => (t < real ? 1 : 0)));
      const { value, grads } = valueAndGradients(() => {
        const out = outputOf();
        const seen = whole ? out : tf.mul(out, tf.tensor2d(mask, [mask.length, 1]));
        return tf.sum(tf.mul(seen, sines(out.shape)));
      }, [...method.trainable.values()]);
      expect(Math.abs((await readFloats(value))[0]! - c.expected.loss)).toBeLessThan(1e-3);
      const grad = await readFloats(grads[0]!);
      expect(relativeError(grad, c.tensors.floats(`grad.${PROMPT_EMBEDDINGS}`))).toBeLessThan(1e-3);
      tf.dispose([output, value, ...grads]);
      method.dispose();
      freeInts();
    });
  });
}
