/**
 * Spellings of an adapter's keys. What PEFT opens was tried with PEFT 0.21.2 and transformers 5.23 on every family: it finds
 * exactly the first list, and leaves everything in the second out in silence. `npm run test:interop -- spellings` repeats that.
 */
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { readPeft } from '../../../src/methods/read-adapter';
import { asSaved, respelled } from '../../interop/respelled';
import { OPENED, REFUSED } from '../../interop/spellings';

describe.each(OPENED)('$name', (spelling) => {
  it.each(spelling.fixtures)('of %s is read as PEFT’s own', async (folder) => {
    const own = readPeft(await respelled(folder, { rename: asSaved }));
    expect(readPeft(await respelled(folder, spelling)).tensors).toEqual(own.tensors);
  });
});

describe.each(REFUSED.filter(({ onModel }) => !onModel))('$name', (spelling) => {
  it.each(spelling.fixtures)('of %s is refused with the key, and never in the words of recipes', async (folder) => {
    const files = await respelled(folder, spelling);
    let error: unknown;
    try {
      readPeft(files);
    } catch (cause) {
      error = cause;
    }
    expect(error).toBeInstanceOf(TabtuneError);
    const { code, where, message, action } = error as TabtuneError;
    expect(code).toBe('bad_adapter');
    expect(where).toMatch(/^adapter_(model\.safetensors, tensor|config\.json, )/);
    expect(`${message} ${action}`).not.toMatch(/all-linear|recipe|method\./);
    if (spelling.says) expect(message).toMatch(spelling.says);
  });
});
