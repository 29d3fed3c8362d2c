/** Files that hold a table in another form than text: compressed files, archives of data, Excel workbooks, Parquet. */
import { TabtuneError } from '../base/errors';
import { containerOf } from './file-kinds';
import { inflateGzip, inflateZstd } from './inflate';
import type { RawTable } from './raw-table';
import { type Reading, readTable, withoutMissingWords } from './read-table';
import { MAX_FILE_BYTES, tooLarge } from './read-text';

/** An archive in an archive is unpacked; more is no dataset. */
const DEEPEST = 3;

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
      return readOnly(withoutMissingWords(await readParquet(name, bytes)));
    }
    case 'zip': {
      const { readArchive } = await import('./read-archive');
      const open = (inner: string, content: Uint8Array, wanted: Reading) =>
        readContainer(inner, content, wanted, depth + 1);
      return readOnly(await readArchive(name, bytes, section, open));
    }
  }
}

const readOnly = (table: RawTable): RawTable => ({ ...table, readOnly: true });
