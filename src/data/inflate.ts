/** Unpacks .gz and .zst files, as much as fits: a file of a few kilobytes can stand for gigabytes. */
import { TabtuneError } from '../base/errors';
import { MAX_FILE_BYTES } from './read-text';

class TooLarge extends Error {}

function collector() {
  const chunks: Uint8Array[] = [];
  let size = 0;
  return {
    add(chunk: Uint8Array): void {
      size += chunk.length;
      if (size > MAX_FILE_BYTES) throw new TooLarge();
      chunks.push(chunk);
    },
    joined(): Uint8Array {
      const out = new Uint8Array(size);
      let at = 0;
      for (const chunk of chunks) {
        out.set(chunk, at);
        at += chunk.length;
      }
      return out;
    },
  };
}

function refused(name: string, what: string, error: unknown): TabtuneError {
  const large = error instanceof TooLarge;
  return new TabtuneError({
    code: 'bad_data',
    message: large
      ? `This file unpacks to more than ${MAX_FILE_BYTES / 2 ** 20} MB.`
      : `This ${what} file is damaged: it cannot be unpacked.`,
    where: name,
    action: large ? 'Unpack it, and split what is inside into smaller files.' : 'Download or create it again.',
    ...(!large && { details: String(error) }),
  });
}

export async function inflateGzip(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  const out = collector();
  try {
    const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip'));
    const reader = stream.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) out.add(part.value);
    return out.joined();
  } catch (error) {
    throw refused(name, 'gzip', error);
  }
}

export async function inflateZstd(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  const { Decompress } = await import('fzstd');
  const out = collector();
  try {
    const stream = new Decompress((chunk) => out.add(chunk));
    // In pieces, so that the limit is met before memory is.
    const step = 1 << 20;
    for (let at = 0; at < bytes.length; at += step) {
      stream.push(bytes.subarray(at, at + step), at + step >= bytes.length);
    }
    return out.joined();
  } catch (error) {
    throw refused(name, 'Zstandard', error);
  }
}
