import { beforeEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { Comparison, ModelId } from '../../../src/session/comparison-types';
import { fakeComparison, fakeSession, model, runRecord } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { useCompare } = await import('../../../src/stores/compare');
const { useRuns } = await import('../../../src/stores/runs');
const { columnsOf, modelsOf, useComparing } = await import('../../../src/stores/comparing');
const { shotsFor } = await import('../../../src/stores/ask-columns');
const { useModel } = await import('../../../src/stores/model');

const initial = useComparing.getState();
beforeEach(() => {
  useCompare.getState().forgetAdapter();
  useCompare.setState({ generating: false });
  useComparing.setState(initial, true);
  useRuns.setState({ runs: [] });
});

function connect(parts: Partial<Comparison> = {}) {
  const comparison = fakeComparison(parts);
  connectSession(
    fakeSession({
      comparison: async () => comparison,
      openRun: async (id) => useRuns.getState().runs.find((run) => run.id === id) ?? runRecord({ id }),
    }),
  );
  return comparison;
}
const asked = ({ answer }: Comparison) => vi.mocked(answer).mock.calls.map(([columns]) => columns);
const models = () => modelsOf(useComparing.getState());
const texts = () => useComparing.getState().answers.map(({ text }) => text);
const later = () => new Promise((resolve) => setTimeout(resolve));

test('by default the base and the active adapter answer together, at strength 0 and at the chosen one', async () => {
  const comparison = connect();
  await useCompare.getState().openRun(runRecord());
  useComparing.getState().set({ strength: 1.5 });
  useComparing.getState().write('Hello');
  await useComparing.getState().ask();
  expect(asked(comparison)).toEqual([
    [
      { model: 'base', strength: 0 },
      { model: 'run:run-1', strength: 1.5 },
    ],
  ]);
  const { answers, generating, asked: prompt } = useComparing.getState();
  expect(answers.map(({ state }) => state)).toEqual(['done', 'done']);
  expect(texts()).toEqual(['base 0', 'run:run-1 1.5']);
  expect([generating, useCompare.getState().generating]).toEqual([false, false]);
  expect(prompt).toEqual({ text: 'Hello', side: null });
});

test('without an adapter only the base answers', async () => {
  connect();
  useComparing.getState().write('Hello');
  await useComparing.getState().ask();
  expect(texts()).toEqual(['base 0']);
});

test('three models at most, in the order in which they were chosen', async () => {
  connect();
  await useCompare.getState().openRun(runRecord());
  const { choose, remove } = useComparing.getState();
  choose(2, 'run:run-1@latest');
  choose(3, 'file:mine');
  expect(models()).toEqual(['base', 'run:run-1', 'run:run-1@latest']);
  choose(0, 'file:mine');
  expect(models()).toEqual(['file:mine', 'run:run-1', 'run:run-1@latest']);
  remove(1);
  expect(models()).toEqual(['file:mine', 'run:run-1@latest']);
});

test('an address names runs: they stand beside the base, and the first is put on the model', async () => {
  connect();
  const runs = ['a', 'b', 'c', 'd'].map((id) => runRecord({ id, name: id }));
  useRuns.setState({ runs });
  await useComparing.getState().compareRuns(['b', 'gone', 'a']);
  expect(models()).toEqual(['base', 'run:b', 'run:a']);
  expect(useCompare.getState().adapter).toMatchObject({ run: { id: 'b' } });
  await useComparing.getState().compareRuns(['a', 'b', 'c', 'd']);
  expect(models()).toEqual(['run:a', 'run:b', 'run:c']);
  // The active adapter is among them: it stays.
  expect(useCompare.getState().adapter).toMatchObject({ run: { id: 'b' } });
  await useComparing.getState().compareRuns(['gone']);
  expect(useComparing.getState().error?.message).toMatch(/not stored in this browser/);
});

test('the base with examples is a column of its own, after the base, with what was trained on', async () => {
  const comparison = connect();
  await useCompare.getState().openRun(runRecord());
  await useComparing.getState().loadSplit();
  useComparing.getState().set({ shots: 3 });
  expect(columnsOf(useComparing.getState())).toEqual([
    { model: 'base', fewShot: false },
    { model: 'base', fewShot: true },
    { model: 'run:run-1', fewShot: false },
  ]);
  useComparing.getState().write('Hello');
  await useComparing.getState().ask();
  expect(asked(comparison)[0]![1]).toEqual({
    model: 'base',
    strength: 0,
    shots: [{ text: 'trained', expected: 'no' }],
  });
  expect(useComparing.getState().fewShot?.tokens).toBe(10);
});

test('a prompt is never among its own examples', async () => {
  connect();
  await useCompare.getState().openRun(runRecord());
  await useComparing.getState().loadSplit();
  const { split } = useComparing.getState();
  expect(shotsFor(split, 2, 'Hello')).toEqual([{ text: 'trained', expected: 'no' }]);
  expect(shotsFor(split, 2, 'trained')).toEqual([]);
});

test('a prompt of the data keeps its side and its answer until it is changed', async () => {
  connect();
  await useCompare.getState().openRun(runRecord());
  await useComparing.getState().loadSplit();
  const { take, write, ask } = useComparing.getState();
  take(useComparing.getState().split!.heldOut[0]!, 'held_out');
  await ask();
  expect(useComparing.getState().asked).toMatchObject({ text: 'held out', expected: 'yes', side: 'held_out' });
  write('held out of something');
  await ask();
  expect(useComparing.getState().asked).toEqual({ text: 'held out of something', side: null });
});

test('the data are asked for once, of the first run, without what the others have learned from', async () => {
  const split = vi.fn(fakeComparison().split);
  connect({ split });
  useComparing.setState({ chosen: ['base', 'run:b', 'run:a@latest'] as ModelId[] });
  await Promise.all([useComparing.getState().loadSplit(), useComparing.getState().loadSplit()]);
  expect(split.mock.calls).toEqual([[{ runId: 'b' }, ['a']]]);
  useComparing.setState({ chosen: ['base'] });
  await useComparing.getState().loadSplit();
  expect(useComparing.getState().split).toBeNull();
});

test('data that cannot be read are told, and keep nothing from being asked', async () => {
  connect({
    split: async () => {
      throw new TabtuneError({ code: 'bad_data', message: 'It is not stored here.' });
    },
  });
  await useCompare.getState().openRun(runRecord());
  await useComparing.getState().loadSplit();
  expect(useComparing.getState()).toMatchObject({
    splitting: false,
    splitError: { message: 'It is not stored here.' },
  });
  useComparing.getState().write('Hello');
  await useComparing.getState().ask();
  expect(texts()).toHaveLength(2);
});

test('a failure is shown and every column comes to rest', async () => {
  connect({
    answer: async () => {
      throw new TabtuneError({ code: 'gpu_lost', message: 'The GPU went away.' });
    },
  });
  await useCompare.getState().openRun(runRecord());
  useComparing.getState().write('Hello');
  await useComparing.getState().ask();
  const { error, answers, generating } = useComparing.getState();
  expect([error?.message, generating]).toEqual(['The GPU went away.', false]);
  expect(answers.map(({ state }) => state)).toEqual(['stopped', 'stopped']);
});

test('a stop keeps what was written; other columns forget it', async () => {
  connect({
    answer: (columns, _prompt, _options, onText, signal) =>
      new Promise((resolve) => {
        onText(0, 'half');
        signal!.addEventListener('abort', () =>
          resolve({ answers: columns.map(() => ({ text: 'half' })), inTurn: false }),
        );
      }),
  });
  await useCompare.getState().openRun(runRecord());
  useComparing.getState().write('Hello');
  const first = useComparing.getState().ask();
  await later();
  expect(useComparing.getState().answers[0]).toEqual({ text: 'half', state: 'writing' });
  useComparing.getState().cancel();
  await first;
  expect(useComparing.getState().answers.map(({ state }) => state)).toEqual(['stopped', 'stopped']);
  const second = useComparing.getState().ask();
  await later();
  useComparing.getState().choose(2, 'file:mine');
  await second;
  expect(useComparing.getState().answers).toEqual([]);
  expect([useComparing.getState().generating, useCompare.getState().generating]).toEqual([false, false]);
});

test('examples of few answers take turns, so that every label is shown', () => {
  const trained = ['a', 'a', 'a', 'b', 'c', 'c'].map((expected, i) => ({ row: i, text: `text ${i}`, expected }));
  const split = { dataset: '', heldOut: [], trained, heldOutTotal: 0, trainedTotal: 6, doubt: null };
  expect(shotsFor(split, 4, 'text 0').map(({ expected }) => expected)).toEqual(['a', 'b', 'c', 'a']);
  const answers = trained.map((one) => ({ ...one, expected: one.text }));
  expect(shotsFor({ ...split, trained: answers }, 2, 'other').map(({ text }) => text)).toEqual(['text 0', 'text 1']);
});

test('another prompt takes the place of the one that is being answered', async () => {
  connect({
    answer: (_columns, { text }, _options, onText, signal) =>
      new Promise((resolve) => {
        const end = () => resolve({ answers: [{ text }], inTurn: false });
        onText(0, `${text}…`);
        if (text === 'second') end();
        else signal!.addEventListener('abort', end);
      }),
  });
  useComparing.getState().write('first');
  const first = useComparing.getState().ask();
  await later();
  useComparing.getState().write('second');
  await useComparing.getState().ask();
  await first;
  const { asked: prompt, answers, generating } = useComparing.getState();
  expect([prompt?.text, answers, generating]).toEqual(['second', [{ text: 'second', state: 'done' }], false]);
});

test('models that sort are asked for labels; the base with examples writes one', async () => {
  const comparison = connect();
  vi.mocked(comparison.answer).mockResolvedValue({ answers: [{ text: ' praise\nText: more' }], inTurn: false });
  const run = runRecord();
  run.recipe = { ...run.recipe, objective: { type: 'sequence_classification' } as typeof run.recipe.objective };
  useRuns.setState({ runs: [run] });
  await useCompare.getState().openRun(run);
  await useComparing.getState().loadSplit();
  useComparing.getState().set({ shots: 2 });
  useComparing.getState().write('I like it');
  await useComparing.getState().ask();
  expect(asked(comparison)).toEqual([[{ model: 'base', strength: 0, shots: [{ text: 'trained', expected: 'no' }] }]]);
  const said = useComparing.getState().answers.map(({ scores, text }) => scores?.[0]?.label ?? text);
  expect(said).toEqual(['base', 'praise', 'run:run-1']);
  // An encoder writes nothing.
  useModel.setState({ info: { ...model, kind: 'encoder' } });
  await useComparing.getState().ask();
  useModel.setState({ info: null });
  expect(useComparing.getState().answers.map(({ scores }) => scores?.[0]?.label)).toEqual(['base', 'run:run-1']);
});

test('another model forgets the columns and their answers', async () => {
  connectSession(
    fakeSession({
      listAdapters: async () => [
        {
          ...{ id: 'run:run-1', name: 'a', method: 'lora', objective: 'sft' },
          ...{ trainableParameters: 1, active: true, runId: 'run-1', settings: runRecord().recipe.method },
        },
      ],
    }),
  );
  await useCompare.getState().openRun(runRecord());
  useComparing.getState().choose(2, 'run:run-1@latest');
  useComparing.getState().write('Hello');
  await useComparing.getState().ask();
  expect(texts()).toHaveLength(3);
  useCompare.getState().forgetAdapter();
  expect([models(), texts()]).toEqual([['base'], []]);
});
