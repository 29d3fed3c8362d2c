import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { bf16ToF32, f16ToF32 } from '../../../src/formats/half';
import { findDuplicateKey } from '../../../src/formats/json-keys';
import { openSafetensors, parseSafetensorsHeader, writeSafetensors } from '../../../src/formats/safetensors';
import { cpuSeconds } from '../../support/time';

const reference = new Uint8Array(readFileSync('tests/fixtures/formats/reference.safetensors'));

/** A file with the given header and number of data bytes; `claim` replaces the true header length. */
function file(header: string | Uint8Array, dataBytes = 0, claim?: bigint): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claim ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function open(bytes: Uint8Array, size = bytes.length) {
  return openSafetensors(async (start, end) => bytes.slice(start, end).buffer as ArrayBuffer, size, {
    where: 'model.safetensors',
  });
}

const entry = (begin: number | string, end: number | string, shape = '[1]', dtype = 'F32') =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe('reading', () => {
  it('reads a file written by the reference implementation', async () => {
    const { tensors, metadata } = await open(reference);
    expect({ ...metadata }).toEqual({ format: 'pt' });
    expect([...tensors.keys()]).toEqual(['Z', 'b.weight', 'empty', 'é', 'brain', 'half']);
    const data = (name: string) => {
      const { start, end } = tensors.get(name)!;
      return reference.slice(start, end).buffer as ArrayBuffer;
    };
    expect(tensors.get('Z')?.shape).toEqual([]);
    expect(tensors.get('empty')).toMatchObject({ dtype: 'F32', shape: [0, 2] });
    expect([...new Float32Array(data('b.weight'))]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...f16ToF32(new Uint16Array(data('half')))]).toEqual([1, -2, 65_504]);
    expect(bf16ToF32(new Uint16Array(data('brain')))[0]).toBe(1);
  });

  it('reads only the header', async () => {
    const asked: [number, number][] = [];
    await openSafetensors(
      async (start, end) => {
        asked.push([start, end]);
        return reference.slice(start, end).buffer as ArrayBuffer;
      },
      reference.length,
      { where: 'model.safetensors' },
    );
    expect(Math.max(...asked.map(([, end]) => end))).toBeLessThan(reference.length);
  });

  it('treats names from Object.prototype as ordinary tensor names', async () => {
    const { tensors } = await open(file(`{"toString":${entry(0, 4)}}`, 4));
    expect(tensors.get('toString')?.shape).toEqual([1]);
    expect(tensors.has('valueOf')).toBe(false);
  });

  it('reads 100,000 tensors in seconds', async () => {
    const entries = Array.from({ length: 100_000 }, (_, i) => `"layers.${i}.weight":${entry(i * 4, i * 4 + 4)}`);
    const before = cpuSeconds();
    const { tensors } = await open(file(`{${entries.join(',')}}`, 400_000));
    expect(tensors.size).toBe(100_000);
    expect(cpuSeconds() - before).toBeLessThan(30);
  });
});

describe('refusing', () => {
  const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const bad: [name: string, bytes: Uint8Array, says: RegExp, where?: RegExp][] = [
    ['0 bytes', new Uint8Array(0), /empty/],
    ['7 bytes', new Uint8Array(7), /7 bytes/],
    ['8 bytes', new Uint8Array(8), /8 bytes/],
    ['header length 2^63', file('{}', 8, 2n ** 63n), /not a safetensors file/],
    ['header length 2^64-1', file('{}', 8, 2n ** 64n - 1n), /not a safetensors file/],
    ['header length 0', file('{}', 0, 0n), /header is empty/],
    ['header longer than the file', file('{}', 8, 1000n), /cut off inside its header/],
    ['not JSON', file('{"a":'), /not valid JSON/],
    ['an HTML page', file('<!doctype html>'), /does not start with/],
    ['byte order mark', file('\ufeff{}'), /does not start with/],
    ['JSON array', file('[]'), /does not start with/],
    ['not UTF-8', file(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])), /not valid JSON/],
    ['nested 100,000 deep', file(deep), /not a JSON object|not valid JSON/],
    ['duplicate tensor', file(`{"a":${entry(0, 4)},"a":${entry(0, 4)}}`, 4), /"a" twice/],
    ['duplicate tensor, escaped', file(`{"a":${entry(0, 4)},"\\u0061":${entry(0, 4)}}`, 4), /"a" twice/],
    [
      'duplicate field',
      file('{"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}}', 4),
      /"dtype" twice/,
    ],
    ['tensor __proto__', file(`{"__proto__":${entry(0, 4)}}`, 4), /__proto__/],
    ['tensor constructor', file(`{"constructor":${entry(0, 4)}}`, 4), /constructor/],
    ['metadata not an object', file('{"__metadata__":[]}'), /metadata/],
    ['metadata not a string', file('{"__metadata__":{"format":1}}'), /"format" is not a string/],
    ['tensor null', file('{"a":null}'), /not a JSON object/, /tensor a$/],
    ['offsets reversed', file(`{"a":${entry(4, 0)}}`, 4), /offsets/, /tensor a$/],
    ['offsets overlapping', file(`{"a":${entry(0, 4)},"b":${entry(2, 6)}}`, 6), /overlap/],
    ['the same bytes twice', file(`{"a":${entry(0, 4)},"b":${entry(0, 4)}}`, 4), /overlap/],
    ['a gap', file(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), /gap before the tensor b/],
    ['a gap before the first tensor', file(`{"a":${entry(4, 8)}}`, 8), /gap before the tensor a/],
    ['past the end', file(`{"a":${entry(0, 400, '[100]')}}`, 40), /cut off/],
    ['last tensor truncated', reference.slice(0, -1), /cut off/],
    ['bytes after the last tensor', file(`{"a":${entry(0, 4)}}`, 8), /belong to no tensor/],
    ['data without tensors', file('{}', 8), /belong to no tensor/],
    ['offset NaN', file(`{"a":${entry('NaN', 4)}}`, 4), /not valid JSON/],
    ['offset null', file(`{"a":${entry('null', 4)}}`, 4), /offsets/, /tensor a$/],
    ['offset 1e20', file(`{"a":${entry(0, '1e20')}}`, 4), /offsets/],
    ['offset -1', file(`{"a":${entry(-1, 3)}}`, 4), /offsets/],
    ['offset 0.5', file(`{"a":${entry(0.5, 4.5)}}`, 4), /offsets/],
    ['offset as a string', file(`{"a":${entry('"0"', 4)}}`, 4), /offsets/],
    ['three offsets', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}', 8), /offsets/],
    ['no offsets', file('{"a":{"dtype":"F32","shape":[1]}}', 4), /offsets/],
    ['shape [] with 8 bytes', file(`{"a":${entry(0, 8, '[]')}}`, 8), /needs 4 bytes/],
    ['shape with 0 and bytes', file(`{"a":${entry(0, 4, '[0,4]')}}`, 4), /needs 0 bytes/],
    ['shape too small', file(`{"a":${entry(0, 8)}}`, 8), /needs 4 bytes, but the tensor has 8/],
    ['shape of 2^53', file(`{"a":${entry(0, 4, '[134217728,134217728]')}}`, 4), /larger than any file/],
    ['shape negative', file(`{"a":${entry(0, 4, '[-1,-1]')}}`, 4), /shape/],
    ['shape not numbers', file(`{"a":${entry(0, 4, '["1"]')}}`, 4), /shape/],
    ['shape missing', file('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), /shape/],
    ['nine dimensions', file(`{"a":${entry(0, 4, '[1,1,1,1,1,1,1,1,1]')}}`, 4), /9 dimensions/],
    ['dtype F8_E4M3', file(`{"a":${entry(0, 1, '[1]', 'F8_E4M3')}}`, 1), /"F8_E4M3"/, /tensor a$/],
    ['dtype F4', file(`{"a":${entry(0, 1, '[2]', 'F4')}}`, 1), /"F4"/],
    ['dtype from Object.prototype', file(`{"a":${entry(0, 1, '[1]', 'toString')}}`, 1), /"toString"/],
    ['dtype missing', file('{"a":{"shape":[1],"data_offsets":[0,4]}}', 4), /number format/],
  ];

  it.each(bad)('%s', async (_name, bytes, says, where) => {
    const before = cpuSeconds();
    const error = await open(bytes).then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(cpuSeconds() - before).toBeLessThan(10);
    expect(error).toBeInstanceOf(TabtuneError);
    const { code, message, where: place, action } = error as TabtuneError;
    expect(code).toBe('bad_model');
    expect(message).toMatch(says);
    expect(place).toMatch(/^model\.safetensors/);
    if (where) expect(place).toMatch(where);
    expect(action).toBeTruthy();
  });

  it('a 200 MB header, before reading it', async () => {
    const first8 = file('', 0, 200_000_000n);
    const asked: number[] = [];
    const opening = openSafetensors(
      async (start, end) => {
        asked.push(end);
        return first8.slice(start, end).buffer as ArrayBuffer;
      },
      300_000_000,
      { where: 'model.safetensors' },
    );
    await expect(opening).rejects.toMatchObject({ code: 'bad_model', message: expect.stringContaining('200000000') });
    expect(asked).toEqual([8]);
  });

  it('long names, without repeating them in full', () => {
    const bytes = file(`{"${'x'.repeat(100_000)}":null}`);
    try {
      parseSafetensorsHeader(bytes, bytes.length, { where: 'a.safetensors', code: 'bad_adapter' });
      expect.fail('not refused');
    } catch (error) {
      expect((error as TabtuneError).code).toBe('bad_adapter');
      expect((error as TabtuneError).where!.length).toBeLessThan(200);
    }
  });
});

describe('duplicate keys', () => {
  it.each([
    ['{"a":{"a":1},"b":{"a":1}}', null],
    ['{"a":"b:","b":["a","a"],"c":{"d":{"x":1,"x":2}}}', null],
    ['{"a\\"":1,"a\\\\":2}', null],
    ['{"a" : 1, "b": 2,\n"a"\t:3}', 'a'],
    ['{"a":{"x":1,"y":{"x":1},"x":2}}', 'x'],
  ])('%s', (text, expected) => {
    expect(findDuplicateKey(text)).toBe(expected);
  });
});

describe('writing', () => {
  it('gives the same bytes as the reference implementation', async () => {
    const { tensors } = await open(reference);
    const parts = [...tensors].reverse().map(([name, { dtype, shape, start, end }]) => ({
      name,
      dtype: dtype as 'F32' | 'F16' | 'BF16',
      shape,
      data: reference.slice(start, end),
    }));
    expect(writeSafetensors(parts, { format: 'pt' })).toEqual(reference);
  });

  it('aligns the data and does not depend on the order of tensors or metadata', async () => {
    const a = { name: 'a', dtype: 'F32' as const, shape: [2], data: Float32Array.of(1, 2) };
    const b = { name: 'b', dtype: 'BF16' as const, shape: [1, 1], data: Uint16Array.of(0x3f80) };
    const one = writeSafetensors([a, b], { format: 'pt', by: 'x' });
    expect(writeSafetensors([b, a], { by: 'x', format: 'pt' })).toEqual(one);
    const { tensors, metadata } = await open(one);
    expect(tensors.get('a')!.start % 8).toBe(0);
    expect({ ...metadata }).toEqual({ by: 'x', format: 'pt' });
    expect(new Float32Array(one.slice(tensors.get('a')!.start, tensors.get('a')!.end).buffer)).toEqual(a.data);
  });

  it('writes only the view of a larger buffer', async () => {
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    const bytes = writeSafetensors([{ name: 'a', dtype: 'F32', shape: [2], data }]);
    expect([...new Float32Array(bytes.slice(-8).buffer)]).toEqual([1, 2]);
  });

  it.each([
    ['the wrong size', [{ name: 'a', dtype: 'F32' as const, shape: [3], data: Float32Array.of(1, 2) }]],
    [
      'a duplicate name',
      [1, 2].map((x) => ({ name: 'a', dtype: 'F32' as const, shape: [], data: Float32Array.of(x) })),
    ],
    [
      'a tensor called __metadata__',
      [{ name: '__metadata__', dtype: 'F32' as const, shape: [0], data: Float32Array.of() }],
    ],
  ])('refuses %s', (_name, tensors) => {
    expect(() => writeSafetensors(tensors)).toThrow(TabtuneError);
  });
});
