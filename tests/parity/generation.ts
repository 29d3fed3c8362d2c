/** Generation with a tiny Llama from the fixtures: one body for both backends. llama.ts checks that its tokens are correct. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChatCache } from '../../src/engine/generation/chat-cache';
import { generate, textLogits } from '../../src/engine/generation/generate';
import type { GenerateOptions } from '../../src/engine/generation/options';
import { argmax } from '../../src/engine/generation/sampler';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { createLora } from '../../src/engine/methods/lora';
import { inference, type Method } from '../../src/engine/methods/method';
import type { LanguageModel } from '../../src/engine/models/model';
import { gpuBytes } from '../../src/engine/webgpu/backend';
import { fixtureJson } from '../fixture-files';
import { randomValues } from '../kernel-helpers';
import { numTensors, tinyModel } from './tiny-run';

const OPTIONS: GenerateOptions = { temperature: 0, topP: 1, seed: 0, maxNewTokens: 16, stopTokenIds: [] };

/** `setUp` prepares the backend for all of these tests. */
export function generationParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: generation`, () => {
    let model: LanguageModel;
    let method: Method;
    let prompt: Int32Array;
    /** What transformers decodes greedily from the prompt. */
    let greedy: number[];

    beforeAll(async () => {
      await setUp();
      model = await tinyModel('gqa-tied');
      const expected = await fixtureJson<{ greedy: { prompt: number[]; base: number[] } }>(
        'llama/gqa-tied/expected.json',
      );
      prompt = Int32Array.from(expected.greedy.prompt);
      greedy = expected.greedy.base;
      const settings = { r: 4, lora_alpha: 8, lora_dropout: 0.5, target_modules: ['q_proj', 'down_proj'] };
      // A strong adapter: B is not zero.
      const values = new Map(
        model.linears
          .filter(({ path }) => settings.target_modules.some((t) => path.endsWith(t)))
          .flatMap(({ path, weight }, i) => {
            const [out, width] = weight.shape as [number, number];
            const of = (shape: number[], seed: number) => ({
              shape,
              data: randomValues(shape, seed).data as Float32Array,
            });
            return [
              [`${path}.lora_A.weight`, of([4, width], 2 * i)],
              [`${path}.lora_B.weight`, of([out, 4], 2 * i + 1)],
            ] as const;
          }),
      );
      method = createLora(model, { ...settings, use_rslora: false }, 0, values);
    });
    afterAll(() => {
      method.dispose();
      model.dispose();
      disposeInputs();
    });

    const tokens = async (options: Partial<GenerateOptions> = {}, start = prompt, strength = 0) => [
      ...(await generate(model, method.hooks(inference(strength)), start, { ...OPTIONS, ...options })),
    ];

    test('ends before a stop token, whichever comes first', async () => {
      const stop = greedy[5]!;
      const first = greedy.indexOf(stop);
      expect(await tokens({ stopTokenIds: [stop] })).toEqual(greedy.slice(0, first));
      const other = greedy.find((id, i) => i > 0 && id !== greedy[0] && id !== stop)!;
      const earliest = Math.min(first, greedy.indexOf(other));
      expect(await tokens({ stopTokenIds: [stop, other] })).toEqual(greedy.slice(0, earliest));
      expect(await tokens({ stopTokenIds: [greedy[0]!] })).toEqual([]);
    });

    test('ends at maxNewTokens and reports each token as it comes', async () => {
      const reported: number[] = [];
      const answer = await generate(model, {}, prompt, { ...OPTIONS, maxNewTokens: 5 }, (id) => reported.push(id));
      expect([...answer]).toEqual(greedy.slice(0, 5));
      expect(reported).toEqual(greedy.slice(0, 5));
      expect(await tokens({ maxNewTokens: 0 })).toEqual([]);
    });

    test('ends at the end of the context', async () => {
      const start = Int32Array.from({ length: model.contextLength - 3 }, (_, i) => 1 + (i % 50));
      const answer = await tokens({ maxNewTokens: 100 }, start);
      expect(answer.length).toBe(3);
      // The last of them must match the whole text computed without a cache.
      const text = Int32Array.from([...start, ...answer.slice(0, 2)]);
      const logits = await textLogits(model, {}, text);
      expect(answer[2]).toBe(argmax(logits.slice(-model.vocabSize)));
    });

    test('a prompt that is empty or leaves no room is rejected with advice', async () => {
      await expect(tokens({}, new Int32Array(0))).rejects.toMatchObject({ message: 'The prompt is empty.' });
      const full = new Int32Array(model.contextLength).fill(1);
      await expect(tokens({}, full)).rejects.toMatchObject({ code: 'bad_data', action: 'Shorten the prompt.' });
      await expect(tokens({}, full)).rejects.toThrow(`${full.length} tokens`);
    });

    test('an abort ends it and returns the tokens so far', async () => {
      const controller = new AbortController();
      let count = 0;
      const onToken = () => {
        if (++count === 3) controller.abort();
      };
      const answer = await generate(model, {}, prompt, OPTIONS, onToken, controller.signal);
      expect([...answer]).toEqual(greedy.slice(0, 3));
      expect([...(await generate(model, {}, prompt, OPTIONS, onToken, controller.signal))]).toEqual([]);
    });

    test('an error in the listener is passed on and leaves no cache behind', async () => {
      const before = numTensors();
      await expect(
        generate(model, {}, prompt, OPTIONS, () => {
          throw new Error('the listener');
        }),
      ).rejects.toThrow('the listener');
      expect(numTensors()).toBe(before);
    });

    test('strength 0 gives the base and 1 the adapter; dropout is off', async () => {
      expect(await tokens({}, prompt, 0)).toEqual(greedy);
      const tuned = await tokens({}, prompt, 1);
      expect(tuned).not.toEqual(greedy);
      expect(await tokens({}, prompt, 1)).toEqual(tuned);
      const at = (strength: number) => textLogits(model, method.hooks(inference(strength)), prompt);
      expect(await at(0)).toEqual(await textLogits(model, {}, prompt));
      expect(await at(0.5)).not.toEqual(await at(1));
    });

    test('a seed gives the same answer again, and another seed a different one', async () => {
      const options = { temperature: 1.5, topP: 0.95, maxNewTokens: 24 };
      const answer = await tokens({ ...options, seed: 3 });
      expect(answer.length).toBe(24);
      expect(await tokens({ ...options, seed: 3 })).toEqual(answer);
      expect(await tokens({ ...options, seed: 4 })).not.toEqual(answer);
    });

    /** Without the inputs, which stay for each length. */
    const held = () => {
      disposeInputs();
      return numTensors();
    };

    test('the next turn of a chat computes only what is new, and answers as if all were read again', async () => {
      const chat = new ChatCache();
      const computed: number[] = [];
      const counting: LanguageModel = {
        ...model,
        // Further than its rotary tables, but the same with and without a cache that grows.
        contextLength: 200,
        hidden: (input, hooks) => {
          computed.push(input.length);
          return model.hidden(input, hooks);
        },
      };
      const ask = async (ids: Int32Array, strength: number) => {
        // The third token of an answer may be a replay, which calls nothing.
        computed.length = 0;
        const hooks = method.hooks(inference(strength));
        return [...(await generate(counting, hooks, ids, { ...OPTIONS, maxNewTokens: 4 }, () => {}, undefined, chat))];
      };
      for (const strength of [0, 1]) {
        const before = held();
        const first = await ask(prompt, strength);
        expect(computed.slice(0, 3)).toEqual([prompt.length, 1, 1]);
        // The last token of an answer is in no cache yet: nothing was drawn after it.
        const second = Int32Array.from([...prompt, ...first, 7, 8, 9]);
        const answer = await ask(second, strength);
        expect(computed.slice(0, 3)).toEqual([4, 1, 1]);
        expect(answer).toEqual(await tokens({ maxNewTokens: 4 }, second, strength));
        // Beyond the room of the first turn's cache.
        const third = Int32Array.from([...second, ...answer, ...Array(70).fill(5)]);
        const longer = await ask(third, strength);
        expect(computed.slice(0, 3)).toEqual([71, 1, 1]);
        const plain = { ...OPTIONS, maxNewTokens: 4 };
        expect(longer).toEqual([...(await generate(counting, method.hooks(inference(strength)), third, plain))]);
        // What does not go on after an answer is read again: the same question, and another chat.
        await ask(second, strength);
        const again = await ask(second, strength);
        expect(computed.slice(0, 3)).toEqual([second.length, 1, 1]);
        expect(again).toEqual(answer);
        const other = Int32Array.from([...prompt.subarray(0, 2), 3, 3, 3]);
        await ask(other, strength);
        expect(computed[0]).toBe(other.length);
        chat.clear();
        expect(held()).toBe(before);
      }
    });

    test('a chat after an answer that failed or was never begun is read again', async () => {
      const chat = new ChatCache();
      const before = held();
      const options = { ...OPTIONS, maxNewTokens: 3 };
      const [answer] = [await generate(model, {}, prompt, options, () => {}, undefined, chat)];
      const next = Int32Array.from([...prompt, ...answer, 4]);
      const fails = () => {
        throw new Error('the listener');
      };
      await expect(generate(model, {}, next, options, fails, undefined, chat)).rejects.toThrow('the listener');
      expect(held()).toBe(before);
      const stopped = new AbortController();
      stopped.abort();
      expect([...(await generate(model, {}, next, options, () => {}, stopped.signal, chat))]).toEqual([]);
      expect(held()).toBe(before);
      // Two answers at once have a cache each.
      const both = await Promise.all([1, 2].map(() => generate(model, {}, next, options, () => {}, undefined, chat)));
      expect([...both[0]!]).toEqual([...both[1]!]);
      chat.clear();
      expect(held()).toBe(before);
    });

    test('repeated calls hold no more tensors and no more memory', async () => {
      const run = () => tokens({ maxNewTokens: 6 }, prompt, 1);
      const first = await run();
      const held = numTensors();
      const { allocated } = gpuBytes();
      for (let i = 0; i < 4; i++) expect(await run()).toEqual(first);
      expect(numTensors()).toBe(held);
      expect(gpuBytes().allocated).toBe(allocated);
    });
  });
}
