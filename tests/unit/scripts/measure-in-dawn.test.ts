/** The process that measures through Dawn ends with what ended it, whether or not there is a driver here. */
import { expect, test } from 'vitest';
import { measureInDawn } from '../../../scripts/measure-in-dawn.mjs';

const options = { given: { device: 'software', filter: '' }, env: {}, onProgress: () => {}, timeoutMs: 60_000 };

test('a person who stops it is told that, and not that an operation was aborted', async () => {
  const stop = new AbortController();
  const measured = measureInDawn('/nowhere.mjs', 'bench', { ...options, signal: stop.signal });
  stop.abort(new Error('Stopped.'));
  await expect(measured).rejects.toThrow('Stopped.');
});
