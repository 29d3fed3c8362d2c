import { expect, test } from 'vitest';
import { resolveRecipe } from '../../../src/recipe/defaults';
import { isLinkDetail, linkDetail, readLinkDetail, shareable, withShared } from '../../../src/recipe/share';
import type { RecipeInput } from '../../../src/recipe/types';

const own: RecipeInput = {
  version: 1,
  model: { source: 'hf:HuggingFaceTB/SmolLM2-135M-Instruct' },
  dataset: {
    source: 'file:Müller, Umsätze 2024.csv',
    format: 'prompt_completion',
    columns: { prompt: 'Frage', completion: 'Antwort' },
    encoding: 'windows-1252',
    validation_split: 0.2,
    base_text: 'file:notes.txt',
  },
  method: { type: 'lora', r: 8, init_adapter: 'file:earlier' },
  training: { learning_rate: 1e-4 },
};

test('a link holds how to train, and nothing about the files of this device', () => {
  const { input, leftOut } = shareable(resolveRecipe(own));
  expect(input).toEqual({
    version: 1,
    model: { source: 'hf:HuggingFaceTB/SmolLM2-135M-Instruct' },
    dataset: { validation_split: 0.2 },
    method: { type: 'lora', r: 8 },
    training: { learning_rate: 1e-4 },
  });
  expect(leftOut.toSorted()).toEqual([
    'dataset.base_text',
    'dataset.columns',
    'dataset.encoding',
    'dataset.format',
    'dataset.source',
    'method.init_adapter',
  ]);
  expect(JSON.stringify(input)).not.toMatch(/Umsätze|Frage|notes|earlier/);
});

test('what comes with Tabtune is named in a link', () => {
  const { input, leftOut } = shareable(resolveRecipe({ version: 1, dataset: { source: 'builtin:lumen-bay' } }));
  expect(input.dataset).toEqual({ source: 'builtin:lumen-bay' });
  expect(leftOut).toEqual([]);
});

test('a link is read as it was written, letters beyond ASCII included', () => {
  const input: RecipeInput = { version: 1, name: 'Größe ≥ 5 – 猫 🏴‍☠️ ???>>>', training: { seed: 7 } };
  const detail = linkDetail(input);
  expect(detail).toMatch(/^shared-[\w-]+$/);
  expect(isLinkDetail(detail)).toBe(true);
  expect(readLinkDetail(detail)).toEqual(input);
});

test('a link that was cut, altered or is no recipe is refused, and says what to do', () => {
  const detail = linkDetail({ version: 1, training: { seed: 7 } });
  expect(() => readLinkDetail(detail.slice(0, -3))).toThrow();
  expect(() => readLinkDetail('shared-%%%')).toThrow(/does not hold a whole recipe/);
  expect(() => readLinkDetail(linkDetail({ version: 1, training: { sed: 7 } } as unknown as RecipeInput))).toThrow(
    /not a known field/,
  );
});

test('a recipe too long for a link is refused rather than cut on its way', () => {
  expect(() => linkDetail({ version: 1, name: 'x'.repeat(9000) })).toThrow(/too long for a link/);
});

test('a received recipe keeps the receiver’s own data, and replaces how it trains', () => {
  const mine: RecipeInput = {
    version: 1,
    dataset: { source: 'file:mine.csv', columns: { text: 'a', label: 'b' }, packing: true },
    training: { seed: 3 },
  };
  const { input } = shareable(resolveRecipe(own));
  expect(withShared(mine, input)).toEqual({
    version: 1,
    model: { source: 'hf:HuggingFaceTB/SmolLM2-135M-Instruct' },
    dataset: { source: 'file:mine.csv', columns: { text: 'a', label: 'b' }, validation_split: 0.2 },
    method: { type: 'lora', r: 8 },
    training: { learning_rate: 1e-4 },
  });
});

test('a received recipe on data that comes with Tabtune brings that data', () => {
  const mine: RecipeInput = { version: 1, dataset: { source: 'file:mine.csv', columns: { text: 'a', label: 'b' } } };
  expect(withShared(mine, { version: 1, dataset: { source: 'builtin:lumen-bay' } })).toEqual({
    version: 1,
    dataset: { source: 'builtin:lumen-bay' },
  });
});
