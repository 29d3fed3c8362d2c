import { afterEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { FinishedExport, Session } from '../../../src/session/api';
import { fakeSession } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { useExports } = await import('../../../src/stores/exports');
const initial = useExports.getState();

const recipe = resolveRecipe({ version: 1 });

const finished: FinishedExport = {
  id: 'merged-f32',
  fileName: 'pirate-chat-merged.zip',
  files: [],
  bytes: 1000,
  notes: [],
  proof: {
    texts: 1,
    tokens: 256,
    maxLogitDifference: 2e-6,
    largestLogit: 9,
    unproven: null,
    sameChoices: 256,
    carried: 1,
    rounding: null,
    perplexity: { before: 3, after: 3 },
  },
};

afterEach(() => useExports.setState(initial, true));

function withExport(exportAs: Session['exportAs']) {
  connectSession(fakeSession({ exportAs }));
}

test('what is exported is saved, and told with its proof', async () => {
  const exportAs = vi.fn(async () => finished);
  withExport(exportAs);
  const save = vi.fn(async () => {});
  await useExports.getState().export('merged-f32', recipe, save);
  expect(exportAs.mock.calls[0]).toEqual([
    'merged-f32',
    { onProgress: expect.any(Function), signal: expect.any(AbortSignal), recipe, page: {} },
  ]);
  expect(save).toHaveBeenCalledTimes(1);
  expect(useExports.getState()).toMatchObject({
    state: 'idle',
    error: null,
    result: finished,
  });
});

test('a cancelled export saves nothing and is no error', async () => {
  withExport((_id, { signal }) => {
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () =>
        reject(new TabtuneError({ code: 'cancelled', message: 'The export was cancelled.' })),
      );
    });
  });
  const save = vi.fn(async () => {});
  const working = useExports.getState().export('merged-f32', recipe, save);
  useExports.getState().cancel();
  await working;
  expect(save).not.toHaveBeenCalled();
  expect(useExports.getState()).toMatchObject({ state: 'idle', error: null, result: null });
});

test('an export that ends although it was cancelled is not saved either', async () => {
  withExport(async () => {
    useExports.getState().cancel();
    return finished;
  });
  const save = vi.fn(async () => {});
  await useExports.getState().export('merged-f32', recipe, save);
  expect(save).not.toHaveBeenCalled();
  expect(useExports.getState().result).toBeNull();
});

test('a full disk is an error, and no result', async () => {
  withExport(async () => finished);
  await useExports.getState().export('merged-f32', recipe, async () => {
    throw new DOMException('no space', 'QuotaExceededError');
  });
  expect(useExports.getState()).toMatchObject({ state: 'idle', result: null, error: { code: 'internal' } });
});

test('while one is written, another cannot be begun', async () => {
  let finish: (value: FinishedExport) => void = () => {};
  const exportAs = vi.fn(() => new Promise<FinishedExport>((resolve) => (finish = resolve)));
  withExport(exportAs);
  const first = useExports.getState().export('merged-f32', recipe, async () => {});
  await useExports.getState().export('merged-f32', recipe, async () => {});
  finish(finished);
  await first;
  expect(exportAs).toHaveBeenCalledTimes(1);
});
