import { afterEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { HubHit, HubModel } from '../../../src/hub/descriptions';
import { fakeSession, hubModel } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { isModelName, isModelOf, useHub } = await import('../../../src/stores/hub');
const initial = useHub.getState();

const hit = (id: string): HubHit => ({
  id,
  downloads: 1,
  likes: 0,
  licence: null,
  parameters: null,
  gated: false,
  private: false,
  problem: null,
});

afterEach(() => useHub.setState(initial, true));

function connect(parts: Parameters<typeof fakeSession>[0] = {}) {
  const session = fakeSession(parts);
  connectSession(session);
  return session;
}

test.each([
  ['HuggingFaceTB/SmolLM2-135M', true],
  ['org/name@v1.0', true],
  ['hf:org/name', true],
  ['https://huggingface.co/org/name/tree/main', true],
  ['smollm2', false],
  ['small chat model', false],
  ['org/', false],
])('%s is a name or an address: %s', (text, named) => expect(isModelName(text)).toBe(named));

test('a card stands for every commit of its safetensors, and for none of its GGUF files', () => {
  expect(isModelOf('hf:org/tiny', 'hf:org/tiny')).toBe(true);
  expect(isModelOf('hf:org/tiny@abc', 'hf:org/tiny')).toBe(true);
  expect(isModelOf('hf:org/tiny@abc/q4.gguf', 'hf:org/tiny')).toBe(false);
  expect(isModelOf('hf:org/tiny-2@abc', 'hf:org/tiny')).toBe(false);
});

test('words are searched for; a name is looked at', async () => {
  const session = connect({ searchHub: vi.fn(async () => [hit('org/tiny')]) });
  useHub.getState().setQuery('  tiny ');
  await useHub.getState().find();
  expect(session.searchHub).toHaveBeenCalledWith('tiny', expect.any(AbortSignal));
  expect(useHub.getState()).toMatchObject({ searched: 'tiny', searching: false, hits: [{ id: 'org/tiny' }] });
  useHub.getState().setQuery('org/tiny');
  await useHub.getState().find();
  expect(session.searchHub).toHaveBeenCalledTimes(1);
  expect(useHub.getState()).toMatchObject({ looking: 'org/tiny', model: { id: 'org/tiny' } });
});

test('a slow answer never replaces a newer one, and its request is given up', async () => {
  const answers = new Map<string, (hits: HubHit[]) => void>();
  const signals: AbortSignal[] = [];
  connect({
    searchHub: (query, signal) => {
      signals.push(signal!);
      return new Promise((resolve) => answers.set(query, resolve));
    },
  });
  useHub.getState().setQuery('old');
  const old = useHub.getState().find();
  useHub.getState().setQuery('new');
  const fresh = useHub.getState().find();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  answers.get('new')!([hit('org/new')]);
  answers.get('old')!([hit('org/old')]);
  await Promise.all([old, fresh]);
  expect(useHub.getState().hits.map(({ id }) => id)).toEqual(['org/new']);
});

test('what went wrong with a search is shown, and its results are gone', async () => {
  connect({ searchHub: async () => [hit('org/tiny')] });
  useHub.getState().setQuery('tiny');
  await useHub.getState().find();
  connect({
    searchHub: async () => {
      throw new TabtuneError({ code: 'network', message: 'The Hub cannot be reached.' });
    },
  });
  await useHub.getState().find();
  expect(useHub.getState()).toMatchObject({
    hits: [],
    searching: false,
    searchError: { message: 'The Hub cannot be reached.' },
  });
  useHub.getState().clearSearch();
  expect(useHub.getState()).toMatchObject({ query: '', searched: null, searchError: null });
});

test('a model that is no longer looked at does not come back', async () => {
  let answer: (model: HubModel) => void = () => {};
  connect({ describeModel: () => new Promise((resolve) => (answer = resolve)) });
  const look = useHub.getState().look('org/tiny');
  useHub.getState().closeLook();
  answer(hubModel());
  await look;
  expect(useHub.getState()).toMatchObject({ looking: null, model: null });
});

test('with a token, what is looked at is asked for again', async () => {
  const session = connect({ describeModel: vi.fn(async () => hubModel({ access: 'token' })) });
  await useHub.getState().look('org/tiny');
  const settings = { endpoint: 'https://huggingface.co', token: 'hf_secret' };
  expect(await useHub.getState().setSettings(settings)).toBe(true);
  await expect.poll(() => vi.mocked(session.describeModel).mock.calls.length).toBe(2);
  expect(session.setHubSettings).toHaveBeenCalledWith(settings);
});

test('an address that is refused changes nothing', async () => {
  connect({
    setHubSettings: async () => {
      throw new TabtuneError({ code: 'network', message: 'This is no address.' });
    },
  });
  expect(await useHub.getState().setSettings({ endpoint: 'nowhere', token: null })).toBe(false);
  expect(useHub.getState()).toMatchObject({
    settings: { endpoint: 'https://huggingface.co' },
    settingsError: { message: 'This is no address.' },
  });
});
