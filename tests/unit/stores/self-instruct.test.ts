import { beforeEach, expect, it, vi } from 'vitest';
import { newDraft, RougePool, type SelfInstructDraft, seedTasks, withInstructions } from '../../../src/self-instruct';
import type { SelfInstruct } from '../../../src/session/self-instruct-types';
import { rowsOf, useSelfInstruct } from '../../../src/stores/self-instruct';
import { connectSession } from '../../../src/stores/session';
import { fakeSession } from './fake-session';

const initial = useSelfInstruct.getState();
let stored: SelfInstructDraft[];
let run: SelfInstruct['run'];

function start(kept: SelfInstructDraft | null = null) {
  stored = [];
  run = async () => 'enough';
  const writer: SelfInstruct = {
    stored: async () => kept,
    keep: async (draft) => void stored.push(draft),
    discard: async () => {},
    readSeeds: async () => [seedTasks[0]!],
    run: (...given) => run(...given),
  };
  connectSession(fakeSession({ selfInstruct: async () => writer }));
  useSelfInstruct.setState(initial, true);
}
const state = () => useSelfInstruct.getState();

beforeEach(() => start());

it('begins with what was kept, or with the seeds that come with Tabtune', async () => {
  await state().load();
  expect(state()).toMatchObject({ status: 'ready', draft: { seeds: seedTasks, tasks: [] } });
  const kept = { ...newDraft([seedTasks[3]!]), rounds: 7 };
  start(kept);
  await state().load();
  expect(state().draft).toEqual(kept);
});

it('stores every change, the last one last', async () => {
  for (let count = 1; count <= 5; count++) state().set({ num_instructions_to_generate: count });
  state().setSeeds([seedTasks[1]!]);
  await vi.waitFor(() => expect(stored.at(-1)?.seeds).toEqual([seedTasks[1]]));
  expect(stored.at(-1)!.settings.num_instructions_to_generate).toBe(5);
  await state().readSeeds(new File([''], 'a.jsonl'));
  await vi.waitFor(() => expect(stored.at(-1)?.seeds).toEqual([seedTasks[0]]));
});

it('shows what is written while it is written, and how it ended', async () => {
  let finish: (end: 'enough' | 'cancelled') => void = () => {};
  const written = withInstructions(
    state().draft,
    new RougePool(),
    { text: ' Name five birds that live near lakes.', cut: false },
    'm',
  );
  run = async (draft, onDraft, onNow, signal) => {
    // Ten rounds for nothing are over when somebody asks for more.
    expect(draft.barren).toBe(0);
    onNow({ stage: 'instructions', done: 0, total: 1, text: 'Name' });
    onDraft(written);
    return new Promise((resolve) => {
      finish = resolve;
      signal?.addEventListener('abort', () => resolve('cancelled'));
    });
  };
  useSelfInstruct.setState({ draft: { ...state().draft, barren: 10 } });
  let writing = state().start();
  await vi.waitFor(() => expect(state()).toMatchObject({ writing: true, draft: written, now: { text: 'Name' } }));
  finish('enough');
  await writing;
  expect(state()).toMatchObject({ writing: false, now: null, end: 'enough' });
  writing = state().start();
  await vi.waitFor(() => expect(state().now).not.toBeNull());
  state().pause();
  await writing;
  expect(state()).toMatchObject({ writing: false, end: 'cancelled', draft: written });
  run = async () => {
    throw new Error('lost');
  };
  await state().start();
  expect(state()).toMatchObject({ writing: false, error: { message: 'The model could not go on writing.' } });
});

it('starts over with the same seeds and settings', async () => {
  const draft = { ...newDraft([seedTasks[2]!]), rounds: 3 };
  useSelfInstruct.setState({ draft });
  await state().discard();
  expect(state().draft).toEqual({ ...draft, rounds: 0 });
  expect(stored.at(-1)).toEqual(state().draft);
  expect(rowsOf(draft)).toEqual({ machine: 0, seeds: 1 });
});
