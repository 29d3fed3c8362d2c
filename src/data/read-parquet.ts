/** Parquet files, with hyparquet. Loaded when one is opened. */

import { type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { formatBytes } from '../base/bytes';
import { TabtuneError } from '../base/errors';
import { nameList } from './problems';
import { columnsOf, isRecord, type RawTable } from './raw-table';
import type { DataProblem } from './types';

/** Of all columns together, unpacked; rows as JavaScript objects need several times as much. */
const MAX_BYTES = 500 * 2 ** 20;

const MAX_ROWS = 10_000_000;

/** hyparquet reads Snappy itself; the other decoder needs WebAssembly, which the page's policy does not allow. */
const { SNAPPY: _wasm, ...decoders } = compressors;

export async function readParquet(name: string, bytes: Uint8Array): Promise<RawTable> {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const file = { byteLength: buffer.byteLength, slice: (from: number, to?: number) => buffer.slice(from, to) };
  let rows: Record<string, unknown>[];
  let classes: Map<string, string[]>;
  try {
    const metadata = await parquetMetadataAsync(file);
    const size = metadata.row_groups.reduce((sum, group) => sum + Number(group.total_byte_size), 0);
    if (size > MAX_BYTES) throw tooLarge(name, size, Number(metadata.num_rows));
    classes = classNames(metadata.key_value_metadata ?? []);
    checkColumns(metadata);
    const counts = metadata.row_groups.map((group) => Number(group.num_rows));
    const count = counts.reduce((sum, n) => sum + n, 0);
    if (!counts.every((n) => n >= 0) || count > MAX_ROWS) throw tooLarge(name, size, count);
    // Group by group: of groups read at once, the library leaves failures unhandled.
    rows = [];
    let rowStart = 0;
    for (const n of counts) {
      const rowEnd = rowStart + n;
      const read = await parquetReadObjects({ file, metadata, compressors: decoders, utf8: false, rowStart, rowEnd });
      for (const row of read) rows.push(row);
      rowStart = rowEnd;
    }
  } catch (error) {
    if (error instanceof TabtuneError) throw error;
    throw new TabtuneError({
      code: 'bad_data',
      message: 'This Parquet file cannot be read: it is damaged, encrypted, or of a kind that is not known here.',
      where: name,
      action: 'Write it again, e.g. with pandas: pd.read_parquet(…).to_parquet(…), or save it as JSONL.',
      details: error instanceof Error ? error.message : String(error),
    });
  }
  if (rows.length === 0) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'This Parquet file has no rows.',
      where: name,
      action: 'Choose a file with at least one example in it.',
    });
  }
  const binary = new Set<string>();
  for (const row of rows) {
    for (const key of Object.keys(row)) {
      const value = plainValue(row[key], () => binary.add(key));
      row[key] = typeof value === 'number' ? (classes.get(key)?.[value] ?? value) : value;
    }
  }
  const problems: DataProblem[] = [];
  const named = [...classes.keys()].filter((key) => key in rows[0]!);
  if (named.length > 0) {
    problems.push({
      severity: 'warning',
      code: 'class_names',
      message: `The numbers in ${nameList(named)} stand for classes that the file names.`,
      action: 'The names were filled in.',
      dropped: false,
    });
  }
  if (binary.size > 0) {
    problems.push({
      severity: 'warning',
      code: 'binary_column',
      message: `${nameList([...binary])} ${binary.size === 1 ? 'has' : 'have'} bytes, such as images or sounds, instead of text.`,
      action: 'They are not used.',
      dropped: false,
    });
  }
  const numbered = rows.map((value, i) => ({ row: i + 1, value }));
  return { fileType: 'parquet', columns: columnsOf(numbered), rows: numbered, problems, totalRows: rows.length };
}

/**
 * Every column must be a leaf of the schema, of the same type. The library finds out only while it reads the columns, and then
 * leaves the reading of the others unhandled.
 */
function checkColumns(metadata: FileMetaData): void {
  const root = parquetSchema(metadata);
  for (const { columns } of metadata.row_groups) {
    const paths = columns.map(({ meta_data }) => meta_data?.path_in_schema ?? []);
    for (const [i, path] of paths.entries()) {
      let node = root;
      for (const part of path) {
        const next = node.children.find(({ element }) => element.name === part);
        if (!next) throw new Error(`the schema has no column ${path.join('.')}`);
        node = next;
      }
      const { type } = node.element;
      if (node.children.length > 0 || type === undefined || type !== columns[i]!.meta_data?.type) {
        throw new Error(`the column ${path.join('.')} is not as the schema says`);
      }
    }
    if (new Set(paths.map((path) => path.join('.'))).size < paths.length) throw new Error('a column stands twice');
  }
}

function tooLarge(name: string, size: number, rows: number): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: `This Parquet file unpacks to ${formatBytes(size)} (${rows.toLocaleString('en')} rows), which is too much to read at once.`,
    where: name,
    action: 'Split it, or save some of its rows or columns as a separate file.',
  });
}

/** As JSON would have it: whole numbers beyond 2^53 as text, dates as ISO 8601. Bytes are dropped, and reported. */
function plainValue(value: unknown, binary: () => void): unknown {
  if (typeof value === 'bigint') {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (typeof value === 'number' && !Number.isFinite(value)) return null;
  if (value === undefined) return null;
  if (ArrayBuffer.isView(value)) {
    if (value instanceof Uint8Array) {
      // Some programs write texts without saying that they are texts.
      const text = asText(value);
      if (text === null) binary();
      return text;
    }
    return Array.from(value as unknown as ArrayLike<unknown>, (item) => plainValue(item, binary));
  }
  if (Array.isArray(value)) return value.map((item) => plainValue(item, binary));
  if (isRecord(value)) {
    for (const key of Object.keys(value)) value[key] = plainValue(value[key], binary);
  }
  return value;
}

function asText(bytes: Uint8Array): string | null {
  if (bytes.some((byte) => byte < 9)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The datasets library keeps the names of classes in the file's metadata. */
function classNames(entries: readonly { key: string; value?: string }[]): Map<string, string[]> {
  const out = new Map<string, string[]>();
  const text = entries.find(({ key }) => key === 'huggingface')?.value;
  if (text === undefined) return out;
  try {
    const info: unknown = JSON.parse(text);
    const features = isRecord(info) && isRecord(info.info) && isRecord(info.info.features) ? info.info.features : {};
    for (const [key, feature] of Object.entries(features)) {
      if (!isRecord(feature) || feature._type !== 'ClassLabel') continue;
      const { names } = feature;
      if (Array.isArray(names) && names.every((one) => typeof one === 'string')) out.set(key, names);
    }
  } catch {
    // Metadata of another program under this name.
  }
  return out;
}
