/**
 * Batched generation on the tiny models of the fixtures, one body for both backends. The measure is the same text computed whole,
 * without a cache: every token must be the one drawn from those logits, whatever it was batched with.
 */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Stream, uniform } from '../../src/base/random';
import { generate, textLogits } from '../../src/engine/generation/generate';
import { generateBatch } from '../../src/engine/generation/generate-batch';
import type { BatchAnswer, BatchGenerateOptions } from '../../src/engine/generation/options';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { drawToken } from '../../src/engine/kernels/sampling/sample-tokens';
import { inference, type Method } from '../../src/engine/methods/method';
import { loadModel } from '../../src/engine/models';
import type { LanguageModel } from '../../src/engine/models/model';
import { targetLogProbs } from '../../src/engine/objectives/tokens';
import { unrecordedView } from '../../src/engine/run/pass';
import type { Hooks } from '../../src/engine/types';
import { gpuBytes, readFloats } from '../../src/engine/webgpu/backend';
import { fixtureJson, fixtureTensors } from '../fixture-files';
import { openAdapter } from './adapter';
import { numTensors, tinyModel } from './tiny-run';
import { openVirtualCase } from './virtual-case';

const GREEDY: BatchGenerateOptions = {
  temperature: 0,
  topP: 1,
  topK: 0,
  maxNewTokens: 10,
  stopTokenIds: [],
  seed: 7,
  draw: 3,
};
const SAMPLED = { ...GREEDY, temperature: 0.9 };

/** Prompts of different lengths, the first of them `first`. */
const promptsFrom = (first: number[], vocab: number): Int32Array[] =>
  [first, [3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [5, 4], first.slice(0, 3)].map((ids) =>
    Int32Array.from(ids, (id) => id % vocab),
  );

/** The answer by full passes over the whole text, one token after another. */
async function answerByText(
  model: LanguageModel,
  hooks: Hooks,
  prompt: Int32Array,
  answer: number,
  options: BatchGenerateOptions,
): Promise<number[]> {
  const ids: number[] = [...prompt];
  for (let i = 0; i < options.maxNewTokens; i++) {
    const logits = await textLogits(model, hooks, Int32Array.from(ids));
    const number = uniform(options.seed, Stream.rollout, ids.length + answer * 2 ** 32, options.draw);
    const last = logits.slice(-model.vocabSize);
    for (const id of new Set(ids.slice(prompt.length))) last[id]! -= options.presencePenalty ?? 0;
    const [id] = drawToken(last, number, options);
    ids.push(id);
    if (options.stopTokenIds.includes(id)) break;
  }
  return ids.slice(prompt.length);
}

/** What a full pass over prompt and answer gives for the answer's tokens. */
async function logProbsByText(
  model: LanguageModel,
  hooks: Hooks,
  prompt: Int32Array,
  { ids }: BatchAnswer,
  temperature: number,
): Promise<Float32Array> {
  const view = unrecordedView(model, hooks, 'whole');
  const all = Int32Array.from([...prompt, ...ids]);
  const values = tf.tidy(() => {
    const rows = { batchSize: 1, length: all.length, ids: all, lengths: Int32Array.of(all.length) };
    const at = ids.map((_, i) => prompt.length + i - 1);
    return targetLogProbs(view, view.hidden(rows), { rows: at, targets: ids }, temperature);
  });
  const read = await readFloats(values);
  values.dispose();
  return read;
}

const tokensOf = (answers: BatchAnswer[]) => answers.map(({ ids }) => [...ids]);
const near = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(actual.length).toBe(expected.length);
  Array.from(actual).forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `log-probability ${i}`).toBeLessThan(1e-4);
  });
};

async function openFamily(name: string): Promise<{ model: LanguageModel; method: Method; greedy: Greedy }> {
  const folder = `families/${name}`;
  const config = await fixtureJson<Record<string, unknown>>(`${folder}/config.json`);
  const model = await loadModel(config, (await fixtureTensors(`${folder}/model.safetensors`)).source);
  const { greedy } = await fixtureJson<{ greedy: Greedy }>(`${folder}/expected.json`);
  return { model, method: await openAdapter(`${folder}/adapter`, model), greedy };
}
interface Greedy {
  prompt: number[];
  adapter: number[];
}

/** tests/oracle/make_generation_fixtures.py */
interface LeftPadded {
  prompts: number[][];
  families: Record<
    string,
    { tokens: number[][]; log_probs: number[][]; eos: number; ended: number[][]; ended_log_probs: number[][] }
  >;
}

/** A model of every family, with its LoRA. `setUp` prepares the backend. */
export function batchedFamilies(backend: string, families: readonly string[], setUp: () => Promise<void>): void {
  describe.each(families)(`${backend}: batched answers of %s`, (name) => {
    let model: LanguageModel;
    let method: Method;
    let greedy: Greedy;
    beforeAll(async () => {
      await setUp();
      ({ model, method, greedy } = await openFamily(name));
    });
    afterAll(() => {
      method.dispose();
      model.dispose();
      disposeInputs();
    });

    test('greedy: what transformers decodes, and each as alone', async () => {
      const prompts = promptsFrom(greedy.prompt, model.vocabSize);
      const hooks = method.hooks(inference());
      const answers = tokensOf(await generateBatch(model, hooks, prompts, GREEDY));
      expect(answers[0]).toEqual(greedy.adapter.slice(0, 10));
      for (const [i, prompt] of prompts.entries()) {
        const alone = await generate(model, hooks, prompt, { ...GREEDY, stopTokenIds: [] });
        expect(answers[i], `prompt ${i}`).toEqual([...alone]);
      }
    });

    // The fixture has no answers of this one.
    if (name !== 'phi3-longrope') {
      test('greedy: as generate() of transformers with left padding', async () => {
        const { prompts: given, families: all } = await fixtureJson<LeftPadded>('generation/left-padded.json');
        const wanted = all[name]!;
        const prompts = given.map((ids) => Int32Array.from(ids));
        const hooks = method.hooks(inference());
        const options = { ...GREEDY, maxNewTokens: 12 };
        const answers = await generateBatch(model, hooks, prompts, options);
        expect(tokensOf(answers)).toEqual(wanted.tokens);
        for (const [i, { logProbs }] of answers.entries()) near(logProbs, wanted.log_probs[i]!);
        const ended = await generateBatch(model, hooks, prompts, { ...options, stopTokenIds: [wanted.eos] });
        expect(tokensOf(ended)).toEqual(wanted.ended);
        for (const [i, { logProbs, finished }] of ended.entries()) {
          near(logProbs, wanted.ended_log_probs[i]!);
          expect(finished).toBe(wanted.ended[i]!.includes(wanted.eos));
        }
      });
    }

    test('sampled: each token is drawn from the whole text, with its log-probability', async () => {
      const prompts = promptsFrom(greedy.prompt, model.vocabSize);
      const hooks = method.hooks(inference());
      const answers = await generateBatch(model, hooks, prompts, SAMPLED);
      expect(new Set(answers.flatMap(({ ids }) => [...ids])).size).toBeGreaterThan(5);
      for (const [i, prompt] of prompts.entries()) {
        expect([...answers[i]!.ids], `prompt ${i}`).toEqual(await answerByText(model, hooks, prompt, i, SAMPLED));
        near(answers[i]!.logProbs, await logProbsByText(model, hooks, prompt, answers[i]!, 0.9));
      }
    });
  });
}

/** Prompts and prefixes of learned tokens before every text. */
export function batchedVirtual(backend: string, cases: readonly string[], setUp: () => Promise<void>): void {
  describe.each(cases)(`${backend}: batched answers after virtual tokens, %s`, (name) => {
    test('each token is drawn from the whole text, with its log-probability', async () => {
      await setUp();
      const { model, method: open, expected } = await openVirtualCase(name);
      const method = await open();
      const hooks = method.hooks(inference());
      const { prompt, tokens } = expected.greedy;
      const prompts = promptsFrom(prompt, model.vocabSize);
      const decoded = await generateBatch(model, hooks, prompts, GREEDY);
      expect([...decoded[0]!.ids]).toEqual(tokens.slice(0, 10));
      const answers = await generateBatch(model, hooks, prompts, SAMPLED);
      for (const [i, text] of prompts.entries()) {
        expect([...answers[i]!.ids], `prompt ${i}`).toEqual(await answerByText(model, hooks, text, i, SAMPLED));
        near(answers[i]!.logProbs, await logProbsByText(model, hooks, text, answers[i]!, 0.9));
      }
      method.dispose();
      model.dispose();
      disposeInputs();
    });
  });
}

/** Rows, ends, chunks and limits, with a tiny Llama. */
export function batchedRows(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: rows of a batch`, () => {
    let model: LanguageModel;
    let prompts: Int32Array[];
    let sampled: BatchAnswer[];
    const options = { ...SAMPLED, maxNewTokens: 14 };
    const answer = (given: Int32Array[], change: Partial<BatchGenerateOptions> = {}) =>
      generateBatch(model, {}, given, { ...options, ...change });
    beforeAll(async () => {
      await setUp();
      model = await tinyModel('gqa-tied');
      prompts = promptsFrom([9, 8, 7, 6, 5, 4, 3, 2], model.vocabSize);
      sampled = await answer(prompts);
    });
    afterAll(() => {
      model.dispose();
      disposeInputs();
    });

    test('neither chunks nor company change an answer', async () => {
      for (const rowsAtOnce of [1, 2, 3]) expect(await answer(prompts, { rowsAtOnce })).toEqual(sampled);
      for (const [i, prompt] of prompts.entries()) {
        const [alone] = await answer([prompt], { firstAnswer: i });
        expect(alone!.ids).toEqual(sampled[i]!.ids);
        near(alone!.logProbs, sampled[i]!.logProbs);
      }
      const turned = await answer([...prompts.slice(2), ...prompts.slice(0, 2)]);
      // Other numbers, other draws.
      expect(tokensOf(turned)).not.toEqual(tokensOf([...sampled.slice(2), ...sampled.slice(0, 2)]));
    });

    test('the same prompt several times gives several answers, equal only when greedy', async () => {
      const same = [prompts[0]!, prompts[1]!, prompts[0]!, prompts[0]!];
      const answers = await answer(same);
      expect(new Set([0, 2, 3].map((i) => answers[i]!.ids.join())).size).toBe(3);
      for (const [i, prompt] of same.entries()) {
        expect([...answers[i]!.ids]).toEqual(await answerByText(model, {}, prompt, i, options));
      }
      const greedy = tokensOf(await answer(same, { temperature: 0 }));
      expect(greedy[2]).toEqual(greedy[0]);
      expect(greedy[3]).toEqual(greedy[0]);
    });

    test('another seed or draw gives other answers, and the same ones the same', async () => {
      expect(await answer(prompts)).toEqual(sampled);
      expect(tokensOf(await answer(prompts, { seed: 8 }))).not.toEqual(tokensOf(sampled));
      expect(tokensOf(await answer(prompts, { draw: 4 }))).not.toEqual(tokensOf(sampled));
    });

    test('rows end at their stop tokens, which are kept, and leave the others alone', async () => {
      // The first token of one row, the third of another, and one in the middle of a third.
      const stopTokenIds = [sampled[1]!.ids[0]!, sampled[3]!.ids[2]!, sampled[4]!.ids[6]!];
      const answers = await answer(prompts, { stopTokenIds });
      const ended = new Set<number>();
      for (const [i, { ids, finished, logProbs }] of answers.entries()) {
        const all = sampled[i]!.ids;
        const stop = all.findIndex((id) => stopTokenIds.includes(id));
        const length = stop < 0 ? all.length : stop + 1;
        expect([...ids], `row ${i}`).toEqual([...all.slice(0, length)]);
        expect(finished).toBe(stop >= 0);
        near(logProbs, sampled[i]!.logProbs.slice(0, length));
        ended.add(length);
      }
      expect(ended.size).toBeGreaterThan(2);
      expect(answers[1]!.ids.length).toBe(1);
      // With one token each, nothing is left to decode.
      const one = await answer(prompts, { maxNewTokens: 1 });
      expect(tokensOf(one)).toEqual(sampled.map(({ ids }) => [ids[0]]));
      expect(tokensOf(await answer(prompts, { maxNewTokens: 0 }))).toEqual(prompts.map(() => []));
      expect(await answer([])).toEqual([]);
    });

    test('every row ends at the end of its own context', async () => {
      const long = Int32Array.from({ length: model.contextLength - 3 }, (_, i) => 1 + (i % 50));
      const [short, full] = await answer([prompts[0]!, long], { maxNewTokens: 6 });
      expect(short!.ids.length).toBe(6);
      expect(full!.ids.length).toBe(3);
      expect([...full!.ids]).toEqual(await answerByText(model, {}, long, 1, { ...options, maxNewTokens: 3 }));
      await expect(answer([prompts[0]!, new Int32Array(0)])).rejects.toThrow('Prompt 2 of 2 is empty.');
      const over = new Int32Array(model.contextLength).fill(1);
      await expect(answer([over, prompts[0]!])).rejects.toMatchObject({
        code: 'bad_data',
        action: 'Shorten the prompt.',
      });
      await expect(answer([over, prompts[0]!])).rejects.toThrow('Prompt 1 of 2 has');
    });

    test('top-k and top-p are those of the draw, and leave the log-probabilities alone', async () => {
      for (const limits of [{ topK: 3 }, { topP: 0.6 }, { topK: 5, topP: 0.7 }]) {
        const answers = await answer(prompts, limits);
        for (const [i, prompt] of prompts.entries()) {
          expect([...answers[i]!.ids]).toEqual(await answerByText(model, {}, prompt, i, { ...options, ...limits }));
          near(answers[i]!.logProbs, await logProbsByText(model, {}, prompt, answers[i]!, 0.9));
        }
      }
      expect(tokensOf(await answer(prompts, { topK: 1 }))).toEqual(tokensOf(await answer(prompts, { temperature: 0 })));
    });

    test('a presence penalty is taken off what an answer has already', async () => {
      for (const temperature of [0, 0.9]) {
        const change = { temperature, presencePenalty: 1.5 };
        const answers = await answer(prompts, change);
        expect(tokensOf(answers)).not.toEqual(tokensOf(await answer(prompts, { temperature })));
        for (const [i, prompt] of prompts.entries()) {
          expect([...answers[i]!.ids]).toEqual(await answerByText(model, {}, prompt, i, { ...options, ...change }));
        }
      }
    });

    test('whoever watches sees every token, and may end a row', async () => {
      const seen: number[][] = prompts.map(() => []);
      const watch = {
        onToken: (prompt: number, id: number) => void seen[prompt]!.push(id),
        over: (prompt: number) => seen[prompt]!.length >= 2 + prompt,
      };
      const answers = await generateBatch(model, {}, prompts, { ...options, firstAnswer: 0 }, undefined, watch);
      expect(tokensOf(answers)).toEqual(sampled.map(({ ids }, i) => [...ids.slice(0, 2 + i)]));
      expect(seen).toEqual(tokensOf(answers));
      expect(answers.every(({ finished }) => !finished)).toBe(true);
    });

    test('once stopped it returns the tokens so far', async () => {
      let asked = 0;
      const answers = await generateBatch(model, {}, prompts, options, () => ++asked > 6);
      for (const [i, { ids, finished }] of answers.entries()) {
        expect(ids.length).toBeGreaterThan(0);
        expect(ids.length).toBeLessThan(14);
        expect([...ids]).toEqual([...sampled[i]!.ids.slice(0, ids.length)]);
        expect(finished).toBe(false);
      }
      expect(tokensOf(await generateBatch(model, {}, prompts, options, () => true))).toEqual(prompts.map(() => []));
    });

    test('repeated calls hold no more tensors and no more memory', async () => {
      const run = () => answer(prompts, { stopTokenIds: [sampled[1]!.ids[0]!] });
      const first = await run();
      const held = numTensors();
      const { allocated } = gpuBytes();
      for (let i = 0; i < 4; i++) expect(await run()).toEqual(first);
      expect(numTensors()).toBe(held);
      expect(gpuBytes().allocated).toBe(allocated);
    });

    test('logits that are no numbers are refused, and leave no cache behind', async () => {
      const broken = await tinyModel('gqa-tied', (name, values) => {
        if (name.endsWith('mlp.up_proj.weight')) values.fill(Number.NaN);
      });
      const held = numTensors();
      await expect(generateBatch(broken, {}, prompts, options)).rejects.toMatchObject({ code: 'not_finite' });
      disposeInputs();
      expect(numTensors()).toBeLessThanOrEqual(held);
      broken.dispose();
    });
  });
}
