import { describe, expect, it } from 'vitest';
import { fitLabels } from '../../../src/methods/fit-labels';

const head = (labels: string[], problemType = 'single_label_classification' as const) => ({
  section: null,
  base: null,
  task: { problemType, labels },
  values: new Map([
    ['score.weight', { shape: [3, 2], data: Float32Array.of(0, 0, 1, 1, 2, 2) }],
    ['score.bias', { shape: [3], data: Float32Array.of(0, 1, 2) }],
    ['model.layers.0.self_attn.q_proj.lora_A.weight', { shape: [1, 2], data: Float32Array.of(8, 9) }],
  ]),
});
const data = (...labels: string[]) => ({ problemType: 'single_label_classification' as const, labels });

describe('the head of an adapter that is continued', () => {
  it('gets its rows in the order of the data', () => {
    const { values } = fitLabels(head(['a', 'b', 'c']), data('c', 'a', 'b'));
    expect(values.get('score.weight')!.data).toEqual(Float32Array.of(2, 2, 0, 0, 1, 1));
    expect(values.get('score.bias')!.data).toEqual(Float32Array.of(2, 0, 1));
    expect(values.get('model.layers.0.self_attn.q_proj.lora_A.weight')!.data).toEqual(Float32Array.of(8, 9));
  });

  it('stays as it is in the same order, without names, and without a head', () => {
    const same = head(['a', 'b', 'c']);
    expect(fitLabels(same, data('a', 'b', 'c'))).toBe(same);
    const nameless = head(['LABEL_0', 'LABEL_1', 'LABEL_2']);
    expect(fitLabels(nameless, data('c', 'a', 'b'))).toBe(nameless);
    expect(fitLabels(same, null)).toBe(same);
    expect(fitLabels({ ...same, task: null }, data('x'))).toMatchObject({ task: null });
  });

  it('is refused for other labels, and for another kind of task', () => {
    expect(() => fitLabels(head(['a', 'b', 'c']), data('a', 'b', 'd'))).toThrow(
      'tells apart a, b, c; the data have a, b, d',
    );
    expect(() => fitLabels(head(['a', 'b', 'c']), data('a', 'b'))).toThrow('the data have a, b');
    const several = { problemType: 'multi_label_classification' as const, labels: ['a', 'b', 'c'] };
    expect(() => fitLabels(head(['a', 'b', 'c']), several)).toThrow('multi label classification');
  });
});
