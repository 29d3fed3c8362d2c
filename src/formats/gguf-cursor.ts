/** Reads the values of a GGUF header one by one. */
import { FRESH_COPY } from '../base/bad-model';
import { TabtuneError } from '../base/errors';

/** A list of strings, concatenated as UTF-8. A vocabulary of 262,144 tokens is decoded only as needed. */
export interface GgufStrings {
  bytes: Uint8Array;
  /** Where each string ends. */
  ends: Uint32Array;
}

export type GgufNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

export type GgufValue = number | bigint | boolean | string | GgufStrings | GgufNumbers;

/** With a vocabulary of 262,144 tokens, headers are 6 to 15 MB. */
export const MAX_HEADER_BYTES = 64 * 2 ** 20;
const TOO_LONG = `The header is longer than ${MAX_HEADER_BYTES} bytes, more than any model needs.`;

export function refuse(where: string, message: string, action = FRESH_COPY, details?: string): never {
  throw new TabtuneError({ code: 'bad_model', message, where, action, details });
}

/** By value type: u8 i8 u16 i16 u32 i32 f32 bool string array u64 i64 f64. */
export const SCALAR_BYTES: readonly (number | undefined)[] = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];
const ARRAYS: readonly ((new (buffer: ArrayBuffer) => GgufNumbers) | undefined)[] = [
  ...[Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Uint8Array],
  ...[undefined, undefined, BigUint64Array, BigInt64Array, Float64Array],
];

const whole = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

/** The header continues past the bytes read so far; `needed` bytes of the file are required. */
export class Short extends Error {
  constructor(readonly needed: number) {
    super();
  }
}

export const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A position in the header. Every read is checked against the end of the file and of the bytes read so far. */
export class Cursor {
  at = 0;
  private readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly fileSize: number,
    readonly where: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves past `length` bytes and returns where they start. */
  take(length: number): number {
    const start = this.at;
    const end = start + length;
    if (end > this.fileSize) refuse(this.where, 'The file is cut off inside its header.');
    if (end > MAX_HEADER_BYTES) refuse(this.where, TOO_LONG);
    if (end > this.bytes.length) throw new Short(end);
    this.at = end;
    return start;
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  /** A count or length. Refused if the file or header could not hold that many items of `least` bytes each. */
  count(what: string, least: number, limit = Number.MAX_SAFE_INTEGER): number {
    const at = this.take(8);
    const value = this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 2 ** 32;
    if (value * least > this.fileSize - this.at) {
      const exact = this.view.getBigUint64(at, true);
      refuse(this.where, `The file claims ${what} of ${exact}, more than it can hold.`);
    }
    if (value * least > MAX_HEADER_BYTES) refuse(this.where, TOO_LONG, FRESH_COPY, `${what} of ${value}`);
    if (value > limit) refuse(this.where, `The file claims ${what} of ${value}; the limit is ${limit}.`);
    return value;
  }

  big(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }

  string(what: string, limit?: number): string {
    const length = this.count(`a ${what} length`, 1, limit);
    const start = this.take(length);
    return decoder.decode(this.bytes.subarray(start, start + length));
  }

  scalar(type: number): number | bigint | boolean {
    const size = SCALAR_BYTES[type]!;
    const at = this.take(size);
    const { view } = this;
    switch (type) {
      case 0:
        return view.getUint8(at);
      case 1:
        return view.getInt8(at);
      case 2:
        return view.getUint16(at, true);
      case 3:
        return view.getInt16(at, true);
      case 4:
        return view.getUint32(at, true);
      case 5:
        return view.getInt32(at, true);
      case 6:
        return view.getFloat32(at, true);
      case 7:
        return view.getUint8(at) !== 0;
      case 10:
        return whole(view.getBigUint64(at, true));
      case 11:
        return whole(view.getBigInt64(at, true));
      default:
        return view.getFloat64(at, true);
    }
  }

  strings(count: number): GgufStrings {
    const start = this.at;
    const ends = new Uint32Array(count);
    let total = 0;
    for (let i = 0; i < count; i++) {
      const length = this.count('a string length', 1);
      this.take(length);
      total += length;
      ends[i] = total;
    }
    const bytes = new Uint8Array(total);
    let from = start;
    let to = 0;
    for (const end of ends) {
      bytes.set(this.bytes.subarray(from + 8, from + 8 + end - to), to);
      from += 8 + end - to;
      to = end;
    }
    return { bytes, ends };
  }

  numbers(type: number, count: number): GgufNumbers {
    const length = count * SCALAR_BYTES[type]!;
    const start = this.take(length);
    return new ARRAYS[type]!(this.bytes.slice(start, start + length).buffer);
  }
}
