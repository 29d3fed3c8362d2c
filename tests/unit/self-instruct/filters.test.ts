/** Each filter by hand, and what is counted where. */
import { describe, expect, it } from 'vitest';
import {
  answerOf,
  cutAt,
  datasetRows,
  endOf,
  endRound,
  funnelOf,
  inputFirst,
  keepInstances,
  newDraft,
  nextRequests,
  RougePool,
  refusedBy,
  type SelfInstructDraft,
  saysYes,
  seedTasks,
  shotsOf,
  splitInstructions,
  withClassification,
  withInstances,
  withInstructions,
} from '../../../src/self-instruct';

const poolOf = (draft: SelfInstructDraft) =>
  new RougePool([...draft.seeds, ...draft.tasks].map(({ instruction }) => instruction));

describe('instructions', () => {
  it.each([
    ['Do it now.', 'too_short'],
    ['Do it right now.', null],
    [Array(150).fill('word').join(' '), null],
    [Array(151).fill('word').join(' '), 'too_long'],
    ['Look at the image and describe it.', 'word_list'],
    ['Imagine a day without any rain.', null],
    ['Now go to the next question.', 'word_list'],
    ['Write a program that adds numbers.', 'write_a_program'],
    ['Please write a program for me.', null],
    ['"Hello" is said by whom?', 'punctuation'],
    ['Über den Wolken ist es still.', 'not_ascii'],
    // The first filter counts: it has three words and begins with a bracket.
    ['(a) file here', 'too_short'],
  ])('%s', (instruction, why) => {
    expect(refusedBy(instruction)).toBe(why);
  });

  it('are split at numbers at the beginning of a line, and keep the capitals of names', () => {
    expect(splitInstructions(' ask Anna about\n Rome\n10. then  go home\n11.no\n12 . end')).toEqual([
      'Ask Anna about Rome',
      'Then go home 11.no',
      'End',
    ]);
  });

  it('end before the first stop text, and are not cut then', () => {
    expect(cutAt('a b c', ['c', 'b'])).toEqual({ text: 'a ', stopped: true });
    expect(answerOf({ text: 'a\n\nb', cut: true }, { stops: ['\n\n'] })).toEqual({ text: 'a', cut: false });
    expect(answerOf({ text: 'a', cut: true }, { stops: ['\n\n'] })).toEqual({ text: 'a', cut: true });
  });
});

describe('ROUGE-L against all', () => {
  // Ten words each, seven of them in common: 2 · 0.7 · 0.7 / 1.4.
  const text = 'one two three four five six seven eight nine ten';
  it.each([
    ['one two three four five six seven x y z', 0.7],
    ['one two three four five six seven eight y z', 0.8],
    ['ten nine eight seven six five four three two one', 0.1],
    ['ONE, two... three!', (2 * 1 * 0.3) / 1.3],
  ])('%s', (other, score) => {
    expect(new RougePool([other]).nearest(text)[0]!.score).toBeCloseTo(score, 12);
  });

  it('keeps what is as similar as 0.7, and drops what is more similar', () => {
    const seed = { instruction: text, instances: [], classification: null };
    const draft = newDraft([seed]);
    const answer = ' one two three four five six seven x y z\n10. one two three four five six seven eight y z';
    const { tasks, dropped } = withInstructions(draft, poolOf(draft), { text: answer, cut: false }, 'm');
    expect(tasks.map(({ instruction }) => instruction)).toEqual(['One two three four five six seven x y z']);
    expect(dropped.map(({ why }) => why)).toEqual(['similar']);
  });

  it('compares a new one with 20,000 others in well under a second', () => {
    const words = Array.from({ length: 3000 }, (_, i) => `w${i}`);
    const of = (i: number) => Array.from({ length: 15 }, (_, k) => words[(i * 31 + k * k * 7 + k) % 3000]).join(' ');
    const pool = new RougePool(Array.from({ length: 20_000 }, (_, i) => of(i)));
    const began = performance.now();
    for (let i = 0; i < 20; i++) expect(pool.nearest(of(i))[0]!.score).toBe(1);
    expect((performance.now() - began) / 20).toBeLessThan(500);
  });
});

describe('examples', () => {
  it('are counted by the filter that drops them', () => {
    const written = [
      ...[
        { input: 'a', output: 'a' },
        { input: 'b', output: '' },
        { input: 'c', output: 'see:' },
      ],
      ...[
        { input: 'd', output: 'e' },
        { input: 'd', output: 'e' },
        { input: '', output: 'f' },
        { input: '', output: 'g' },
      ],
      ...[{ input: 'h', output: 'i' }],
    ];
    const { kept, dropped } = keepInstances(written, true, 2);
    expect(kept).toEqual([
      { input: 'd', output: 'e' },
      { input: '', output: 'f' },
    ]);
    expect(dropped).toEqual({
      ...{ cut: 1, same_as_input: 1, no_output: 1, ends_with_colon: 1 },
      ...{ different_outputs: 0, duplicate: 1, too_many: 1 },
    });
  });

  it('all go if one input has two outputs', () => {
    const { kept, dropped } = keepInstances(
      inputFirst('Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput: c'),
      false,
      5,
    );
    expect(kept).toEqual([]);
    expect(dropped.different_outputs).toBe(2);
  });

  it('only a plain yes is a yes', () => {
    expect([' Yes', 'yes', 'YES', 'Yes.', 'No', ''].map(saysYes)).toEqual([true, true, true, false, false, false]);
  });
});

describe('a session', () => {
  const draft = newDraft(seedTasks);
  const answers = [
    ' Name five birds that live near lakes.\n10. Draw a duck on a lake.\n11. Name five birds that live near lakes.\n12. No.',
    ' Invent a greeting for travellers.\n10. Tell me about',
  ];

  function round(from: SelfInstructDraft, pool = poolOf(from)): SelfInstructDraft {
    let next = withInstructions(from, pool, { text: answers[0]!, cut: false }, 'tiny');
    next = withInstructions(next, pool, { text: answers[1]!, cut: true }, 'tiny');
    return endRound(next, from.tasks.length);
  }

  it('shows six seeds and two of its own, other ones for every prompt, the same ones for a seed', () => {
    const own = [...'abcde'].map((name) => ({ ...round(draft).tasks[0]!, instruction: `Task ${name} of its own` }));
    const later = { ...draft, tasks: own, rounds: 3 };
    const requests = nextRequests(later);
    expect(requests).toHaveLength(5);
    for (const { shown } of requests) {
      expect(new Set(shown).size).toBe(8);
      expect(shown.filter((one) => one.endsWith('of its own'))).toHaveLength(2);
    }
    expect(new Set(requests.map(({ shown }) => shown.join())).size).toBe(5);
    expect(nextRequests(later)).toEqual(requests);
    expect(nextRequests({ ...later, rounds: 4 })[0]!.shown).not.toEqual(requests[0]!.shown);
    expect(nextRequests({ ...later, settings: { ...later.settings, seed: 43 } })).not.toEqual(requests);
    // None of its own yet: eight of a person.
    expect(nextRequests(draft)[0]!.shown).toHaveLength(8);
  });

  it('counts everything that was written once', () => {
    let after = round(draft);
    expect(after.funnel.instructions).toEqual({
      written: 6,
      dropped: {
        ...{ cut: 2, too_short: 1, too_long: 0, word_list: 1, write_a_program: 0 },
        ...{ punctuation: 0, not_ascii: 0, similar: 1 },
      },
    });
    expect(after.tasks.map(({ instruction }) => instruction)).toEqual(['Name five birds that live near lakes.']);
    after = withClassification(after, 0, false);
    after = withInstances(after, 0, { text: 'Output: Ducks, swans, herons, coots and grebes.', cut: false });
    const view = funnelOf(after);
    expect(view.instructions.at(-1)).toEqual({ name: 'kept', dropped: 0, left: 1 });
    expect(view.tasks).toEqual({ asked: 1, usable: 1 });
    expect(view.instances.at(-1)!.left).toBe(1);
    const rows = datasetRows(after);
    expect(rows.filter(({ source }) => source === 'seed')).toHaveLength(
      seedTasks.reduce((sum, { instances }) => sum + instances.length, 0),
    );
    expect(rows.at(-1)).toMatchObject({
      ...{ instruction: 'Name five birds that live near lakes.', input: '', source: 'machine' },
      ...{ output: 'Ducks, swans, herons, coots and grebes.', round: 1, model: 'tiny', seed: 42 },
    });
  });

  it('ends when there is enough, or when ten rounds in a row were for nothing', () => {
    const enough = { ...draft, settings: { ...draft.settings, num_instructions_to_generate: 1 } };
    const written = round(enough);
    expect(endOf(enough)).toBeNull();
    // One instruction still has no examples.
    expect(endOf(written)).toBeNull();
    expect(endOf(withInstances(written, 0, { text: '', cut: false }))).toBe('enough');
    let barren = round(draft);
    barren = withInstances(barren, 0, { text: '', cut: false });
    for (let i = 0; i < 10; i++) {
      expect(endOf(barren)).toBeNull();
      barren = round(barren);
    }
    expect(endOf(barren)).toBe('barren');
  });
});

describe('our seeds', () => {
  it('are twenty or more, pass our own filters, and differ from each other', () => {
    expect(seedTasks.length).toBeGreaterThanOrEqual(20);
    const pool = new RougePool();
    for (const { instruction, instances } of seedTasks) {
      expect(refusedBy(instruction), instruction).toBeNull();
      expect(pool.nearest(instruction)[0]?.score ?? 0, instruction).toBeLessThanOrEqual(0.7);
      pool.add(instruction);
      expect(keepInstances(instances, false, 5).kept).toEqual(instances);
    }
    expect(shotsOf(seedTasks, 'both')).toHaveLength(8);
    expect(shotsOf(seedTasks, true).every(({ classification }) => classification)).toBe(true);
  });
});
