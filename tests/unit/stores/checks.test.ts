import { beforeEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { defaultRecipe } from '../../../src/recipe/defaults';
import { cancelCheck, runCheck, useChecks } from '../../../src/stores/checks';
import { useData } from '../../../src/stores/data';
import { connectSession } from '../../../src/stores/session';
import { fakeSession } from './fake-session';

const recipe = defaultRecipe();

beforeEach(() => {
  for (const name of ['near', 'leaks', 'losses'] as const) cancelCheck(name);
});

test('a check shows how far it is, and then what it has found', async () => {
  const states: unknown[] = [];
  const end = useChecks.subscribe(({ near }) => states.push(near));
  connectSession(
    fakeSession({
      nearDuplicates: async (_section, onProgress) => {
        onProgress(1, 200);
        onProgress(100, 200);
        onProgress(101, 200);
        return [{ kept: 1, others: [] }];
      },
    }),
  );
  await runCheck('near', recipe);
  end();
  // Less than a percent draws nothing.
  expect(states).toEqual([
    { status: 'running', done: 0, total: 0 },
    { status: 'running', done: 100, total: 200 },
    { status: 'done', found: [{ kept: 1, others: [] }] },
  ]);
});

test('a cancelled check ends its work and says nothing more', async () => {
  let stopped = false;
  connectSession(
    fakeSession({
      leaks: (_recipe, _onProgress, signal) =>
        new Promise((_, reject) => {
          signal!.addEventListener('abort', () => {
            stopped = true;
            reject(new TabtuneError({ code: 'cancelled', message: 'The check was cancelled.' }));
          });
        }),
    }),
  );
  const work = runCheck('leaks', recipe);
  cancelCheck('leaks');
  await work;
  expect(stopped).toBe(true);
  expect(useChecks.getState().leaks).toEqual({ status: 'idle' });
});

test('what fails says why', async () => {
  const error = { code: 'bad_model' as const, message: 'The base has no labels.' };
  connectSession(fakeSession({ exampleLosses: vi.fn(() => Promise.reject(new TabtuneError(error))) }));
  await runCheck('losses', recipe);
  expect(useChecks.getState().losses).toMatchObject({ status: 'failed', error });
});

test('what was found in other data is taken away', async () => {
  connectSession(fakeSession());
  await runCheck('near', recipe);
  await runCheck('losses', recipe);
  expect(useChecks.getState().near.status).toBe('done');
  await useData.getState().tokenize(recipe);
  expect(useChecks.getState().near.status).toBe('done');
  expect(useChecks.getState().losses.status).toBe('idle');
  await useData.getState().open(recipe.dataset);
  expect(useChecks.getState().near.status).toBe('idle');
});
