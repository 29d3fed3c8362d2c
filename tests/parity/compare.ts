/** Comparing several adapters on one model: one body for both backends. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generate } from '../../src/engine/generation/generate';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { createFull } from '../../src/engine/methods/full';
import { layerChanges } from '../../src/engine/methods/layer-changes';
import { createLora, type LoraSettings } from '../../src/engine/methods/lora';
import { inference, type Method } from '../../src/engine/methods/method';
import { readTensor } from '../../src/engine/methods/opened-tensors';
import type { NamedTensors } from '../../src/engine/methods/tensors';
import type { LanguageModel } from '../../src/engine/models/model';
import { tokenLosses } from '../../src/engine/run/token-losses';
import { defaultSection, objectiveOf, textObjective } from '../../src/objectives';
import type { AnswerJob } from '../../src/workers/engine/api';
import { answerTogether, measureExamples } from '../../src/workers/engine/compare';
import type { Held } from '../../src/workers/engine/held';
import { fixtureJson } from '../fixture-files';
import { randomValues } from '../kernel-helpers';
import { numTensors, tinyExamples, tinyModel, withRun } from './tiny-run';

const SETTINGS: LoraSettings = {
  r: 4,
  lora_alpha: 8,
  lora_dropout: 0,
  target_modules: ['q_proj', 'down_proj'],
  use_rslora: false,
};

/** Numbers for both factors of every target, none of them zero. */
function loraValues(model: LanguageModel, seed: number): NamedTensors {
  const targets = model.linears.filter(({ path }) => /(q_proj|down_proj)$/.test(path));
  return new Map(
    targets.flatMap(({ path, weight }, i) => {
      const [out, width] = weight.shape as [number, number];
      const of = (shape: number[], n: number) => ({
        shape,
        data: randomValues(shape, seed + n).data as Float32Array,
      });
      return [
        [`${path}.lora_A.weight`, of([SETTINGS.r, width], 2 * i)],
        [`${path}.lora_B.weight`, of([out, SETTINGS.r], 2 * i + 1)],
      ] as const;
    }),
  );
}

/** ‖(alpha / r) · B·A‖, in double precision. */
function productNorm(values: NamedTensors, path: string): number {
  const a = values.get(`${path}.lora_A.weight`)!;
  const b = values.get(`${path}.lora_B.weight`)!;
  const [rank, width] = a.shape as [number, number];
  let sum = 0;
  for (let row = 0; row < b.shape[0]!; row++) {
    for (let column = 0; column < width; column++) {
      let entry = 0;
      for (let k = 0; k < rank; k++) entry += b.data[row * rank + k]! * a.data[k * width + column]!;
      sum += ((SETTINGS.lora_alpha / SETTINGS.r) * entry) ** 2;
    }
  }
  return Math.sqrt(sum);
}

const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** `setUp` prepares the backend for all of these tests. */
export function compareParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: comparing`, () => {
    let model: LanguageModel;
    let prompt: Int32Array;
    let values: NamedTensors[];
    let methods: Method[];
    /** The base and two adapters. */
    let columns: Held[];

    beforeAll(async () => {
      await setUp();
      model = await tinyModel('gqa-tied');
      const expected = await fixtureJson<{ greedy: { prompt: number[] } }>('llama/gqa-tied/expected.json');
      prompt = Int32Array.from(expected.greedy.prompt);
      values = [loraValues(model, 1), loraValues(model, 100)];
      methods = values.map((of) => createLora(model, SETTINGS, 0, of));
      columns = [null, ...methods].map((method) => ({ model, method, dispose: () => {} }));
    });
    afterAll(() => {
      for (const method of methods) method.dispose();
      model.dispose();
      disposeInputs();
    });

    const job = (change: Partial<AnswerJob> = {}): AnswerJob => ({
      ...{ on: null, strength: 1, prompt, maxNewTokens: 12, temperature: 0, topP: 1, seed: 5, stopTokenIds: [] },
      ...change,
    });
    const alone = async ({ method }: Held, of: AnswerJob) => {
      const { strength, ...options } = of;
      return [...(await generate(model, method?.hooks(inference(strength)) ?? {}, of.prompt, options))];
    };

    test.each([
      { name: 'greedily', change: {} },
      { name: 'sampled, at another strength', change: { temperature: 1.2, strength: 0.7 } },
    ])('columns answer together as each does alone, a token of each in turn: $name', async ({ change }) => {
      const of = job(change);
      const expected = [];
      for (const held of columns) expected.push(await alone(held, of));
      expect(new Set(expected.map(String)).size).toBe(3);
      const order: number[] = [];
      const answers = await answerTogether(
        columns.map((held) => ({ held, job: of })),
        (column) => order.push(column),
      );
      expect(answers.map((answer) => [...(answer as Int32Array)])).toEqual(expected);
      // None is ahead of another by more than a token and the one that is being read.
      const counts = [0, 0, 0];
      for (const column of order) {
        counts[column]!++;
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
      }
    });

    test('prompts of different lengths do not disturb each other', async () => {
      const short = job({ prompt: prompt.slice(0, 2) });
      const expected = [await alone(columns[0]!, job()), await alone(columns[1]!, short)];
      const answers = await answerTogether(
        [
          { held: columns[0]!, job: job() },
          { held: columns[1]!, job: short },
        ],
        () => {},
      );
      expect(answers.map((answer) => [...(answer as Int32Array)])).toEqual(expected);
    });

    test('an abort ends all of them, with the tokens so far', async () => {
      const controller = new AbortController();
      let count = 0;
      const before = numTensors();
      const answers = await answerTogether(
        columns.map((held) => ({ held, job: job({ maxNewTokens: 100 }) })),
        () => {
          if (++count === 6) controller.abort();
        },
        controller.signal,
      );
      for (const answer of answers) expect((answer as Int32Array).length).toBeLessThanOrEqual(4);
      expect(numTensors()).toBe(before);
    });

    test('a prompt that is too long for one column is its error alone', async () => {
      const long = new Int32Array(model.contextLength).fill(1);
      const [short, refused] = await answerTogether(
        [
          { held: columns[0]!, job: job() },
          { held: columns[1]!, job: job({ prompt: long }) },
        ],
        () => {},
      );
      expect([...(short as Int32Array)]).toEqual(await alone(columns[0]!, job()));
      expect(refused).toMatchObject({ code: 'bad_data', action: 'Shorten the prompt.' });
    });

    test('the change of each module is that of its factors, over the norm of its weight', async () => {
      const before = numTensors();
      const changes = (await layerChanges(model, methods[0]!))!;
      expect(numTensors()).toBe(before);
      const targets = model.linears.filter(({ path }) => /(q_proj|down_proj)$/.test(path));
      expect(changes.map(({ name }) => name)).toEqual(targets.map(({ path }) => `${path}.weight`));
      for (const { name, layer, change, weight } of changes) {
        const path = name.replace(/\.weight$/, '');
        const base = await readTensor(model.tensors.find((tensor) => tensor.name === name)!);
        expect(change / productNorm(values[0]!, path)).toBeCloseTo(1, 4);
        expect(weight / norm(base)).toBeCloseTo(1, 4);
        expect(layer).toBe(Number(/layers\.(\d+)\./.exec(name)![1]));
      }
    });

    test('a model that is trained itself reports every tensor that moved, embeddings too', async () => {
      const first = model.tensors[0]!;
      const moved = (await readTensor(first)).map((value) => value + 0.5);
      const shape = first.value.kind === 'matrix' ? first.value.weight.shape : first.value.tensor.shape;
      const full = createFull(model, new Map([[first.name, { shape, data: moved }]]));
      const changes = (await layerChanges(model, full))!;
      full.dispose();
      expect(changes.length).toBe(model.tensors.length);
      const own = changes.find(({ name }) => name === first.name)!;
      // 0.5 on each of its entries.
      expect(own.change / (0.5 * Math.sqrt(moved.length))).toBeCloseTo(1, 4);
      for (const other of changes) if (other !== own) expect(other.change).toBe(0);
    });

    test('the loss over the examples is the one that the training loop reports, and the mean of theirs', async () => {
      const objective = defaultSection(objectiveOf({ type: textObjective('decoder').type }));
      await withRun({ totalSteps: 2, validation: 5, continues: true }, async (run) => {
        await run.start();
        const examples = (await tinyExamples('gqa-tied')).slice(-5);
        const measured = await measureExamples(
          { model: run.model, method: run.method, dispose: () => {} },
          { examples, objective, task: null, maskTokenId: null, padTokenId: 0, batchSize: 2 },
          () => {},
        );
        expect(measured.loss).toBeCloseTo(run.told.evaluations.at(-1)!.loss, 5);
        expect(measured.perplexity).toBeCloseTo(Math.exp(measured.loss), 5);
        const targets = examples.map((one) =>
          one.kind === 'next_token' ? one.labels.slice(1).filter((id) => id >= 0).length : 0,
        );
        const sum = targets.reduce((total, count, i) => total + count * measured.losses[i]!, 0);
        expect(sum / targets.reduce((a, b) => a + b)).toBeCloseTo(measured.loss, 5);
      });
    });

    test('the losses of an example’s tokens come to the loss that evaluation gives it', async () => {
      const objective = defaultSection(objectiveOf({ type: textObjective('decoder').type }));
      const examples = (await tinyExamples('gqa-tied')).slice(0, 3);
      for (const held of [columns[0]!, columns[1]!]) {
        const measured = await measureExamples(
          held,
          { examples, objective, task: null, maskTokenId: null, padTokenId: 0, batchSize: 2 },
          () => {},
        );
        // Inputs of a shape are kept for the next one.
        await tokenLosses(model, held.method, Int32Array.of(1, 2, 3));
        const before = numTensors();
        for (const [i, example] of examples.entries()) {
          if (example.kind !== 'next_token') throw new Error('A decoder learns the next token.');
          const losses = await tokenLosses(model, held.method, example.ids);
          expect(losses.length).toBe(example.ids.length);
          expect(losses[0]).toBeNaN();
          const learned = [...losses].filter((_, t) => t > 0 && example.labels[t] !== -100);
          const mean = learned.reduce((sum, loss) => sum + loss, 0) / learned.length;
          expect(mean).toBeCloseTo(measured.losses[i]!, 4);
        }
        expect(numTensors()).toBe(before);
      }
    });

    test('the losses of tokens are those that transformers gives them', async () => {
      const batch = await fixtureJson<{ input_ids: number[][]; labels: number[][]; attention_mask: number[][] }>(
        'llama/gqa-tied/batch.json',
      );
      const expected = await fixtureJson<{ target_tokens: number; loss: { base: number } }>(
        'llama/gqa-tied/expected.json',
      );
      let sum = 0;
      let count = 0;
      for (const [r, ids] of batch.input_ids.entries()) {
        const length = batch.attention_mask[r]!.reduce((a, b) => a + b, 0);
        const losses = await tokenLosses(model, null, Int32Array.from(ids.slice(0, length)));
        for (let t = 1; t < length; t++) {
          if (batch.labels[r]![t] === -100) continue;
          sum += losses[t]!;
          count++;
        }
      }
      expect(count).toBe(expected.target_tokens);
      expect(Math.abs(sum / count - expected.loss.base) / expected.loss.base).toBeLessThan(1e-4);
    });

    test('a measurement that is cancelled says so', async () => {
      const objective = defaultSection(objectiveOf({ type: textObjective('decoder').type }));
      const controller = new AbortController();
      const examples = await tinyExamples('gqa-tied');
      let told = 0;
      const measuring = measureExamples(
        columns[0]!,
        { examples, objective, task: null, maskTokenId: null, padTokenId: 0, batchSize: 2 },
        () => {
          if (++told === 2) controller.abort();
        },
        controller.signal,
      );
      await expect(measuring).rejects.toMatchObject({ code: 'cancelled' });
      expect(told).toBeLessThan(examples.length);
    });
  });
}
