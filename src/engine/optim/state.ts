/**
 * Optimiser state as named float32 tensors for checkpoints, and back, bit for bit. Bytes are packed three per value, as
 * integers below 2²⁴, which float32 holds exactly. Four bytes read as a float might be a NaN, whose bits are not guaranteed
 * to survive.
 */
import * as tf from '@tensorflow/tfjs-core';
import { writeValues } from '../kernels/in-place';
import { isGpu, readFloats } from '../webgpu/backend';
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

async function readBytes(words: tf.Tensor): Promise<Uint8Array> {
  if (isGpu(tf.backend())) return new Uint8Array((await readFloats(words)).buffer);
  return new Uint8Array(Int32Array.from(words.dataSync()).buffer);
}

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
    const values = part.bytes ? await readBytes(part.tensor) : await readFloats(part.tensor);
    for (const { name, offset, length, shape } of pieces(part, layout)) {
      const own = values.slice(offset, offset + length);
      saved.set(name, {
        shape: storedShape(part, shape),
        data: own instanceof Uint8Array ? packBytes(own) : own,
      });
    }
  }
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
