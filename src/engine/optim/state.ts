/**
 * Optimiser state as named float32 tensors for checkpoints, and back, bit for bit. Bytes are packed three per value, as
 * integers below 2²⁴, which float32 holds exactly. Four bytes read as a float might be a NaN, whose bits are not guaranteed
 * to survive.
 */
import * as tf from '@tensorflow/tfjs-core';
import { writeValues } from '../kernels/in-place';
import { isGpu, readRange } from '../webgpu/backend';
import type { Layout, Place } from './flat-layout';
import type { StatePart } from './update-rule';

export type StateTensors = Map<string, { shape: number[]; data: Float32Array }>;

export function packBytes(bytes: Uint8Array): Float32Array {
  return Float32Array.from(
    { length: Math.ceil(bytes.length / 3) },
    (_, i) => bytes[3 * i]! + 256 * (bytes[3 * i + 1] ?? 0) + 65536 * (bytes[3 * i + 2] ?? 0),
  );
}

export function unpackBytes(packed: Float32Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Math.floor(packed[Math.floor(i / 3)]! / 256 ** (i % 3)) % 256);
}

async function readBytes(words: tf.Tensor, first: number, count: number): Promise<Uint8Array> {
  if (isGpu(tf.backend())) return new Uint8Array((await readRange(words, first, count)).buffer);
  return new Uint8Array(Int32Array.from(words.dataSync().subarray(first, first + count)).buffer);
}

/**
 * Words that are read at a time: reading takes a buffer of the same size, and one as large as all parameters would be what a run needs
 * most memory for.
 */
export const READ_WORDS = 2 ** 23;

const product = (shape: number[]) => shape.reduce((a, b) => a * b, 1);

/** The shape in which a checkpoint stores one tensor's piece. */
const storedShape = (part: StatePart, shape: number[]) => (part.bytes ? [Math.ceil(product(shape) / 3)] : shape);

const pieces = (part: StatePart, { places }: Layout) =>
  places.flatMap((place: Place) => {
    const piece = part.piece(place);
    return piece ? [{ name: `${part.prefix}/${place.name}`, length: product(piece.shape), ...piece }] : [];
  });

export async function saveParts(parts: StatePart[], layout: Layout, saved: StateTensors): Promise<void> {
  for (const part of parts) {
    const perWord = part.bytes ? 4 : 1;
    const all = pieces(part, layout).map((piece) => ({ ...piece, read: [] as (Float32Array | Uint8Array)[] }));
    for (let first = 0; first < part.tensor.size; first += READ_WORDS) {
      const count = Math.min(READ_WORDS, part.tensor.size - first);
      const values = await (part.bytes ? readBytes : readRange)(part.tensor, first, count);
      const [begin, end] = [first * perWord, (first + count) * perWord];
      for (const { offset, length, read } of all) {
        if (offset >= end || offset + length <= begin) continue;
        read.push(values.slice(Math.max(0, offset - begin), offset + length - begin));
      }
    }
    for (const { name, shape, read } of all) {
      const own = joined(read);
      saved.set(name, {
        shape: storedShape(part, shape),
        data: own instanceof Uint8Array ? packBytes(own) : own,
      });
    }
  }
}

function joined<T extends Float32Array | Uint8Array>(pieces: T[]): T {
  const [first] = pieces as [T];
  if (pieces.length === 1) return first;
  const whole = new (first.constructor as new (length: number) => T)(
    pieces.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Writes nothing unless everything is present. */
export function loadParts(parts: StatePart[], layout: Layout, saved: StateTensors): void {
  const writes = parts.map((part) => {
    const bytes = part.bytes ? new Uint8Array(part.tensor.size * 4).fill(part.bytes.gap) : null;
    const values = bytes ? new Int32Array(bytes.buffer) : new Float32Array(part.tensor.size);
    for (const { name, offset, length, shape } of pieces(part, layout)) {
      const entry = saved.get(name);
      const size = product(storedShape(part, shape));
      if (!entry || entry.data.length !== size) {
        throw new Error(`The checkpoint has no tensor ${name} with ${size} values.`);
      }
      if (bytes) bytes.set(unpackBytes(entry.data, length), offset);
      else values.set(entry.data, offset);
    }
    return () => writeValues(part.tensor, values);
  });
  for (const write of writes) write();
}
