/** Files that hold a table in another form than text: compressed files, archives of data, Excel workbooks, Parquet. */
import { TabtuneError } from '../base/errors';
import type { ReadingSection } from '../recipe/sections';
import { containerOf } from './file-kinds';
import { inflateGzip, inflateZstd } from './inflate';
import type { RawTable } from './raw-table';
import { missingWords, readTable } from './read-table';
import { MAX_FILE_BYTES } from './read-text';

/** An archive in an archive is unpacked; more is no dataset. */
const DEEPEST = 3;

export type Reading = Pick<ReadingSection, 'format' | 'encoding' | 'table'>;

/** The table in a file of any kind. Throws bad_data, or asks which of several. */
export async function readContainer(name: string, bytes: Uint8Array, section: Reading, depth = 0): Promise<RawTable> {
  const kind = containerOf(bytes);
  if (kind === null) return readTable(name, bytes, section);
  if (depth >= DEEPEST) {
    throw new TabtuneError({
      code: 'bad_data',
      message: `This file is an archive in an archive in an archive.`,
      where: name,
      action: 'Unpack it first, then open the file inside.',
    });
  }
  if (bytes.length > MAX_FILE_BYTES) throw tooLarge(name, bytes.length);
  switch (kind) {
    case 'gzip':
    case 'zstd': {
      const inner = name.replace(/\.(gz|gzip|zst|zstd)$/i, '');
      const inflated = kind === 'gzip' ? await inflateGzip(name, bytes) : await inflateZstd(name, bytes);
      return readOnly(await readContainer(inner, inflated, section, depth + 1));
    }
    case 'parquet': {
      const { readParquet } = await import('./read-parquet');
      return cleared(await readParquet(name, bytes));
    }
    case 'zip': {
      const { readArchive } = await import('./read-archive');
      return readOnly(await readArchive(name, bytes, section, depth));
    }
  }
}

export const readOnly = (table: RawTable): RawTable => ({ ...table, readOnly: true });

/** With words for nothing read as empty. */
export function cleared(table: RawTable): RawTable {
  return { ...table, problems: [...table.problems, ...missingWords(table)], readOnly: true };
}

export function tooLarge(name: string, size: number): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: `This file is too large to read in one piece (${Math.round(size / 2 ** 20).toLocaleString('en')} MB).`,
    where: name,
    action: `Split it into files of at most ${MAX_FILE_BYTES / 2 ** 20} MB.`,
  });
}
