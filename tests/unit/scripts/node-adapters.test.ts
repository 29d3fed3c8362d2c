import { expect, test } from 'vitest';
import { chosen, namesIn } from '../../../scripts/headless-node/adapters.mjs';

// As Dawn of webgpu 0.6.2 says it.
const said = `no suitable backends found
Available adapters:
 * backend: 'vulkan', name: 'NVIDIA H200'
 * backend: 'vulkan', name: 'llvmpipe (LLVM 15.0.6, 256 bits)'`;

test('the adapters are read from what Dawn says', () => {
  const found = namesIn(said);
  expect(found.map(({ name }) => name)).toEqual(['NVIDIA H200', 'llvmpipe (LLVM 15.0.6, 256 bits)']);
  expect(chosen(found).name).toBe('NVIDIA H200');
  expect(chosen(found.toReversed()).name).toBe('NVIDIA H200');
  expect(chosen(found, { device: 'software' }).name).toBe('llvmpipe (LLVM 15.0.6, 256 bits)');
  expect(chosen(found, { adapter: 'LLVM' }).name).toBe('llvmpipe (LLVM 15.0.6, 256 bits)');
  expect(chosen(found.slice(1)).name).toBe('llvmpipe (LLVM 15.0.6, 256 bits)');
});

test.each([
  [said, { adapter: 'Intel' }, '--adapter Intel: There is no such GPU. There are: NVIDIA H200; llvmpipe (LLVM 15.0.6,'],
  [namesIn(said)[1]!, { device: 'hardware' }, 'There is no GPU here, only llvmpipe (LLVM 15.0.6, 256 bits).'],
  [namesIn(said)[0]!, { device: 'software' }, 'There is no driver here that runs on the CPU, only NVIDIA H200.'],
  ['no suitable backends found\nAvailable adapters:\n', {}, 'Dawn finds no GPU and no driver that runs on the CPU.'],
])('%s with %j is refused with what to do', (found, wanted, words) => {
  const list = typeof found === 'string' ? namesIn(found) : [found];
  expect(() => chosen(list, wanted)).toThrow(words);
});
