/** Our types and bytes for the tensors of a file in F32, beside another program's file of the same model. */
import { type FileHandle, open } from 'node:fs/promises';
import { type GgufFileType, tensorType } from '../../src/exports/gguf/types';
import { dequantize } from '../../src/formats/ggml';
import { openGguf } from '../../src/formats/gguf';
import { quantize } from '../../src/formats/quantize';

export interface Compared {
  tensors: number;
  /** Tensors whose type, or whose bytes are not ours. */
  otherTypes: string[];
  otherBytes: string[];
  /** Megabytes of float32, and the seconds that quantising them took. */
  megabytes: number;
  seconds: number;
}

async function opened(path: string) {
  const handle = await open(path);
  const { size } = await handle.stat();
  return { handle, file: await openGguf((start, end) => read(handle, start, end), size, path) };
}

async function read(handle: FileHandle, start: number, end: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(end - start);
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
    if (bytesRead === 0) throw new Error(`the file ends before byte ${end}`);
    at += bytesRead;
  }
  return bytes.buffer;
}

export async function compareQuantised(plain: string, theirs: string, fileType: GgufFileType): Promise<Compared> {
  const [source, other] = [await opened(plain), await opened(theirs)];
  try {
    const { metadata, tensors } = source.file;
    const layers = metadata.get(`${metadata.get('general.architecture')}.block_count`) as number;
    const model = { layers, tied: !tensors.has('output.weight') };
    const result: Compared = { tensors: tensors.size, otherTypes: [], otherBytes: [], megabytes: 0, seconds: 0 };
    for (const [name, { type, shape, start, end }] of tensors) {
      const wanted = other.file.tensors.get(name)!;
      const ours = tensorType({ name, shape }, model, fileType);
      if (ours !== wanted.type) {
        result.otherTypes.push(`${name} ${ours}, ${wanted.type}`);
        continue;
      }
      const values = dequantize(type, new Uint8Array(await read(source.handle, start, end)));
      const from = performance.now();
      const bytes = quantize(ours, values, name);
      result.seconds += (performance.now() - from) / 1000;
      result.megabytes += values.byteLength / 1e6;
      if (Buffer.compare(bytes, new Uint8Array(await read(other.handle, wanted.start, wanted.end))) !== 0) {
        result.otherBytes.push(name);
      }
    }
    return result;
  } finally {
    await source.handle.close();
    await other.handle.close();
  }
}

/** The tensors of two files: those that are not of the same shape and type, and the bytes that differ in all others. */
export async function compareFiles(ours: string, theirs: string) {
  const [one, other] = [await opened(ours), await opened(theirs)];
  try {
    const names = new Set([...one.file.tensors.keys(), ...other.file.tensors.keys()]);
    const others: string[] = [];
    const bytes = { all: 0, differing: 0 };
    for (const name of names) {
      const [a, b] = [one.file.tensors.get(name), other.file.tensors.get(name)];
      if (!a || !b || a.type !== b.type || a.shape.join() !== b.shape.join()) {
        others.push(`${name} ${a?.type} [${a?.shape}], ${b?.type} [${b?.shape}]`);
        continue;
      }
      const mine = new Uint8Array(await read(one.handle, a.start, a.end));
      const wanted = new Uint8Array(await read(other.handle, b.start, b.end));
      bytes.all += mine.length;
      for (let i = 0; i < mine.length; i++) if (mine[i] !== wanted[i]) bytes.differing++;
    }
    return { tensors: names.size, others, bytes };
  } finally {
    await one.handle.close();
    await other.handle.close();
  }
}
