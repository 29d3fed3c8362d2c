/**
 * Writes GGUF (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): magic, version, counts, metadata as typed key-value
 * pairs, the table of tensors, then their bytes, each padded to the alignment. Where tensors are follows from their types and shapes, so a
 * file can be written in order without holding more than one of them. gguf.ts reads it.
 */
import { TabtuneError } from '../base/errors';
import { blockValues, type GgmlType, ggmlBytes, ggmlTypeId } from './ggml';
import { MAX_HEADER_BYTES } from './gguf-cursor';

/** Metadata of a GGUF file to be written: each value with its type, since a reader expects a certain one under each key. */
export type GgufEntry =
  | { type: 'uint32' | 'int32' | 'float32'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'strings'; value: readonly string[] }
  | { type: 'int32s' | 'uint32s'; value: Int32Array | Uint32Array }
  | { type: 'float32s'; value: Float32Array }
  | { type: 'bools'; value: readonly boolean[] }
  /** The bytes of a value as another file has them, its type included: what is copied stays as it was. */
  | { type: 'raw'; bytes: Uint8Array };

/** In the order in which they are written. */
export type GgufMetadata = ReadonlyMap<string, GgufEntry>;

export interface GgufTensorHead {
  name: string;
  type: GgmlType;
  /** Row-major, outermost dimension first. (The file lists dimensions in reverse.) */
  shape: readonly number[];
}

export interface GgufLayout {
  /** Everything before the first tensor, padding included. */
  header: Uint8Array<ArrayBuffer>;
  /** In the file's order, which is the given one: bytes [start, end) of the file, then `padding` zeros. */
  tensors: (GgufTensorHead & { start: number; end: number; padding: number })[];
  /** Of the whole file. */
  bytes: number;
}

/** What readers assume without `general.alignment`. */
const DEFAULT_ALIGNMENT = 32;
const VERSION = 3;
const MAX_DIMENSIONS = 4;
/** GGML_MAX_NAME is 64, and counts a zero at the end. */
const MAX_NAME_BYTES = 63;
/** The specification's limit. */
const MAX_KEY_BYTES = 65_535;

const TYPES = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

/** Throws `internal` for what ggml would not read: it says nothing of a person's model or data. */
function refuse(what: string, details: string): never {
  throw new TabtuneError({
    code: 'internal',
    message: `${what} cannot be written to a GGUF file.`,
    where: what,
    action: 'Choose another format, and report this.',
    details,
  });
}

/** The header of a file, and where its tensors go. Throws `internal` if ggml could not read what is asked for. */
export function layoutGguf(metadata: GgufMetadata, tensors: readonly GgufTensorHead[]): GgufLayout {
  const alignment = alignmentOf(metadata);
  const padding = (size: number) => (alignment - (size % alignment)) % alignment;
  const out = new Bytes();
  out.put(Uint8Array.of(0x47, 0x47, 0x55, 0x46)); // GGUF
  out.u32(VERSION);
  out.u64(tensors.length);
  out.u64(metadata.size);
  for (const [key, entry] of metadata) writePair(out, key, entry);
  const names = new Set<string>();
  const places: GgufLayout['tensors'] = [];
  let offset = 0;
  for (const tensor of tensors) {
    if (names.has(tensor.name)) refuse(tensor.name, 'there is another tensor of this name');
    names.add(tensor.name);
    const size = checkedSize(tensor);
    out.text(tensor.name);
    out.u32(tensor.shape.length);
    for (const dimension of tensor.shape.toReversed()) out.u64(dimension);
    out.u32(ggmlTypeId(tensor.type));
    out.u64(offset);
    places.push({ ...tensor, start: offset, end: offset + size, padding: padding(size) });
    offset += size + padding(size);
  }
  out.zeros(padding(out.length));
  const header = out.done();
  if (header.length > MAX_HEADER_BYTES) refuse('The header', `${header.length} bytes`);
  for (const place of places) {
    place.start += header.length;
    place.end += header.length;
  }
  return { header, tensors: places, bytes: header.length + offset };
}

function alignmentOf(metadata: GgufMetadata): number {
  const entry = metadata.get('general.alignment');
  if (!entry) return DEFAULT_ALIGNMENT;
  let alignment: unknown = entry.type === 'uint32' ? entry.value : null;
  if (entry.type === 'raw' && entry.bytes.length === 8) {
    alignment = new DataView(entry.bytes.buffer, entry.bytes.byteOffset).getUint32(4, true);
  }
  if (typeof alignment === 'number' && alignment >= 8 && alignment <= 65_536 && (alignment & (alignment - 1)) === 0) {
    return alignment;
  }
  refuse('general.alignment', `${alignment}`);
}

/** Bytes of a tensor. */
function checkedSize({ name, type, shape }: GgufTensorHead): number {
  const length = new TextEncoder().encode(name).length;
  if (length === 0 || length > MAX_NAME_BYTES)
    refuse(name, `a name of ${length} bytes; 1 to ${MAX_NAME_BYTES} are possible`);
  if (shape.length === 0 || shape.length > MAX_DIMENSIONS)
    refuse(name, `shape [${shape}]; 1 to ${MAX_DIMENSIONS} dimensions are possible`);
  const values = shape.reduce((product, n) => product * n, 1);
  if (!shape.every((n) => Number.isSafeInteger(n) && n > 0) || !Number.isSafeInteger(values * 4))
    refuse(name, `shape [${shape}]`);
  const row = shape.at(-1)!;
  if (row % blockValues(type) !== 0)
    refuse(name, `rows of ${row} values as ${type}, whose blocks have ${blockValues(type)}`);
  return ggmlBytes(type, values);
}

/** An entry as the bytes that a file has: what a worker made of long lists is a single buffer on its way to the page. */
export function packed(key: string, entry: GgufEntry): GgufEntry {
  const out = new Bytes();
  writeValue(out, key, entry);
  return { type: 'raw', bytes: out.done() };
}

function writePair(out: Bytes, key: string, entry: GgufEntry): void {
  const length = new TextEncoder().encode(key).length;
  if (length === 0 || length > MAX_KEY_BYTES) refuse(`The key ${key}`, `${length} bytes`);
  out.text(key);
  writeValue(out, key, entry);
}

function writeValue(out: Bytes, key: string, entry: GgufEntry): void {
  if (entry.type === 'raw') {
    if (entry.bytes.length < 5) refuse(key, `a value of ${entry.bytes.length} bytes`);
    out.put(entry.bytes);
    return;
  }
  const { type, value } = entry;
  switch (type) {
    case 'uint32':
    case 'int32':
    case 'float32':
      checkNumber(key, type, value);
      out.u32(TYPES[type]);
      out.number(type, value);
      break;
    case 'bool':
      out.u32(TYPES.bool);
      out.put(Uint8Array.of(value ? 1 : 0));
      break;
    case 'string':
      checkText(key, value);
      out.u32(TYPES.string);
      out.text(value);
      break;
    case 'strings':
      out.list(TYPES.string, value.length);
      for (const text of value) {
        checkText(key, text);
        out.text(text);
      }
      break;
    case 'bools':
      out.list(TYPES.bool, value.length);
      out.put(Uint8Array.from(value, (flag) => (flag ? 1 : 0)));
      break;
    case 'float32s':
      if (value.some(Number.isNaN)) refuse(key, 'the list has a NaN');
      out.list(TYPES.float32, value.length);
      out.put(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
      break;
    default:
      out.list(TYPES[type === 'int32s' ? 'int32' : 'uint32'], value.length);
      out.put(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
}

function checkNumber(key: string, type: 'uint32' | 'int32' | 'float32', value: number): void {
  const [low, high] = type === 'uint32' ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  const ok =
    type === 'float32' ? Number.isFinite(Math.fround(value)) : Number.isInteger(value) && value >= low && value <= high;
  if (!ok) refuse(key, `${value} as ${type}`);
}

/** UTF-8 has no half of a surrogate pair; the encoder would replace it. */
function checkText(key: string, text: string): void {
  if (/\p{Surrogate}/u.test(text)) refuse(key, 'a text with half of a surrogate pair');
}

/** Little-endian bytes that grow. */
class Bytes {
  length = 0;
  private buffer = new Uint8Array(4096);
  private view = new DataView(this.buffer.buffer);
  private readonly encoder = new TextEncoder();

  put(bytes: Uint8Array): void {
    this.grow(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  zeros(count: number): void {
    this.grow(count);
    this.length += count;
  }

  u32(value: number): void {
    this.number('uint32', value);
  }

  u64(value: number): void {
    this.grow(8);
    this.view.setBigUint64(this.length, BigInt(value), true);
    this.length += 8;
  }

  number(type: 'uint32' | 'int32' | 'float32', value: number): void {
    this.grow(4);
    if (type === 'float32') this.view.setFloat32(this.length, value, true);
    else this.view.setInt32(this.length, value, true);
    this.length += 4;
  }

  /** A length, then UTF-8. */
  text(text: string): void {
    // At most three bytes for each UTF-16 unit.
    this.grow(8 + 3 * text.length);
    const { written } = this.encoder.encodeInto(text, this.buffer.subarray(this.length + 8));
    this.u64(written);
    this.length += written;
  }

  list(type: number, length: number): void {
    this.u32(TYPES.array);
    this.u32(type);
    this.u64(length);
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length);
  }

  private grow(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * this.buffer.length, this.length + more));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
    this.view = new DataView(larger.buffer);
  }
}
