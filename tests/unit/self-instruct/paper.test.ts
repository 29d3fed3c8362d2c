/** Parsing, filters and ROUGE-L against the paper's own code and rouge_score (tests/oracle/make_self_instruct_fixtures.py). */
import { describe, expect, it } from 'vitest';
import {
  type Instance,
  inputFirst,
  instructionPrompt,
  keepInstances,
  outputFirst,
  RougePool,
  refusedBy,
  splitInstructions,
} from '../../../src/self-instruct';
import fixture from '../../fixtures/self-instruct/self-instruct.json';

const passed = (answer: string) => splitInstructions(answer).filter((one) => refusedBy(one) === null);

const inOrder = (kept: readonly Instance[]) => kept.map(({ input, output }) => [input, output]).sort();

describe('as in the paper’s code', () => {
  it('the prompt for instructions', () => {
    const { ask, begun } = instructionPrompt(fixture.prompt.shown, false);
    expect(`${ask}\n${begun}`).toBe(fixture.prompt.text);
  });

  it.each(fixture.lists)('the instructions of $answer', ({ answer, kept }) => {
    // Ours keep their capitals; Python's capitalize() makes all but the first letter small.
    expect(passed(answer).map((one) => one[0] + one.slice(1).toLowerCase())).toEqual(kept);
  });

  it.each([
    ['input_first', inputFirst],
    ['output_first', outputFirst],
  ] as const)('the examples, %s', (name, read) => {
    expect(fixture[name].some(({ kept }) => kept.length > 1)).toBe(true);
    for (const { answer, cut, kept } of fixture[name]) {
      expect(inOrder(keepInstances(read(answer), cut, 1000).kept), JSON.stringify({ answer, cut })).toEqual(kept);
    }
  });

  it('which of 400 instructions are new, and the ten nearest of each', () => {
    const { texts, kept, ten_best } = fixture.similar;
    const pool = new RougePool();
    const ours: number[] = [];
    for (const [i, text] of texts.entries()) {
      const nearest = pool.nearest(text);
      const expected = (ten_best as Record<string, number[]>)[i];
      // A text that shares no word is no neighbour of ours.
      if (expected) expect(nearest.map(({ score }) => score)).toEqual(expected.filter((score) => score > 0));
      if ((nearest[0]?.score ?? 0) > 0.7) continue;
      pool.add(text);
      ours.push(i);
    }
    expect(ours).toEqual(kept);
  });
});
