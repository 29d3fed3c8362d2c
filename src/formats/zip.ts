/**
 * Zip archives (PKWARE APPNOTE 6.3.10). They are written without compression, because float weights barely compress,
 * and read defensively, because they are untrusted. The directory is parsed here, because the checks need all its
 * fields before a byte is inflated; fflate does the inflating.
 */
import { makeZip } from 'client-zip';
import { inflateSync } from 'fflate';
import { type ErrorCode, TabtuneError } from '../base/errors';

export interface ZipEntry {
  /** Relative, with forward slashes. */
  path: string;
  bytes: Uint8Array;
}
/** A file that may be larger than memory. */
export interface ZipSource {
  path: string;
  blob: Blob;
}

const MAX_ENTRIES = 1000;
const MAX_TOTAL_BYTES = 2 * 2 ** 30;
/** Weights, JSON and text stay far below this; deflate's limit is about 1030. */
const MAX_RATIO = 200;

/** Zips files in the given order, in memory. The same files always give the same bytes. */
export async function createZip(files: readonly ZipEntry[]): Promise<Uint8Array<ArrayBuffer>> {
  const stream = zipped(files.map(({ path, bytes }) => ({ name: path, input: bytes })));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The same as a stream, for files that together do not fit in memory. Above 4 GB it automatically becomes zip64. */
export function zipStream(files: readonly ZipSource[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return zipped(files.map(({ path, blob }) => ({ name: path, input: blob })));
}

/** Every entry has the format's earliest date (1 January 1980, local time, because zip has no time zone). */
function zipped(entries: { name: string; input: Uint8Array | Blob }[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const lastModified = new Date(1980, 0, 1);
  const seen = new Set<string>();
  for (const { name } of entries) {
    if (pathProblem(name) !== null || seen.has(name)) {
      throw new TabtuneError({ code: 'internal', message: `${name} is not a valid file name for an archive.` });
    }
    seen.add(name);
  }
  return makeZip(entries.map((entry) => ({ ...entry, lastModified }))) as ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Why a path is not allowed in an archive; null if it is. */
function pathProblem(path: string): string | null {
  if (path === '') return 'is empty';
  if (path.includes('\0')) return 'contains a NUL character';
  if (path.includes('\\')) return 'contains a backslash';
  if (path.startsWith('/')) return 'is absolute';
  if (/^[a-z]:/i.test(path)) return 'names a drive';
  if (path.split('/').some((part) => part === '..' || part === '.')) return 'leaves its folder';
  return null;
}

export interface ZipContext {
  /** The archive's name, for errors. */
  where: string;
  code: Extract<ErrorCode, 'bad_model' | 'bad_adapter' | 'bad_data'>;
}

interface DirectoryEntry {
  path: string;
  method: number;
  crc: number;
  compressedSize: number;
  size: number;
  /** Offset of the local header. */
  offset: number;
}

/** A file in an archive, not yet inflated. */
export interface ZipFile {
  path: string;
  /** Inflated. */
  size: number;
  /** Throws as readZip does. */
  read(): Uint8Array;
}

const refusal =
  (context: ZipContext): Refuse =>
  (message, name) => {
    throw new TabtuneError({
      code: context.code,
      message,
      where: name === undefined ? context.where : `${context.where}, ${name.slice(0, 120)}`,
      action: 'Create the archive again, or unpack it and drop the folder.',
    });
  };

/**
 * The files of an archive, without its directories. Nothing is inflated until a file is read. Throws `context.code` for the same
 * reasons as readZip, except for sizes, which the caller must check before reading.
 */
export function listZip(archive: Uint8Array, context: ZipContext): ZipFile[] {
  const refuse = refusal(context);
  const entries = readDirectory(archive, refuse);
  checkEntries(archive, entries, refuse);
  return entries
    .filter(({ path }) => !path.endsWith('/'))
    .map((entry) => ({ path: entry.path, size: entry.size, read: () => readEntry(archive, entry, refuse) }));
}

function checkEntries(archive: Uint8Array, entries: readonly DirectoryEntry[], refuse: Refuse): void {
  let compressed = 0;
  const seen = new Set<string>();
  for (const { path, compressedSize } of entries) {
    const problem = pathProblem(path);
    if (problem !== null) refuse(`A file name in the archive ${problem}.`, path);
    if (seen.has(path)) refuse('The archive contains this file twice.', path);
    seen.add(path);
    compressed += compressedSize;
  }
  // Entries that share bytes could expand to far more than the archive's size suggests.
  if (compressed > archive.length) refuse('The entries in the archive overlap.');
}

/**
 * Reads the wanted files of an archive (all of them by default), but not its directories; the others are not inflated. Throws
 * `context.code` if it is not a zip, is encrypted or damaged, has more than 1000 entries, contains a path outside its folder or a
 * path twice, or if what is wanted has more than 2 GB or expands more than 200 times.
 */
export function readZip(archive: Uint8Array, context: ZipContext, wanted = (_path: string) => true): ZipEntry[] {
  const refuse = refusal(context);
  const entries = readDirectory(archive, refuse);
  checkEntries(archive, entries, refuse);
  const files = entries.filter(({ path }) => !path.endsWith('/') && wanted(path));
  if (files.reduce((sum, { size }) => sum + size, 0) > MAX_TOTAL_BYTES) {
    refuse('The files in the archive expand to more than 2 GB.');
  }
  for (const { path, size, compressedSize } of files) {
    if (size > MAX_RATIO * compressedSize) {
      refuse(`This file expands to more than ${MAX_RATIO} times its compressed size.`, path);
    }
  }
  return files.map((entry) => ({ path: entry.path, bytes: readEntry(archive, entry, refuse) }));
}

type Refuse = (message: string, name?: string) => never;

function readDirectory(archive: Uint8Array, refuse: Refuse): DirectoryEntry[] {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  // The end record comes last, before a comment of at most 65,535 bytes.
  let end = archive.length - 22;
  const first = Math.max(0, end - 65_535);
  while (end >= first && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < first) refuse('This is not a zip archive, or its end is missing.');

  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  let position = view.getUint32(end + 16, true);
  if (count === 0xffff || size === 0xffffffff || position === 0xffffffff) {
    refuse('Archives in the zip64 format (for more than 4 GB) are not supported.');
  }
  if (count > MAX_ENTRIES) refuse(`The archive has ${count} entries; the limit is ${MAX_ENTRIES}.`);
  if (position + size > end) refuse('The archive’s directory is damaged.');

  const entries: DirectoryEntry[] = [];
  const directoryEnd = position + size;
  for (let i = 0; i < count; i++) {
    if (position + 46 > directoryEnd || view.getUint32(position, true) !== 0x02014b50) {
      refuse('The archive’s directory is damaged.');
    }
    const flags = view.getUint16(position + 8, true);
    const nameLength = view.getUint16(position + 28, true);
    const next = position + 46 + nameLength + view.getUint16(position + 30, true) + view.getUint16(position + 32, true);
    if (next > directoryEnd) refuse('The archive’s directory is damaged.');
    // Old archivers use encodings other than UTF-8, but the names that matter here are ASCII in all of them.
    const path = new TextDecoder().decode(archive.subarray(position + 46, position + 46 + nameLength));
    if (flags & 1) refuse('The archive is encrypted.', path);
    entries.push({
      path,
      method: view.getUint16(position + 10, true),
      crc: view.getUint32(position + 16, true),
      compressedSize: view.getUint32(position + 20, true),
      size: view.getUint32(position + 24, true),
      offset: view.getUint32(position + 42, true),
    });
    position = next;
  }
  return entries;
}

function readEntry(archive: Uint8Array, entry: DirectoryEntry, refuse: Refuse): Uint8Array {
  const { path, method, crc, compressedSize, size, offset } = entry;
  const damaged = () => refuse('This file is damaged in the archive.', path);
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  if (offset + 30 > archive.length || view.getUint32(offset, true) !== 0x04034b50) damaged();
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + compressedSize > archive.length) damaged();
  const data = archive.subarray(start, start + compressedSize);

  let bytes: Uint8Array;
  if (method === 0) {
    bytes = data.slice();
  } else if (method === 8) {
    try {
      // Given a buffer, fflate never writes more than the claimed size, which was counted above.
      bytes = inflateSync(data, { out: new Uint8Array(size) });
    } catch {
      return damaged();
    }
  } else {
    return refuse(`Compression method ${method} is not supported.`, path);
  }
  if (bytes.length !== size || crc32(bytes) !== crc) damaged();
  return bytes;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as in zip and gzip (ISO 3309, reflected polynomial 0xEDB88320). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
