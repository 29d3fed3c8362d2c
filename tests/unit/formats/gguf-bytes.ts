/** Builds GGUF files byte by byte, to test reading valid and invalid ones. */

export const GgufType = { u8: 0, u32: 4, f32: 6, bool: 7, string: 8, array: 9, u64: 10 } as const;

export class GgufBytes {
  private readonly parts: Uint8Array[] = [];

  bytes(...values: number[]): this {
    this.parts.push(Uint8Array.from(values));
    return this;
  }
  u32(value: number): this {
    return this.number(4, (view) => view.setUint32(0, value, true));
  }
  f32(value: number): this {
    return this.number(4, (view) => view.setFloat32(0, value, true));
  }
  u64(value: bigint | number): this {
    return this.number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }
  string(text: string): this {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length).parts.push(bytes);
    return this;
  }
  /** A metadata pair whose value is a string. */
  text(key: string, value: string): this {
    return this.string(key).u32(GgufType.string).string(value);
  }
  tensor(name: string, dims: (number | bigint)[], type = 0, offset: number | bigint = 0): this {
    this.string(name).u32(dims.length);
    for (const size of dims) this.u64(size);
    return this.u32(type).u64(offset);
  }

  /** Everything so far, padded to `alignment` and followed by `data` bytes. */
  done(data = 0, alignment = 32): Uint8Array {
    const length = this.parts.reduce((sum, part) => sum + part.length, 0);
    const file = new Uint8Array(Math.ceil(length / alignment) * alignment + data);
    let at = 0;
    for (const part of this.parts) {
      file.set(part, at);
      at += part.length;
    }
    return file;
  }

  private number(size: number, write: (view: DataView) => void): this {
    const part = new Uint8Array(size);
    write(new DataView(part.buffer));
    this.parts.push(part);
    return this;
  }
}

/** Magic, version 3 and the two counts. */
export function gguf(tensors: number | bigint, pairs: number | bigint, version = 3): GgufBytes {
  return new GgufBytes().bytes(0x47, 0x47, 0x55, 0x46).u32(version).u64(tensors).u64(pairs);
}
