/**
 * Reads and writes safetensors (https://github.com/huggingface/safetensors#format): an unsigned little-endian 64-bit
 * header length N, N bytes of JSON {name: {dtype, shape, data_offsets: [begin, end]}, __metadata__?: {string: string}},
 * then the tensors' bytes without gaps. Files are untrusted, so nothing is allocated or used before it is checked
 * against the file's actual size.
 */

import { FRESH_COPY } from '../base/bad-model';
import { type ErrorCode, TabtuneError } from '../base/errors';
import { parseUntrusted, utf8Text } from '../base/json';
import { findDuplicateKey } from './json-keys';
import { parseHeader } from './large-headers';
import { DTYPE_BYTES, type SafetensorsDtype } from './safetensors-dtypes';

/** One tensor: row-major, little-endian, at bytes [start, end) of the file. */
export interface SafetensorsEntry {
  dtype: SafetensorsDtype;
  shape: number[];
  start: number;
  end: number;
}

export interface SafetensorsFile {
  /** By name; a Map, because the names are untrusted. */
  tensors: Map<string, SafetensorsEntry>;
  metadata: Record<string, string>;
}

/** The Rust library's limit is 100 MB. 25 MB still holds some 200,000 tensors and parses in well under a second. */
const MAX_HEADER_BYTES = 25_000_000;
const MAX_DIMENSIONS = 8;

/** The `where` of errors, and whether the file belongs to a model or an adapter. */
export interface ReadContext {
  where: string;
  code?: Extract<ErrorCode, 'bad_model' | 'bad_adapter'>;
}

const CONVERT = 'Save the weights again with the safetensors library in float32, float16 or bfloat16.';

function refuse(context: ReadContext, message: string, action = FRESH_COPY, details?: string): never {
  throw new TabtuneError({ code: context.code ?? 'bad_model', message, where: context.where, action, details });
}

/** The length of the header (8 + N bytes), from the file's first 8 bytes and its size. */
export function safetensorsHeaderSize(first8: Uint8Array, fileSize: number, context: ReadContext): number {
  if (fileSize === 0) refuse(context, 'The file is empty.');
  if (fileSize < 10 || first8.length < 8) {
    refuse(context, `The file is ${fileSize} bytes, too small to be a safetensors file.`);
  }
  const n = new DataView(first8.buffer, first8.byteOffset, 8).getBigUint64(0, true);
  if (n > BigInt(fileSize - 8)) {
    refuse(
      context,
      'This is not a safetensors file, or it is cut off inside its header.',
      FRESH_COPY,
      `header length ${n}, file size ${fileSize}`,
    );
  }
  if (n > BigInt(MAX_HEADER_BYTES)) {
    refuse(context, `The header claims ${n} bytes; the limit is ${MAX_HEADER_BYTES}.`, CONVERT);
  }
  if (n < 2n) refuse(context, 'The header is empty.');
  return 8 + Number(n);
}

function parseJson(bytes: Uint8Array, context: ReadContext): Record<string, unknown> {
  // A byte order mark is not JSON, and the reference implementation refuses it too.
  if (bytes[0] !== 0x7b) refuse(context, 'The header is not JSON: it does not start with "{".');
  let value: unknown;
  let text: string;
  try {
    text = utf8Text(bytes, { ignoreBOM: true });
    value = parseUntrusted(text);
  } catch (cause) {
    refuse(context, 'The header is not valid JSON.', FRESH_COPY, String(cause).slice(0, 300));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(context, 'The header is not a JSON object.');
  }
  const twice = findDuplicateKey(text);
  if (twice !== null) refuse(context, `The header contains "${clip(twice)}" twice.`);
  return value as Record<string, unknown>;
}

/** Checks one header entry; returns it with offsets from the start of the file. */
function parseEntry(name: string, value: unknown, dataStart: number, context: ReadContext): SafetensorsEntry {
  const here: ReadContext = { ...context, where: `${context.where}, tensor ${clip(name)}` };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(here, 'The header entry for this tensor is not a JSON object.');
  }
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    refuse(here, `The number format ${show(dtype)} is not supported.`, CONVERT);
  }
  if (!Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    refuse(here, 'The shape is not a list of whole numbers.', FRESH_COPY, show(shape));
  }
  if (shape.length > MAX_DIMENSIONS) refuse(here, `The shape has ${shape.length} dimensions; the limit is 8.`);
  if (
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every((n) => Number.isSafeInteger(n) && n >= 0) ||
    offsets[0] > offsets[1]
  ) {
    refuse(here, 'The data offsets are not an ascending pair of whole numbers.', FRESH_COPY, show(offsets));
  }
  let bytes: number = DTYPE_BYTES[dtype as SafetensorsDtype];
  for (const n of shape as number[]) {
    bytes *= n;
    if (!Number.isSafeInteger(bytes)) refuse(here, 'The shape is larger than any file.', FRESH_COPY, show(shape));
  }
  const [begin, end] = offsets as [number, number];
  if (bytes !== end - begin) {
    refuse(here, `The shape needs ${bytes} bytes, but the tensor has ${end - begin} in the file.`);
  }
  return {
    dtype: dtype as SafetensorsDtype,
    shape: [...(shape as number[])],
    start: dataStart + begin,
    end: dataStart + end,
  };
}

/**
 * Parses and checks a header. `header` is the file's first `safetensorsHeaderSize()` bytes, including the length field.
 * Throws bad_model (or `context.code`) unless every tensor has a known type and the size implied by its shape, and the
 * tensors cover the rest of the file exactly, without gaps or overlap.
 */
export function parseSafetensorsHeader(header: Uint8Array, fileSize: number, context: ReadContext): SafetensorsFile {
  const dataStart = safetensorsHeaderSize(header, fileSize, context);
  if (header.length < dataStart) refuse(context, 'The file is cut off inside its header.');
  const json = parseJson(header.subarray(8, dataStart), context);

  const metadata: Record<string, string> = Object.create(null);
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') {
      // MLX writes null where there is none, and the reference implementation takes it.
      if (value === null) continue;
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        refuse(context, 'The metadata in the header is not a JSON object.');
      }
      for (const [key, text] of Object.entries(value)) {
        if (typeof text !== 'string') refuse(context, `The metadata entry "${clip(key)}" is not a string.`);
        metadata[key] = text;
      }
      continue;
    }
    // No module can have these names, and as object keys later they would reach Object.prototype.
    if (name === '__proto__' || name === 'constructor' || name === 'prototype') {
      refuse(context, `A tensor is called "${name}", which is not a valid name.`);
    }
    tensors.set(name, parseEntry(name, value, dataStart, context));
  }

  let position = dataStart;
  let last = '';
  const ordered = [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  for (const [name, { start, end }] of ordered) {
    if (start < position) refuse(context, `The tensors ${clip(last)} and ${clip(name)} overlap in the file.`);
    if (start > position) refuse(context, `There is a gap before the tensor ${clip(name)}.`);
    position = end;
    last = name;
  }
  if (position !== fileSize) {
    const what = position > fileSize ? 'is cut off' : 'has bytes that belong to no tensor';
    refuse(
      context,
      `The file ${what}: its header describes ${position} bytes, but the file has ${fileSize}.`,
      FRESH_COPY,
      last === '' ? undefined : `last tensor: ${clip(last)}`,
    );
  }
  return { tensors, metadata };
}

/** Reads and checks the header of a file of `size` bytes through `read(start, end)`, but not the tensors. */
export async function openSafetensors(
  read: (start: number, end: number) => Promise<ArrayBuffer>,
  size: number,
  context: ReadContext,
): Promise<SafetensorsFile> {
  const first8 = new Uint8Array(await read(0, Math.min(8, size)));
  const headerSize = safetensorsHeaderSize(first8, size, context);
  const header = new Uint8Array(await read(0, headerSize));
  return parseHeader('safetensors', header, [size, context], () => parseSafetensorsHeader(header, size, context));
}

/** A tensor to write; `data` holds the values (F32) or the little-endian bytes. */
export interface SafetensorsTensor {
  name: string;
  dtype: 'F32' | 'BF16' | 'F16';
  shape: number[];
  data: Uint8Array | Uint16Array | Float32Array;
}

// The order of the Rust library's dtype enum, largest alignment first; tensors of one dtype are sorted by name bytes.
const WRITE_ORDER = { F32: 0, BF16: 1, F16: 2 } as const;

/** Where each tensor will be in the file. */
export interface SafetensorsLayout {
  /** The file's first bytes: length and JSON header. */
  header: Uint8Array<ArrayBuffer>;
  /** In file order, without gaps. */
  tensors: { name: string; bytes: number }[];
  /** Size of the whole file. */
  bytes: number;
}

/**
 * Lays out a file like the reference implementation, so that the same tensors always give the same bytes: tensors
 * sorted by alignment, then name; JSON without spaces; header padded with spaces to a multiple of 8 bytes. Metadata
 * keys are sorted (their order is arbitrary in the reference).
 */
export function layoutSafetensors(
  tensors: readonly Omit<SafetensorsTensor, 'data'>[],
  metadata: Record<string, string> = { format: 'pt' },
): SafetensorsLayout {
  const encoder = new TextEncoder();
  const parts = tensors.map((tensor) => ({ ...tensor, key: encoder.encode(tensor.name) }));
  parts.sort((a, b) => WRITE_ORDER[a.dtype] - WRITE_ORDER[b.dtype] || compareBytes(a.key, b.key));

  const entries: string[] = [];
  const metadataKeys = Object.keys(metadata).sort();
  if (metadataKeys.length > 0) {
    const pairs = metadataKeys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`);
    entries.push(`"__metadata__":{${pairs.join(',')}}`);
  }
  const names = new Set<string>(['__metadata__']);
  const places: SafetensorsLayout['tensors'] = [];
  let offset = 0;
  for (const { name, dtype, shape } of parts) {
    if (names.has(name)) {
      throw new TabtuneError({
        code: 'internal',
        message: `The tensor ${name} cannot be written.`,
        details: 'its name is already in use',
      });
    }
    names.add(name);
    const size = shape.reduce((product, n) => product * n, DTYPE_BYTES[dtype]);
    const end = offset + size;
    entries.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${offset},${end}]}`,
    );
    places.push({ name, bytes: size });
    offset = end;
  }

  const json = encoder.encode(`{${entries.join(',')}}`);
  const headerLength = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + headerLength);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerLength), true);
  header.set(json, 8);
  header.fill(0x20, 8 + json.length);
  return { header, tensors: places, bytes: header.length + offset };
}

/** Writes a whole file; see `layoutSafetensors`. */
export function writeSafetensors(
  tensors: readonly SafetensorsTensor[],
  metadata?: Record<string, string>,
): Uint8Array<ArrayBuffer> {
  const layout = layoutSafetensors(tensors, metadata);
  const data = new Map(tensors.map((tensor) => [tensor.name, tensor.data]));
  const file = new Uint8Array(layout.bytes);
  file.set(layout.header);
  let position = layout.header.length;
  for (const { name, bytes } of layout.tensors) {
    const { buffer, byteOffset, byteLength } = data.get(name)!;
    if (byteLength !== bytes) {
      throw new TabtuneError({
        code: 'internal',
        message: `The tensor ${name} cannot be written.`,
        details: `it needs ${bytes} bytes and has ${byteLength}`,
      });
    }
    file.set(new Uint8Array(buffer, byteOffset, byteLength), position);
    position += bytes;
  }
  return file;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** Shortens untrusted text for an error message. */
function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}

/** The same for a value of the header, which may be missing. */
const show = (value: unknown): string => clip(JSON.stringify(value) ?? 'nothing');
