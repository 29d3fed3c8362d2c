import { beforeEach, describe, expect, it, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { ExportedFile } from '../../../src/exports/export';
import type { PushAccount, Pushed, PushOrder, PushPace, PushTarget } from '../../../src/hub/push/types';
import { connectSession } from '../../../src/stores/session';
import { fakeSession } from './fake-session';

const listeners: (() => void)[] = [];
vi.stubGlobal('addEventListener', (type: string, listener: () => void) => {
  if (type === 'online') listeners.push(listener);
});
const { pushShare, usePush } = await import('../../../src/stores/push');
const { useHub } = await import('../../../src/stores/hub');

const ada: PushAccount = { name: 'ada', owners: ['ada', 'lab'], refused: [] };
const done: Pushed = { id: 'ada/pirate', url: 'https://huggingface.co/ada/pirate', commit: 'c'.repeat(40), notes: [] };
const cut = () => new TabtuneError({ code: 'network', message: 'The connection was lost.' });
const target = (change: Partial<PushTarget> = {}): PushTarget => ({
  ...{ id: 'ada/pirate', private: true, commit: null, files: [] },
  ...change,
});

const account = vi.fn(async (_token: string) => ada);
const look = vi.fn(async (_repo: string): Promise<PushTarget | null> => null);
const push = vi.fn(
  async (_order: PushOrder, _onProgress: (progress: PushPace) => void, _signal: AbortSignal): Promise<Pushed> => done,
);
const files = vi.fn(async (): Promise<ExportedFile[]> => [{ path: 'README.md', blob: new Blob(['x']) }]);
const subject = (change = {}) => ({ id: 'peft', name: 'pirate', files, ...change });
const state = () => usePush.getState();

beforeEach(async () => {
  vi.clearAllMocks();
  for (const mock of [account, look, push]) mock.mockReset();
  account.mockResolvedValue(ada);
  look.mockResolvedValue(null);
  push.mockResolvedValue(done);
  connectSession(fakeSession({ pushing: async () => ({ account, target: look, push }) }));
  usePush.setState(usePush.getInitialState(), true);
  useHub.setState({ settings: { endpoint: 'https://huggingface.co', token: null } });
  state().open(subject());
  await vi.waitFor(() => expect(state().files).toHaveLength(1));
  await state().check('hf_x');
});

describe('the dialog', () => {
  it('opens with the run’s name, private, and the files written', () => {
    expect(state()).toMatchObject({ name: 'pirate', owner: 'ada', private: true, phase: 'form', account: ada });
  });

  it('uses the token that this tab has, and keeps a better one for it', async () => {
    usePush.setState(usePush.getInitialState(), true);
    useHub.setState({ settings: { endpoint: 'https://huggingface.co', token: 'hf_known' } });
    state().open(subject());
    await vi.waitFor(() => expect(state().account).toBe(ada));
    expect(account).toHaveBeenLastCalledWith('hf_known');
  });

  it('keeps no token that the Hub does not know', async () => {
    const setSettings = vi.fn(async () => true);
    useHub.setState({ setSettings });
    account.mockRejectedValue(new TabtuneError({ code: 'access', message: 'This access token can only read.' }));
    await state().check('hf_read');
    expect(state()).toMatchObject({ account: null, accountError: { message: 'This access token can only read.' } });
    expect(setSettings).not.toHaveBeenCalled();
  });

  it('says why files could not be written, and tries again', async () => {
    files.mockRejectedValueOnce(new TabtuneError({ code: 'bad_model', message: 'It differs.' }));
    await state().writeFiles();
    expect(state()).toMatchObject({ files: null, filesError: { message: 'It differs.' } });
    await state().writeFiles();
    expect(state()).toMatchObject({ filesError: null, files: [{ path: 'README.md' }] });
  });
});

describe('a push', () => {
  it('goes to a new repository without a question', async () => {
    await state().start();
    expect(push.mock.calls[0]![0]).toMatchObject({ repo: 'ada/pirate', private: true, addTo: false });
    expect(state()).toMatchObject({ phase: 'done', result: done });
  });

  it('asks before it adds to one that is there, under its present name', async () => {
    look.mockResolvedValue(target({ id: 'ada/corsair' }));
    await state().start();
    expect(state().phase).toBe('asking');
    expect(push).not.toHaveBeenCalled();
    state().decline();
    expect(state()).toMatchObject({ phase: 'form', target: null });
    await state().start();
    await state().add();
    expect(push.mock.calls[0]![0]).toMatchObject({ repo: 'ada/corsair', addTo: true });
  });

  it('that is cut goes on without a question, and by itself when the connection is back', async () => {
    push.mockImplementationOnce(async (_order, onProgress) => {
      onProgress({ phase: 'uploading', file: 'a', done: 4, total: 10, rate: 1, secondsLeft: 6 });
      expect(pushShare(state())).toBe(0.4);
      throw cut();
    });
    await state().start();
    expect(state()).toMatchObject({ phase: 'stopped', error: { code: 'network' } });
    look.mockResolvedValue(target());
    for (const listener of listeners) listener();
    await vi.waitFor(() => expect(state().phase).toBe('done'));
    expect(push.mock.calls[1]![0]).toMatchObject({ repo: 'ada/pirate', addTo: true });
  });

  it('asks again if the repository is not as visible as is wanted now', async () => {
    push.mockImplementationOnce(async (_order, onProgress) => {
      onProgress({ phase: 'hashing', file: 'a', done: 4, total: 10, rate: 1, secondsLeft: 6 });
      throw cut();
    });
    await state().start();
    look.mockResolvedValue(target({ private: true }));
    state().set({ private: false });
    await state().start();
    expect(state().phase).toBe('asking');
  });

  it('asks if the repository turned out to be somebody’s already', async () => {
    push.mockImplementationOnce(async (_order, onProgress) => {
      onProgress({ phase: 'preparing', file: null, done: 0, total: 0, rate: null, secondsLeft: null });
      throw new TabtuneError({ code: 'access', message: 'ada/pirate exists already.' });
    });
    await state().start();
    look.mockResolvedValue(target());
    await state().start();
    expect(state().phase).toBe('asking');
    expect(push).toHaveBeenCalledTimes(1);
  });

  it('that was refused waits for a person', async () => {
    push.mockRejectedValueOnce(new TabtuneError({ code: 'access', message: 'The private storage of ada is full.' }));
    await state().start();
    for (const listener of listeners) listener();
    expect(push).toHaveBeenCalledTimes(1);
    // To another repository it asks again.
    state().set({ owner: 'lab' });
    look.mockResolvedValue(target({ id: 'lab/pirate' }));
    await state().start();
    expect(state().phase).toBe('asking');
  });

  it('can be cancelled, and is no error then', async () => {
    push.mockImplementationOnce(
      (_order, _onProgress, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new TabtuneError({ code: 'cancelled', message: '' })));
        }),
    );
    const ended = state().start();
    await vi.waitFor(() => expect(push).toHaveBeenCalled());
    state().cancel();
    await ended;
    expect(state()).toMatchObject({ phase: 'stopped', error: null });
  });

  it('is kept when its dialog opens again, and given up for another export', async () => {
    push.mockRejectedValueOnce(cut());
    await state().start();
    state().open(subject());
    expect(state().phase).toBe('stopped');
    state().open(subject({ id: 'gguf', name: 'other' }));
    expect(state()).toMatchObject({ phase: 'form', error: null, name: 'other' });
  });

  it('writes files anew that a later export has taken from the disk', async () => {
    const gone = new Blob(['x']);
    vi.spyOn(gone, 'slice').mockImplementation(() => {
      throw new DOMException('gone', 'NotReadableError');
    });
    usePush.setState({ files: [{ path: 'README.md', blob: gone }] });
    files.mockClear();
    await state().start();
    expect(files).toHaveBeenCalledTimes(1);
    expect(state().phase).toBe('done');
    expect(push.mock.calls[0]![0].files[0]!.blob).not.toBe(gone);
  });
});
