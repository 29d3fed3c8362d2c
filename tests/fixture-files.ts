/** Reads committed fixtures in Node and in the browser (where the test server serves the project's root). */

import type { WeightSource } from '../src/engine/models/model';
import { bf16ToF32 } from '../src/formats/half';
import { openSafetensors } from '../src/formats/safetensors';

export async function fixtureBytes(path: string): Promise<Uint8Array> {
  if (typeof document === 'undefined') {
    const { readFile } = await import('node:fs/promises');
    return new Uint8Array(await readFile(new URL(`./fixtures/${path}`, import.meta.url)));
  }
  const response = await fetch(`/tests/fixtures/${path}`);
  if (!response.ok) throw new Error(`Fixture ${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

export async function fixtureJson<T>(path: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await fixtureBytes(path))) as T;
}

/** A safetensors file as a source of weights, and its float values by name. */
export async function fixtureTensors(path: string) {
  const bytes = await fixtureBytes(path);
  const slice = (start: number, end: number) => bytes.slice(start, end).buffer as ArrayBuffer;
  const file = await openSafetensors(async (start, end) => slice(start, end), bytes.length, {
    where: path,
    code: 'bad_model',
  });
  const entry = (name: string) => {
    const found = file.tensors.get(name);
    if (!found) throw new Error(`${path} has no tensor ${name}`);
    return found;
  };
  const source: WeightSource = {
    info: (name) => {
      const found = file.tensors.get(name);
      return found && { dtype: found.dtype as 'F32' | 'F16' | 'BF16', shape: found.shape };
    },
    read: async (name, from = 0, to) => {
      const { shape, start, end } = entry(name);
      const row = (end - start) / (shape[0] ?? 1);
      return slice(start + from * row, to === undefined ? end : start + to * row);
    },
  };
  const floats = (name: string): Float32Array => {
    const { dtype, start, end } = entry(name);
    const raw = slice(start, end);
    return dtype === 'BF16' ? bf16ToF32(new Uint16Array(raw)) : new Float32Array(raw);
  };
  const raw = (name: string): Uint8Array => {
    const { start, end } = entry(name);
    return bytes.slice(start, end);
  };
  const shape = (name: string): number[] => entry(name).shape;
  return { source, floats, raw, shape, names: [...file.tensors.keys()] };
}

/** max|a−b| / max|b|, over the whole tensor. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`${actual.length} values against ${expected.length}`);
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    // NaN must not pass as equal.
    if (!(Math.abs(actual[i]! - expected[i]!) <= difference)) difference = Math.abs(actual[i]! - expected[i]!);
    size = Math.max(size, Math.abs(expected[i]!));
    if (Number.isNaN(difference)) return Number.NaN;
  }
  return difference / size;
}
