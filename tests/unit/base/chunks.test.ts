import { expect, it, vi } from 'vitest';
import { chunk } from '../../../src/base/chunks';
import { TabtuneError } from '../../../src/base/errors';

it('code that cannot be fetched is an error that says what to do, and is asked for again', async () => {
  const load = vi.fn(async () => 'here');
  load.mockRejectedValueOnce(new TypeError('Failed to fetch dynamically imported module'));
  const part = chunk(load);
  const error = await part().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(TabtuneError);
  expect(error).toMatchObject({
    message: 'A part of Tabtune could not be loaded.',
    action: 'Check the connection and try again, or reload the page.',
    details: 'TypeError: Failed to fetch dynamically imported module',
  });
  expect(await part()).toBe('here');
});
