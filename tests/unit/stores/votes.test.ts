import { beforeEach, expect, test, vi } from 'vitest';
import type { Comparison, Vote } from '../../../src/session/comparison-types';
import { fakeComparison, fakeSession, runRecord } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { useCompare } = await import('../../../src/stores/compare');
const { useComparing } = await import('../../../src/stores/comparing');
const { useRuns } = await import('../../../src/stores/runs');
const { contestsOf, standings, useVotes } = await import('../../../src/stores/votes');

const initial = useVotes.getState();
const comparingAtFirst = useComparing.getState();
beforeEach(() => {
  useVotes.getState().stop();
  useCompare.getState().forgetAdapter();
  useComparing.setState(comparingAtFirst, true);
  useVotes.setState(initial, true);
  useRuns.setState({ runs: [] });
});

/** Every answer says its model and its seed, unless `text` says otherwise. */
function connect(text = (model: string, seed: number) => `${model} ${seed}`, parts: Partial<Comparison> = {}) {
  const saved: (readonly Vote[])[] = [];
  const answer = vi.fn<Comparison['answer']>(async (columns) => ({
    answers: columns.map(({ model, sampling }) => ({ text: text(model, sampling!.seed) })),
    inTurn: false,
  }));
  const comparison = fakeComparison({
    answer,
    votes: async () => [...(saved.at(-1) ?? [])],
    saveVotes: async (votes) => void saved.push(votes),
    ...parts,
  });
  connectSession(
    fakeSession({
      comparison: async () => comparison,
      openRun: async (id) => useRuns.getState().runs.find((run) => run.id === id) ?? runRecord({ id }),
    }),
  );
  return { answer, saved };
}
const pairShown = () => vi.waitFor(() => expect(useVotes.getState().pair).not.toBeNull());

test('a model answers twice with numbers of its own, on prompts that were trained on', async () => {
  const { answer, saved } = connect();
  await useCompare.getState().openRun(runRecord());
  useVotes.getState().start();
  await pairShown();
  const { pair } = useVotes.getState();
  expect(pair!.prompt.text).toBe('trained');
  expect([pair!.a.model, pair!.b.model]).toEqual(['run:run-1', 'run:run-1']);
  expect(pair!.a.seed).not.toBe(pair!.b.seed);
  expect(pair!.a.name).not.toBe('Base');
  // The next pair is on its way while this one is read.
  await vi.waitFor(() => expect(answer).toHaveBeenCalledTimes(2));
  useVotes.getState().vote('b');
  await pairShown();
  expect(useVotes.getState().pair!.a.text).not.toBe(pair!.a.text);
  await vi.waitFor(() => expect(saved.at(-1)).toHaveLength(1));
  expect(saved.at(-1)![0]).toMatchObject({ prompt: { text: 'trained' }, verdict: 'b', a: pair!.a, b: pair!.b });
});

test('two models are compared in an order that is drawn', async () => {
  connect();
  await useCompare.getState().openRun(runRecord());
  useVotes.getState().setContest({ a: 'base', b: 'run:run-1' });
  useVotes.getState().start();
  const orders = new Set<boolean>();
  for (let i = 0; i < 12; i++) {
    await pairShown();
    const { pair } = useVotes.getState();
    expect([pair!.a.model, pair!.b.model]).toEqual(['base', 'run:run-1']);
    orders.add(pair!.swapped);
    useVotes.getState().vote('b');
  }
  expect(orders.size).toBe(2);
  expect(standings(useVotes.getState().votes)).toMatchObject([
    { name: 'Base', won: 0, of: 12 },
    { won: 12, of: 12 },
  ]);
});

test('equal answers are left out and counted; when all are equal it stops and says why', async () => {
  let answers = 0;
  connect((_model, seed) => (answers++ < 4 ? 'the same' : `other ${seed}`));
  useVotes.getState().start();
  await pairShown();
  expect(useVotes.getState().same).toBe(2);
  expect(useVotes.getState().pair!.a.text).not.toBe(useVotes.getState().pair!.b.text);

  connect(() => 'always this');
  useVotes.getState().start();
  await vi.waitFor(() => expect(useVotes.getState().error).not.toBeNull());
  expect(useVotes.getState().error!.message).toMatch(/the same for 4 prompts/);
  expect(useVotes.getState().phase).toBe('off');
});

test('a failed answer ends the voting with its reason, and keeps the votes', async () => {
  connect(undefined, {
    answer: async (columns) => ({
      answers: columns.map(() => ({ text: '', error: { code: 'bad_data', message: 'The prompt is too long.' } })),
      inTurn: false,
    }),
  });
  const vote: Vote = {
    prompt: { text: 'x' },
    a: { model: 'base', name: 'Base', temperature: 1, seed: 1, text: 'a' },
    b: { model: 'base', name: 'Base', temperature: 1, seed: 2, text: 'b' },
    verdict: 'a',
    at: 1,
  };
  useVotes.setState({ votes: [vote] });
  useVotes.getState().start();
  await vi.waitFor(() => expect(useVotes.getState().error?.message).toBe('The prompt is too long.'));
  expect(useVotes.getState().votes).toEqual([vote]);
});

test('votes are taken back, changed and removed, and each change is saved', async () => {
  const { saved } = connect();
  useVotes.getState().start();
  for (const verdict of ['a', 'both_bad', 'b'] as const) {
    await pairShown();
    useVotes.getState().vote(verdict);
  }
  await pairShown();
  const waiting = useVotes.getState().pair;
  useVotes.getState().undo();
  // The pair of the vote is back, and the one that was being read comes after it.
  expect(useVotes.getState().pair).not.toBe(waiting);
  const [first, second] = useVotes.getState().votes;
  useVotes.getState().change(first!.at, 'both_good');
  useVotes.getState().remove(second!.at);
  await vi.waitFor(() => expect(saved.at(-1)?.map(({ verdict }) => verdict)).toEqual(['both_good']));
  useVotes.getState().skip();
  await vi.waitFor(() => expect(useVotes.getState().pair).toBe(waiting));
});

test('a vote is taken back while the next pair is still being written: its pair stays, and that one comes after it', async () => {
  const waiting: (() => void)[] = [];
  const { answer } = connect();
  useVotes.getState().start();
  await pairShown();
  const first = useVotes.getState().pair;
  await vi.waitFor(() => expect(answer).toHaveBeenCalledTimes(2));
  const quick = answer.getMockImplementation()!;
  answer.mockImplementation(async (...given) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return quick(...given);
  });
  useVotes.getState().vote('a');
  await pairShown();
  const second = useVotes.getState().pair;
  await vi.waitFor(() => expect(waiting).toHaveLength(1));
  useVotes.getState().vote('a');
  expect(useVotes.getState().pair).toBeNull();
  useVotes.getState().undo();
  expect(useVotes.getState().pair).toBe(second);
  waiting.shift()!();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(useVotes.getState().pair).toBe(second);
  useVotes.getState().skip();
  await pairShown();
  expect([first, second]).not.toContain(useVotes.getState().pair);
  expect(useVotes.getState().votes).toHaveLength(1);
});

test('what may be compared: each model with itself, the last column first, and every two', () => {
  expect(contestsOf(['base', 'run:1', 'base'])).toEqual([
    { a: 'run:1', b: 'run:1' },
    { a: 'base', b: 'base' },
    { a: 'base', b: 'run:1' },
  ]);
});
