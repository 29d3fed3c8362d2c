/** Zip archives: of data, or documents that are zips themselves. They are listed first, and only what is wanted is inflated. */
import { TabtuneError } from '../base/errors';
import { listZip, type ZipFile } from '../formats/zip';
import { combine, type NamedTable } from './combine';
import { nameList } from './problems';
import type { RawTable } from './raw-table';
import { type Reading, withoutMissingWords } from './read-table';
import { MAX_FILE_BYTES, tooLarge } from './read-text';

const DATA = /\.(jsonl|ndjson|json|csv|tsv|tab|parquet|xlsx|conll|bio|iob|iob2)(\.gz|\.zst)?$/i;
const TEXT = /\.(txt|text|md|markdown)(\.gz|\.zst)?$/i;
/** What comes with data and is none. */
const BESIDE =
  /(^|\/)(\.|__MACOSX\/|readme|licen[cs]e|changelog|citation|notice|authors|thumbs\.db|dataset_infos?\.json|state\.json|metadata\.json|package\.json|manifest\.json)/i;
const MOST_FILES = 50;

/** Documents that are zip archives, by a file that each has inside. */
const DOCUMENTS: { inside: RegExp; what: string; action: string }[] = [
  { inside: /^word\/document\.xml$/, what: 'a Word document', action: 'Save its text as a .txt file and open that.' },
  {
    inside: /^ppt\/presentation\.xml$/,
    what: 'a PowerPoint presentation',
    action: 'Save its text as a .txt file and open that.',
  },
  {
    inside: /^xl\/workbook\.bin$/,
    what: 'an Excel workbook in binary form (.xlsb)',
    action: 'Save the sheet as “CSV UTF-8” and open that.',
  },
  {
    inside: /^Index\/.*\.iwa$|^Index\.zip$/,
    what: 'a Numbers or Pages document',
    action: 'Export the table as CSV and open that.',
  },
  {
    inside: /^content\.xml$/,
    what: 'an OpenDocument file (such as .ods)',
    action: 'Save the sheet as CSV (UTF-8) or .xlsx and open that.',
  },
  { inside: /^META-INF\/container\.xml$/, what: 'an e-book', action: 'Save its text as a .txt file and open that.' },
];

export async function readArchive(
  name: string,
  bytes: Uint8Array,
  section: Reading,
  openFile: (name: string, bytes: Uint8Array, section: Reading) => Promise<RawTable>,
): Promise<RawTable> {
  const files = listZip(bytes, { where: name, code: 'bad_data' });
  const wanted = section.table ?? null;
  if (files.some(({ path }) => path === 'xl/workbook.xml')) {
    const size = files.reduce((sum, file) => sum + file.size, 0);
    if (size > MAX_FILE_BYTES) throw tooLarge(name, size);
    for (const file of files) if (SHEET.test(file.path)) checkSheet(name, file);
    const { readXlsx } = await import('./read-xlsx');
    return withoutMissingWords(await readXlsx(name, bytes, wanted));
  }
  const document = DOCUMENTS.find(({ inside }) => files.some(({ path }) => inside.test(path)));
  if (document)
    throw refused(name, `This file is ${document.what}, not a table that can be read here.`, document.action);
  const chosen = choose(name, files, wanted);
  const inner = { ...section, table: chosen.inner };
  const open = async (file: ZipFile): Promise<RawTable> => {
    if (file.size > MAX_FILE_BYTES) throw tooLarge(`${name}, ${file.path}`, file.size);
    try {
      return await openFile(file.path.split('/').at(-1)!, file.read(), inner);
    } catch (error) {
      throw error instanceof TabtuneError ? inside(name, file.path, error) : error;
    }
  };
  const [only] = chosen.files;
  if (chosen.files.length === 1) {
    const table = await open(only!);
    const others = files.length - 1;
    table.problems.unshift({
      severity: 'warning',
      code: 'from_archive',
      message: `The archive’s file “${only!.path}” was read${others > 0 ? `, and none of its ${others} others` : ''}.`,
      action: 'Unpack the archive to edit the file.',
      dropped: false,
    });
    return table;
  }
  const tables: NamedTable[] = [];
  let total = 0;
  for (const file of chosen.files) {
    total += file.size;
    if (total > MAX_FILE_BYTES) throw tooLarge(name, total);
    tables.push({ name: file.path, table: await open(file) });
  }
  return combine(name, tables, 'files', wanted === '*');
}

const SHEET = /^xl\/worksheets\/[^/]+\.xml$/i;
/** Of a sheet from its first cell to its last, empty ones included: all of them are made. */
const MAX_CELLS = 10_000_000;
/** Excel's own. */
const MAX_SHEET_ROWS = 1_048_576;

const SAVE_AS_CSV = 'Save the sheet as “CSV UTF-8” and open that.';

/** A single cell far to the right or below makes a sheet of billions. */
function checkSheet(name: string, file: ZipFile): void {
  const text = new TextDecoder().decode(file.read());
  let [columns, rows] = [0, 0];
  for (const [, place] of text.matchAll(/<(?:\w+:)?(?:c|row|dimension)\b[^<>]*?\sr(?:ef)?\s*=\s*["']([^"']*)["']/gi)) {
    for (const corner of place!.split(':')) {
      const [, letters, digits] = /^([A-Z]{0,3})(\d{0,7})$/i.exec(corner.trim()) ?? [];
      if (letters === undefined) {
        throw refused(`${name}, ${file.path}`, 'This Excel workbook is damaged: a cell has no place.', SAVE_AS_CSV);
      }
      const column = [...letters.toUpperCase()].reduce((sum, letter) => 26 * sum + letter.charCodeAt(0) - 64, 0);
      columns = Math.max(columns, column);
      rows = Math.max(rows, Number(digits || 0));
    }
  }
  if (Math.max(1, columns) * rows <= MAX_CELLS && rows <= MAX_SHEET_ROWS && columns <= MAX_SHEET_ROWS) return;
  throw refused(
    `${name}, ${file.path}`,
    `A sheet of this workbook reaches to row ${rows} and column ${columns}, which is more than can be read here.`,
    'Delete the empty rows and columns behind the data, or save the sheet as “CSV UTF-8” and open that.',
  );
}

interface Chosen {
  files: ZipFile[];
  /** The table inside the chosen file: `data.xlsx#Sheet 2`. */
  inner: string | null;
}

function choose(name: string, files: readonly ZipFile[], wanted: string | null): Chosen {
  if (wanted !== null && wanted !== '*') {
    const file = files.find(({ path }) => path === wanted || wanted.startsWith(`${path}#`));
    if (file) return { files: [file], inner: wanted === file.path ? null : wanted.slice(file.path.length + 1) };
    // The archive has one file, in which the table is.
    const data = candidates(files);
    if (data.length === 1) return { files: data, inner: wanted };
    throw refused(
      name,
      `There is no file “${wanted}” in this archive.`,
      `Choose one of these: ${nameList(data.map(({ path }) => path))}.`,
    );
  }
  const data = candidates(files);
  if (data.length === 0) {
    const holds =
      files.length === 0
        ? 'it is empty'
        : `it has ${nameList(
            files.map(({ path }) => path),
            5,
          )}`;
    throw refused(
      name,
      `This archive has no dataset in it: ${holds}.`,
      'It needs a JSONL, JSON, CSV, Excel, Parquet or text file.',
    );
  }
  if (data.length > MOST_FILES) {
    throw refused(
      name,
      `This archive has ${data.length} files of data; at most ${MOST_FILES} are read together.`,
      'Join them into fewer files, or open one of them.',
    );
  }
  return { files: data, inner: null };
}

/** The files of data; texts count if there are no others. */
function candidates(files: readonly ZipFile[]): ZipFile[] {
  const own = files.filter(({ path, size }) => size > 0 && !BESIDE.test(path));
  const data = own.filter(({ path }) => DATA.test(path));
  return data.length > 0 ? data : own.filter(({ path }) => TEXT.test(path));
}

function refused(where: string, message: string, action: string): TabtuneError {
  return new TabtuneError({ code: 'bad_data', message, where, action });
}

/** Names the archive, and asks for tables by their path through it. */
function inside(name: string, path: string, error: TabtuneError): TabtuneError {
  const choices = error.choices?.map(({ label, set }) => ({
    label,
    set: 'dataset.table' in set ? { ...set, 'dataset.table': `${path}#${set['dataset.table']}` } : set,
  }));
  return new TabtuneError({ ...error.toData(), where: `${name}, ${error.where ?? path}`, ...(choices && { choices }) });
}
