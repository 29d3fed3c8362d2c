import { beforeEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { StorageItem } from '../../../src/session/api';
import { fakeSession } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { modelsKept, useStorage } = await import('../../../src/stores/storage');

const initial = useStorage.getState();
beforeEach(() => useStorage.setState(initial, true));

const item = (change: Partial<StorageItem>): StorageItem => ({
  id: 'model/own',
  kind: 'model',
  name: 'own',
  bytes: 10,
  createdAt: 1,
  ...change,
});
const report = { usage: 10, quota: 100, persisted: false, items: [] as StorageItem[] };

test('models can be opened again by their source; other things and half a download cannot', () => {
  const items = [
    item({}),
    item({ id: 'hf:org/tiny@abc', name: 'org/tiny @ abc', usedAt: 2 }),
    item({ id: 'hf:org/half@abc', name: 'org/half @ abc', total: 100 }),
    item({ id: 'dataset/a.csv', kind: 'dataset', name: 'a.csv' }),
  ];
  expect(modelsKept({ ...report, items }).map(({ source }) => source)).toEqual(['file:own', 'hf:org/tiny@abc']);
  expect(modelsKept(null)).toEqual([]);
});

test('what could not be deleted is said, beside the list as it is', async () => {
  connectSession(
    fakeSession({
      storage: async () => ({ ...report, items: [item({})] }),
      deleteStored: async () => {
        throw new TabtuneError({ code: 'storage', message: 'The run that is going on needs this.' });
      },
    }),
  );
  await useStorage.getState().remove('model/own');
  expect(useStorage.getState()).toMatchObject({
    report: { items: [{ id: 'model/own' }] },
    error: { message: 'The run that is going on needs this.' },
  });
});

test('the browser may keep the data or refuse to', async () => {
  let persisted = false;
  const persist = vi.fn(async () => persisted);
  connectSession(fakeSession({ persist, storage: async () => ({ ...report, persisted }) }));
  await useStorage.getState().persist();
  expect(useStorage.getState()).toMatchObject({ refused: true, report: { persisted: false } });
  persisted = true;
  await useStorage.getState().persist();
  expect(useStorage.getState()).toMatchObject({ refused: false, report: { persisted: true } });
});
