import { expect, test } from 'vitest';
import { families } from '../../../src/families';
import { ggufFamilies, ggufOf } from '../../../src/families/gguf';

// The page tells by `llamaCpp` what can become a GGUF file, since it loads the names that such a file has only to write one.
test('a descriptor says that llama.cpp has the family if its names in GGUF files are known', () => {
  const said = families.filter(({ llamaCpp }) => llamaCpp !== undefined).map(({ modelType }) => modelType);
  expect(said).toEqual(Object.keys(ggufFamilies));
  expect(said).toContain('llama');
  for (const { modelType, llamaCpp } of families) {
    expect(ggufOf(modelType) !== undefined, modelType).toBe(llamaCpp !== undefined);
  }
});

test('names that every object has are no families', () => {
  expect(ggufOf('constructor')).toBeUndefined();
});
