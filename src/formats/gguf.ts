/**
 * Reads GGUF (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): magic, version, counts, metadata as typed
 * key-value pairs, a table of tensors, then their aligned bytes. The header's length is not stored, so it is fetched in
 * growing pieces. Files are untrusted: every count is checked against what the file could hold before anything of that
 * size is allocated, keys are stored in Maps, and all sizes are safe integers.
 */
import { CONVERT_AGAIN, FRESH_COPY } from '../base/bad-model';
import { TabtuneError } from '../base/errors';
import { blockValues, type GgmlType, ggmlBytes, ggmlTypeName, isGgmlType } from './ggml';
import {
  Cursor,
  decoder,
  type GgufStrings,
  type GgufValue,
  MAX_HEADER_BYTES,
  refuse,
  SCALAR_BYTES,
  Short,
} from './gguf-cursor';

import { parseHeader } from './large-headers';

export { type GgufNumbers, type GgufStrings, type GgufValue, MAX_HEADER_BYTES } from './gguf-cursor';

export interface GgufTensor {
  type: GgmlType;
  /** Row-major, outermost dimension first. (The file lists dimensions in reverse.) */
  shape: number[];
  /** Bytes [start, end) of the file. */
  start: number;
  end: number;
}

export interface GgufFile {
  metadata: Map<string, GgufValue>;
  /** Where each value of the metadata stands, its type included: bytes [start, end) of the file. */
  places: Map<string, { start: number; end: number }>;
  tensors: Map<string, GgufTensor>;
}

/** Reads bytes [start, end) of the file. */
export type ReadBytes = (start: number, end: number) => Promise<ArrayBuffer>;

const FIRST_PIECE = 2 ** 20;
const MAX_PAIRS = 65_536;
const MAX_TENSORS = 65_536;
const MAX_STRINGS = 2 ** 20;
const MAX_NAME_BYTES = 1024;
/** ggml's own limit. */
const MAX_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT = 32;
const MAX_ALIGNMENT = 65_536;
/** A pair has at least a key length, a type and one value byte; a tensor has a name length, counts, type and offset. */
const LEAST_PAIR_BYTES = 13;
const LEAST_TENSOR_BYTES = 24;

const OTHER_FILE = 'Choose another file of this model: Q4_K_M, Q5_K_M, Q6_K, Q8_0, F16 and BF16 work.';

const clip = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}…` : text);

const STRING = 8;
const ARRAY = 9;

function readValue(cursor: Cursor, key: string): GgufValue {
  const type = cursor.u32();
  if (type === STRING) return cursor.string('text');
  if (type !== ARRAY) {
    if (SCALAR_BYTES[type] !== undefined) return cursor.scalar(type);
    refuse(`${cursor.where}, ${key}`, `The metadata has a value of unknown type ${type}.`);
  }
  const item = cursor.u32();
  if (item === STRING) return cursor.strings(cursor.count('a list length', 8, MAX_STRINGS));
  const size = SCALAR_BYTES[item];
  if (size !== undefined) return cursor.numbers(item, cursor.count('a list length', size));
  // The format allows nested lists, but no model has them and llama.cpp refuses them too.
  if (item === ARRAY)
    refuse(`${cursor.where}, ${key}`, 'The metadata has lists inside lists, which are not supported.');
  refuse(`${cursor.where}, ${key}`, `The metadata has a list of unknown type ${item}.`);
}

/** A value of the metadata, if it stands within these first bytes of a file; null if it does not, or they are of no GGUF file. */
export function earlyValue(bytes: Uint8Array, wanted: string): GgufValue | null {
  const cursor = new Cursor(bytes, Number.MAX_SAFE_INTEGER, 'the file');
  try {
    checkBeginning(cursor);
    cursor.count('a tensor count', 1);
    const pairs = cursor.count('a metadata count', 1);
    for (let i = 0; i < pairs; i++) {
      const key = cursor.string('key', MAX_NAME_BYTES);
      const value = readValue(cursor, clip(key));
      if (key === wanted) return value;
    }
  } catch (cause) {
    if (!(cause instanceof Short || cause instanceof TabtuneError)) throw cause;
  }
  return null;
}

function readMetadata(cursor: Cursor, pairs: number): Pick<GgufFile, 'metadata' | 'places'> {
  const metadata: GgufFile['metadata'] = new Map();
  const places: GgufFile['places'] = new Map();
  for (let i = 0; i < pairs; i++) {
    const key = cursor.string('key', MAX_NAME_BYTES);
    if (metadata.has(key)) refuse(cursor.where, `The metadata contains "${clip(key)}" twice.`);
    const start = cursor.at;
    metadata.set(key, readValue(cursor, clip(key)));
    places.set(key, { start, end: cursor.at });
  }
  return { metadata, places };
}

type Unplaced = { type: GgmlType; shape: number[]; bytes: number; offset: bigint };

function readTensor(cursor: Cursor, name: string): Unplaced {
  const where = `${cursor.where}, tensor ${clip(name)}`;
  const dimensions = cursor.u32();
  if (dimensions > MAX_DIMENSIONS) {
    refuse(where, `The tensor has ${dimensions} dimensions; the limit is ${MAX_DIMENSIONS}.`);
  }
  const shape: number[] = [];
  let values = 1;
  for (let i = 0; i < dimensions; i++) {
    const size = cursor.big();
    values *= Number(size);
    // No type needs more than eight bytes per value.
    if (size === 0n || !Number.isSafeInteger(values * 8)) refuse(where, `The tensor has a dimension of ${size}.`);
    shape.unshift(Number(size));
  }
  const id = cursor.u32();
  const offset = cursor.big();
  const type = ggmlTypeName(id);
  if (type === undefined) {
    refuse(where, `The tensor uses an unknown quantisation (type ${id}).`, OTHER_FILE);
  }
  if (!isGgmlType(type)) refuse(where, `The tensor is stored as ${type}, which is not supported.`, OTHER_FILE);
  const row = shape.at(-1) ?? 1;
  if (row % blockValues(type) !== 0) {
    refuse(where, `Rows of ${row} values cannot be stored as ${type}, which uses blocks of ${blockValues(type)}.`);
  }
  return { type, shape, bytes: ggmlBytes(type, values), offset };
}

function alignmentOf(metadata: Map<string, GgufValue>, where: string): number {
  const value = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  const ok = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_ALIGNMENT;
  if (ok && (value & (value - 1)) === 0) return value;
  const said = typeof value === 'object' ? 'a list' : value;
  refuse(`${where}, general.alignment`, `Tensors cannot be aligned to ${said} bytes. It must be a power of two.`);
}

/** Locates the tensors in the file, and checks that they are aligned, inside the file and do not overlap. */
function placeTensors(
  unplaced: Map<string, Unplaced>,
  dataStart: number,
  alignment: number,
  fileSize: number,
  where: string,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const [name, { type, shape, bytes, offset }] of unplaced) {
    const here = `${where}, tensor ${clip(name)}`;
    if (offset % BigInt(alignment) !== 0n) {
      refuse(here, `The tensor starts at byte ${offset}, which is not a multiple of ${alignment}.`);
    }
    if (offset + BigInt(bytes) > BigInt(Math.max(0, fileSize - dataStart))) {
      refuse(
        here,
        'The file is cut off before the end of this tensor.',
        FRESH_COPY,
        `offset ${offset}, ${bytes} bytes, ${fileSize - dataStart} in the file`,
      );
    }
    const start = dataStart + Number(offset);
    tensors.set(name, { type, shape, start, end: start + bytes });
  }
  let last = '';
  let end = dataStart;
  for (const [name, tensor] of [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (tensor.start < end) refuse(where, `The tensors ${clip(last)} and ${clip(name)} overlap in the file.`);
    end = tensor.end;
    last = name;
  }
  return tensors;
}

/** Magic and version. */
function checkBeginning(cursor: Cursor): void {
  const { bytes, fileSize, where } = cursor;
  if (fileSize === 0) refuse(where, 'The file is empty.');
  if (fileSize < 24) refuse(where, `The file is ${fileSize} bytes, too small to be a GGUF file.`);
  cursor.take(4);
  if (decoder.decode(bytes.subarray(0, 4)) !== 'GGUF') {
    refuse(where, 'This is not a GGUF file: it does not start with "GGUF".', FRESH_COPY);
  }
  const version = cursor.u32();
  if (version === 2 || version === 3) return;
  // In the other byte order, a small version number has only its last byte set.
  if (version !== 0 && (version & 0xffffff) === 0) {
    refuse(where, 'This GGUF file is big-endian, for a different kind of machine.', CONVERT_AGAIN);
  }
  refuse(where, `This file uses version ${version} of the GGUF format; versions 2 and 3 are supported.`, CONVERT_AGAIN);
}

/** The header in the first bytes of a file, or how many more bytes it needs at least. Throws `bad_model`. */
export function parseGgufHeader(bytes: Uint8Array, fileSize: number, where: string): GgufFile | number {
  try {
    return parse(bytes, fileSize, where);
  } catch (cause) {
    if (cause instanceof Short) return cause.needed;
    throw cause;
  }
}

function parse(bytes: Uint8Array, fileSize: number, where: string): GgufFile {
  const cursor = new Cursor(bytes, fileSize, where);
  checkBeginning(cursor);
  const tensorCount = cursor.count('a tensor count', LEAST_TENSOR_BYTES, MAX_TENSORS);
  const pairs = cursor.count('a metadata count', LEAST_PAIR_BYTES, MAX_PAIRS);
  const { metadata, places } = readMetadata(cursor, pairs);
  const alignment = alignmentOf(metadata, where);
  const unplaced = new Map<string, Unplaced>();
  for (let i = 0; i < tensorCount; i++) {
    const name = cursor.string('name', MAX_NAME_BYTES);
    if (unplaced.has(name)) refuse(where, `The tensor "${clip(name)}" is listed twice.`);
    unplaced.set(name, readTensor(cursor, name));
  }
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  return { metadata, places, tensors: placeTensors(unplaced, dataStart, alignment, fileSize, where) };
}

/** Reads and checks the header of a file of `size` bytes, but not the tensors. Throws `bad_model`. */
export async function openGguf(read: ReadBytes, size: number, where: string): Promise<GgufFile> {
  let bytes = new Uint8Array(0);
  let wanted = Math.min(FIRST_PIECE, size);
  for (;;) {
    const grown = new Uint8Array(wanted);
    grown.set(bytes);
    const piece = new Uint8Array(await read(bytes.length, wanted));
    if (piece.length !== wanted - bytes.length) refuse(where, 'The file has become shorter since you opened it.');
    grown.set(piece, bytes.length);
    bytes = grown;
    const found = await parseHeader('gguf', bytes, [size, where], () => parseGgufHeader(bytes, size, where));
    if (typeof found !== 'number') return found;
    wanted = Math.min(size, MAX_HEADER_BYTES, Math.max(found, bytes.length * 2));
  }
}

export const isStrings = (value: GgufValue | undefined): value is GgufStrings =>
  typeof value === 'object' && 'ends' in value;

/** Decodes all strings of a list. */
export function listStrings({ bytes, ends }: GgufStrings): string[] {
  const list = new Array<string>(ends.length);
  let start = 0;
  for (let i = 0; i < ends.length; i++) {
    const end = ends[i]!;
    list[i] = decoder.decode(bytes.subarray(start, end));
    start = end;
  }
  return list;
}

export function stringAt({ bytes, ends }: GgufStrings, index: number): string | undefined {
  if (index < 0 || index >= ends.length) return undefined;
  return decoder.decode(bytes.subarray(index === 0 ? 0 : ends[index - 1], ends[index]));
}
