/** Files cut into parts that every static host takes. */
import { sha256 } from '../../base/digest';
import type { ExportedFile, ExportJob } from '../export';
import type { PageFile, PagePart } from './manifest';

/**
 * Hosts refuse large files: GitHub's own upload form above 25 MiB, as Cloudflare Pages does, and its repositories above 100 MB. It is
 * also what is in memory at a time.
 */
export const PART_BYTES = 24 * 2 ** 20;

/** A file that may be larger than memory. */
export interface LargeFile {
  /** In the page's folder. */
  path: string;
  size: number;
  /** Bytes [start, end). */
  read(start: number, end: number): Promise<ArrayBuffer>;
}

export const largeFile = ({ path, blob }: ExportedFile): LargeFile => ({
  path,
  size: blob.size,
  read: (start, end) => blob.slice(start, end).arrayBuffer(),
});

/** `model/model.safetensors` alone, or `model/model.safetensors.01.bin` and so on. */
function partPath(path: string, part: number, parts: number): string {
  if (parts === 1) return path;
  const digits = Math.max(2, String(parts).length);
  return `${path}.${String(part + 1).padStart(digits, '0')}.bin`;
}

/** The parts as files, and the list of them for page.json. */
export async function cut(
  files: readonly LargeFile[],
  { onProgress, signal }: ExportJob,
  partBytes = PART_BYTES,
): Promise<{ listed: PageFile[]; files: ExportedFile[] }> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const listed: PageFile[] = [];
  const cutFiles: ExportedFile[] = [];
  let done = 0;
  for (const { path, size, read } of files) {
    const count = Math.max(1, Math.ceil(size / partBytes));
    const parts: PagePart[] = [];
    for (let i = 0; i < count; i++) {
      signal?.throwIfAborted();
      const bytes = await read(i * partBytes, Math.min(size, (i + 1) * partBytes));
      const part = { path: partPath(path, i, count), size: bytes.byteLength, sha256: await sha256(bytes) };
      parts.push(part);
      // The browser keeps large Blobs on the disk.
      cutFiles.push({ path: part.path, blob: new Blob([bytes]) });
      done += part.size;
      onProgress({ phase: 'writing', done, total });
    }
    listed.push({ path, size, parts });
  }
  return { listed, files: cutFiles };
}
