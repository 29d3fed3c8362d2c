/** What kind of file bytes are, by their first bytes, and what to do with files that are no datasets. */
import { TabtuneError } from '../base/errors';

interface BinaryKind {
  magic: number[];
  offset?: number;
  /** After “This file is”. */
  what: string;
  action: string;
}

const UNPACK = 'Unpack it first, then open the file inside.';
const OTHER = 'Open a JSONL, JSON, CSV, Excel, Parquet or text file.';

/** Files that cannot be read here. */
const REFUSED: BinaryKind[] = [
  { magic: [0x42, 0x5a, 0x68], what: 'a bzip2 archive', action: UNPACK },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], what: 'an xz archive', action: UNPACK },
  { magic: [0x37, 0x7a, 0xbc, 0xaf], what: 'a 7-Zip archive', action: UNPACK },
  { magic: [0x52, 0x61, 0x72, 0x21], what: 'a RAR archive', action: UNPACK },
  { magic: [0x75, 0x73, 0x74, 0x61, 0x72], offset: 257, what: 'a tar archive', action: UNPACK },
  {
    magic: [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31],
    what: 'an Arrow file',
    action: 'Save it as Parquet or JSONL, e.g. with Dataset.to_parquet(…), and open that.',
  },
  {
    magic: [0xff, 0xff, 0xff, 0xff],
    what: 'an Arrow stream, as the datasets library caches it',
    action: 'Save it as Parquet or JSONL, e.g. with Dataset.to_parquet(…), and open that.',
  },
  {
    magic: [0x80, 0x04, 0x95],
    what: 'a Python pickle',
    action: 'Save it as JSONL or CSV, e.g. with DataFrame.to_csv(…).',
  },
  { magic: [0x25, 0x50, 0x44, 0x46], what: 'a PDF', action: 'Save its text as a .txt file and open that.' },
  {
    magic: [0xd0, 0xcf, 0x11, 0xe0],
    what: 'an old Office document (such as .xls)',
    action: 'Save the sheet as “CSV UTF-8” or .xlsx and open that.',
  },
  {
    magic: [0x7b, 0x5c, 0x72, 0x74, 0x66],
    what: 'an RTF document',
    action: 'Save its text as a .txt file and open that.',
  },
  { magic: [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], what: 'an SQLite database', action: 'Export a table as CSV first.' },
  { magic: [0x89, 0x50, 0x4e, 0x47], what: 'a PNG image', action: OTHER },
  { magic: [0xff, 0xd8, 0xff], what: 'a JPEG image', action: OTHER },
  { magic: [0x47, 0x47, 0x55, 0x46], what: 'a GGUF model', action: 'Open it as a model, not as a dataset.' },
];

export type Container = 'gzip' | 'zstd' | 'zip' | 'parquet';

const CONTAINERS: { magic: number[]; kind: Container; what: string }[] = [
  { magic: [0x1f, 0x8b], kind: 'gzip', what: 'a gzip archive' },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], kind: 'zstd', what: 'a Zstandard archive' },
  { magic: [0x50, 0x4b, 0x03, 0x04], kind: 'zip', what: 'a zip archive' },
  { magic: [0x50, 0x4b, 0x05, 0x06], kind: 'zip', what: 'an empty zip archive' },
  { magic: [0x50, 0x41, 0x52, 0x31], kind: 'parquet', what: 'a Parquet file' },
];

const startsWith = (bytes: Uint8Array, magic: readonly number[], offset = 0) =>
  magic.every((byte, i) => bytes[offset + i] === byte);

/** A file that holds a table, or files, in another form than text; null for everything else. */
export function containerOf(bytes: Uint8Array): Container | null {
  return CONTAINERS.find(({ magic }) => startsWith(bytes, magic))?.kind ?? null;
}

/** Throws bad_data for bytes that are no text in any encoding. `utf16`: whether they are UTF-16, which has zero bytes. */
export function refuseBinary(name: string, bytes: Uint8Array, utf16: boolean): void {
  const known =
    REFUSED.find(({ magic, offset }) => startsWith(bytes, magic, offset)) ??
    // Reached where containers are not opened, e.g. for text of the base model.
    CONTAINERS.filter(({ magic }) => startsWith(bytes, magic)).map(({ what }) => ({ what, action: UNPACK }))[0];
  if (known) {
    throw new TabtuneError({
      code: 'bad_data',
      message: `This file is ${known.what}, not text.`,
      where: name,
      action: known.action,
      details: `The first bytes are ${hex(bytes.subarray(0, 8))}.`,
    });
  }
  if (utf16) return;
  // Other binary files (images, weights) are full of control bytes that no text encoding uses.
  const sample = bytes.subarray(0, 4096);
  const control = sample.filter((b) => b < 32 && b !== 0 && ![9, 10, 12, 13, 27].includes(b)).length;
  if (control > sample.length * 0.1 && control > 8) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'This file is not text.',
      where: name,
      action: OTHER,
      details: `${control} of the first ${sample.length} bytes are control characters: ${hex(bytes.subarray(0, 16))}.`,
    });
  }
}

export function hex(bytes: Uint8Array): string {
  return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ');
}

/** Formats that are text and hold more than prose. */
const MARKUP = [
  { what: 'a web page (HTML)', extension: /^x?html?$/, start: /^\s*(<!doctype html|<html[\s>])/i },
  { what: 'an XML file', extension: /^xml$/, start: /^\s*<\?xml[\s]/i },
  { what: 'a YAML file', extension: /^ya?ml$/, start: /^%YAML/ },
];

/** Asks before markup is learned as prose: whoever wants to train on it says so. */
export function refuseMarkup(name: string, start: string, extension: string): void {
  const found = MARKUP.find((kind) => kind.extension.test(extension) || kind.start.test(start));
  if (!found) return;
  throw new TabtuneError({
    code: 'bad_data',
    message: `This is ${found.what}, which Tabtune does not read as rows.`,
    where: name,
    action: 'Save the data as JSONL, JSON or CSV, or read the file as plain text, with its markup.',
    choices: [{ label: 'Read it as plain text', set: { 'dataset.format': 'text' } }],
  });
}
