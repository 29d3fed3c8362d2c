/** Compares sentence embeddings with the mean of a text's states, computed singly and without padding; for both backends. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { type EmbedOptions, embedTexts } from '../../src/engine/embedding/embed';
import { cacheVisible, fullVisible } from '../../src/engine/kernels/attention/visible';
import { loadModel } from '../../src/engine/models';
import type { LanguageModel } from '../../src/engine/models/model';
import { fixtureJson, fixtureTensors, relativeError } from '../fixture-files';

const texts = [
  [5, 9, 33, 7],
  [11],
  [20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36],
  [8, 8, 3],
].map((ids) => Int32Array.from(ids));

/** States [T, d] of one text, from the model's own forward pass. */
async function statesOf(model: LanguageModel, ids: Int32Array): Promise<number[][]> {
  const n = ids.length;
  const states = tf.tidy(() =>
    model.hidden(
      {
        kind: 'text',
        types: null,
        states: 'text',
        ids: tf.tensor(ids, [n], 'int32'),
        positions: tf.range(0, n, 1, 'int32'),
        visible: tf.tensor(model.kind === 'encoder' ? fullVisible([n], n) : cacheVisible(0, n), [n, 2], 'int32'),
        batch: 1,
        length: n,
      },
      {},
    ),
  );
  const values = (await states.array()) as number[][];
  states.dispose();
  return values;
}

function pool(states: number[][], { mode, normalize }: EmbedOptions): number[] {
  const vector =
    mode === 'cls' ? states[0]! : states[0]!.map((_, j) => states.reduce((sum, s) => sum + s[j]! / states.length, 0));
  const size = normalize ? Math.hypot(...vector) : 1;
  return vector.map((v) => v / size);
}

/** `setUp` prepares the backend for all of these tests. */
export function embedParity(backend: string, setUp: () => Promise<void>): void {
  describe.each(['bert', 'gpt2'])(`${backend}: embeddings of %s`, (name) => {
    let model: LanguageModel;
    beforeAll(async () => {
      await setUp();
      const config = await fixtureJson<Record<string, unknown>>(`families/${name}/config.json`);
      model = await loadModel(config, (await fixtureTensors(`families/${name}/model.safetensors`)).source);
      return () => model.dispose();
    });

    test.each<EmbedOptions>([
      { mode: 'mean', normalize: false },
      { mode: 'mean', normalize: true },
      { mode: 'cls', normalize: true },
    ])('%j: texts of many lengths keep their order, and no tensor is left over', async (options) => {
      const before = tf.memory().numTensors;
      const vectors = await embedTexts(model, {}, texts, options);
      expect(tf.memory().numTensors).toBe(before);
      expect(vectors).toHaveLength(texts.length);
      for (const [i, ids] of texts.entries()) {
        expect(relativeError(vectors[i]!, pool(await statesOf(model, ids), options)), `text ${i}`).toBeLessThan(1e-5);
      }
    });

    test('no texts give no vectors; an empty or too long text is rejected', async () => {
      const options = { mode: 'mean', normalize: false } as const;
      expect(await embedTexts(model, {}, [], options)).toEqual([]);
      await expect(embedTexts(model, {}, [texts[0]!, new Int32Array()], options)).rejects.toMatchObject({
        code: 'bad_data',
        message: 'Text 2 has no tokens.',
      });
      await expect(embedTexts(model, {}, [new Int32Array(33)], options)).rejects.toMatchObject({
        message: 'Text 1 has 33 tokens, but the model reads at most 32.',
      });
    });
  });
}
