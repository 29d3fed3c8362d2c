import { expect, test } from 'vitest';
import { layerNorm } from '../../../src/app/components/compare/LayersPanel';
import { answersCsv } from '../../../src/app/components/compare/SetTable';
import { linesOf, promptsIn } from '../../../src/app/components/compare/setLines';
import type { KeptPrompt } from '../../../src/session/comparison-types';

test('a set is written as lines and read back as it was', () => {
  const prompts: KeptPrompt[] = [
    { text: 'One?' },
    { text: 'Two?', expected: '2' },
    { text: 'Lines\nof text', expected: 'a\tb' },
    { text: '{"not": "ours"}' },
    { text: 'a => b', expected: '' },
    { text: 'With', system: 'Be kind.' },
  ];
  expect(linesOf(prompts.slice(0, 2))).toBe('One?\nTwo? => 2');
  expect(promptsIn(linesOf(prompts), 'mine')).toEqual(prompts);
  expect(promptsIn('Two?\t2\r\nThree? => 3 => 4', 'mine')).toEqual([
    { text: 'Two?', expected: '2' },
    { text: 'Three?', expected: '3 => 4' },
  ]);
  expect(promptsIn('\n  \n\tonly an answer\n', 'mine')).toEqual([]);
  expect(() => promptsIn('{oops', 'mine')).toThrow('not JSON');
});

test('answers in a spreadsheet stay text, whatever they begin with', () => {
  const rows = [{ prompt: { text: '=1+1', expected: 'a "b"' }, answers: [{ text: 'x\ny' }] }];
  expect(answersCsv(['Base'], rows)).toBe('\uFEFF"Prompt","Reference","Base"\r\n"\'=1+1","a ""b""","x\ny"\r\n');
});

test('the change of a layer is that of all its tensors together', () => {
  const of = (layer: number | null, change: number, weight: number) => ({
    ...{ name: '', layer, change, weight },
    relative: change / weight,
  });
  // √(3² + 4²) / √(6² + 8²)
  expect(layerNorm([of(0, 3, 6), of(0, 4, 8), of(1, 9, 1), of(null, 1, 2)], 0)).toBeCloseTo(0.5, 10);
  expect(layerNorm([of(0, 3, 6)], 1)).toBeNull();
});
