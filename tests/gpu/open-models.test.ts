/** What a model left behind on the GPU, used or not, in whatever order models are opened. */
import { expect, test } from 'vitest';
import { tellPageUrl } from '../../src/base/page-url';
import { Stream, uniform } from '../../src/base/random';
import type { TokenizedExample } from '../../src/data/types';
import { keptZeros, writeValues } from '../../src/engine/kernels/in-place';
import { flush, gpuBackend, gpuBytes, markUsed } from '../../src/engine/webgpu/backend';
import { trimMemory } from '../../src/engine/webgpu/dispatch';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { ModelSection } from '../../src/recipe/types';
import { putFolder } from '../../src/storage/files';
import { fixtureBytes } from '../fixture-files';
import { withOwnDevice } from './open-device';

// Vite's build defines it.
Object.assign(globalThis, { __TABTUNE_VERSION__: 'test' });

interface Opening {
  source: string;
  precision: ModelSection['quantization'];
}

/** Stores models of the fixtures as a person's folders. The engine reads no tokeniser, but a folder has one. */
async function storeModels(folders: Record<string, string>): Promise<void> {
  for (const [name, folder] of Object.entries(folders)) {
    const files = await Promise.all(
      ['config.json', 'model.safetensors'].map(async (file) => ({
        name: file,
        source: new Blob([(await fixtureBytes(`${folder}/${file}`)) as Uint8Array<ArrayBuffer>]),
      })),
    );
    await putFolder(`model/${name}`, [...files, { name: 'tokenizer.json', source: new Blob(['{}']) }]);
  }
}

const texts = (count: number, longest: number): TokenizedExample[] =>
  Array.from({ length: count }, (_, row) => {
    const ids = Int32Array.from({ length: longest - (row % 4) }, (_, i) => 6 + ((row * 13 + i * 5) % 40));
    return { kind: 'next_token', row, ids, labels: ids.slice(), starts: null, truncatedBy: 0 };
  });

const openings: Opening[] = [
  { source: 'builtin:stories', precision: 'none' },
  { source: 'builtin:stories', precision: 'nf4' },
  { source: 'builtin:stories', precision: 'q8' },
  { source: 'file:test-llama', precision: 'none' },
  { source: 'file:test-gpt2', precision: 'none' },
  { source: 'file:test-gpt2', precision: 'nf4' },
  { source: 'file:test-bert', precision: 'none' },
];

test('every opening of a model ends with the bytes of the first, whatever was opened and done before', async () => {
  tellPageUrl(`${location.origin}/`);
  await storeModels({
    'test-llama': 'llama/gqa-tied',
    'test-gpt2': 'families/gpt2',
    'test-bert': 'families/bert',
  });
  const { createEngineService } = await import('../../src/workers/engine/service');
  await withOwnDevice(async () => {
    const engine = createEngineService();
    const first = new Map<string, number>();
    let opened = 0;
    const open = async ({ source, precision }: Opening) => {
      await engine.loadModel(source, undefined, precision);
      const { allocated } = gpuBytes();
      const key = `${source} ${precision}`;
      if (!first.has(key)) first.set(key, allocated);
      expect(allocated, `${key}, opening ${++opened}`).toBe(first.get(key));
    };
    /** Runs of two datasets with other lengths, answers, and texts of many lengths. */
    const use = async ({ source }: Opening, turn: number) => {
      const length = 5 + (turn % 7);
      const ids = Int32Array.from({ length }, (_, i) => 6 + ((turn + 3 * i) % 40));
      if (source === 'file:test-bert') {
        await engine.embed([ids], { mode: 'mean', normalize: true, adapterStrength: 1 });
        return;
      }
      await engine.logits(ids, 1);
      if (turn % 3 > 0) return;
      const recipe = resolveRecipe({
        version: 1,
        method: { type: 'lora', r: 2 + (turn % 2) },
        objective: { type: 'sft' },
        training: { max_steps: 1, per_device_train_batch_size: 2, gradient_accumulation_steps: 1 },
      });
      await engine.train(
        {
          run: { id: `open-models ${turn}` } as never,
          recipe,
          train: texts(4, length + 4),
          validation: texts(2, length + 6),
          maxLength: 32,
          samplePrompts: [],
          stopTokenIds: [1],
          padTokenId: 0,
          maskTokenId: null,
          task: null,
          baseText: [],
          initText: new Int32Array(),
          initAdapter: null,
          checkpointing: turn % 2 === 0,
          together: 1,
          resume: false,
        },
        () => {},
      );
    };
    // Each twice in a row without any use: nothing was recorded for the first when the second is opened.
    for (const opening of openings) {
      await open(opening);
      await open(opening);
    }
    // Then in any order, a third of them used.
    for (let turn = 0; turn < 30; turn++) {
      const pick = Math.floor(uniform(7, Stream.shuffle, turn) * openings.length);
      await open(openings[pick]!);
      if (turn % 3 === 0) await use(openings[pick]!, turn);
    }
    expect(opened).toBe(2 * openings.length + 30);
  });
});

test('a model that fails to open leaves nothing', async () => {
  const folder = 'llama/gqa-tied';
  tellPageUrl(`${location.origin}/`);
  await storeModels({ 'test-llama': folder });
  const { createEngineService } = await import('../../src/workers/engine/service');
  await withOwnDevice(async () => {
    const engine = createEngineService();
    await engine.loadModel('file:test-llama');
    const { allocated } = gpuBytes();
    let seen = 0;
    const failing = engine.loadModel('file:test-llama', () => {
      if (++seen === 8) throw new Error('The page went away.');
    });
    await expect(failing).rejects.toThrow('The page went away.');
    await engine.loadModel('file:test-llama');
    expect(gpuBytes().allocated).toBe(allocated);
  });
});

test('a tensor that was only written through the queue is freed at once', () =>
  withOwnDevice(async () => {
    const backend = gpuBackend();
    const x = keptZeros([1 << 16]);
    flush(backend);
    writeValues(x, new Float32Array(1 << 16).fill(3));
    expect(() => markUsed(backend, x)).toThrow('none is recorded');
    const before = gpuBytes().allocated;
    x.dispose();
    trimMemory();
    expect(before - gpuBytes().allocated).toBe(4 * (1 << 16));
  }));
