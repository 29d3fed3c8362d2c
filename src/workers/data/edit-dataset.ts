/**
 * Edits the rows of a stored dataset file. The file keeps its type and columns, and rows keep their numbers unless some are
 * taken out. Runs in the data worker, because it reads untrusted files.
 */
import { TabtuneError } from '../../base/errors';
import type { DatasetEdit } from '../../data/edits';
import { exampleKey } from '../../data/example-kinds';
import { containerOf } from '../../data/file-kinds';
import { parseDataset } from '../../data/parse';
import { isPreference, preferenceParts } from '../../data/preference-parts';
import { readText } from '../../data/read-text';
import type { Example, ParsedDataset } from '../../data/types';
import type { ReadingSection } from '../../recipe/sections';
import type { DataApi } from './api';
import { withoutEntities } from './entities';
import type { ReadFilesApi } from './read-files';
import { type Change, missing, refused, rewrite, withFields, withTexts } from './rewrite-file';

/** The data worker's API: the data layer's calls, edits, and the reading of other files. */
export interface DataWorkerApi extends DataApi, ReadFilesApi {
  /** Whether the browser keeps this worker from reaching other servers, as workers/closed.ts found out. */
  closedByBrowser(): Promise<boolean>;
  /** Returns the edited file as UTF-8. Throws bad_data if it cannot be edited so. */
  editDataset(name: string, bytes: ArrayBuffer, section: ReadingSection, edit: DatasetEdit): ArrayBuffer;
}

/** Reads what is in the file: rows that the recipe leaves out, or changes, are compared as they are written. */
const asWritten = (section: ReadingSection): ReadingSection => ({
  ...section,
  ...{ leave_out_rows: null, replace_personal: [], drop_personal: [], near_duplicates: 'keep' },
});

export const editDataset: DataWorkerApi['editDataset'] = (name, bytes, given, edit) => {
  const section = asWritten(given);
  const row = edit.kind === 'cells' ? edit.row : undefined;
  if (containerOf(new Uint8Array(bytes)) !== null) throw missing(name, row);
  const before = parseDataset(name, new Uint8Array(bytes), section);
  // Rows that were put together from something else have no place in the file to be written to.
  if (before.readOnly) throw missing(name, row);
  // Of rows that are messages, an example is several.
  if (edit.kind === 'remove' && before.mapping.role !== undefined) throw missing(name, row);
  const { text } = readText(name, new Uint8Array(bytes), section.encoding);
  // The recipe still names the encoding that the file had: the mark says that it is UTF-8 now.
  const mark = (section.encoding ?? 'auto') === 'auto' ? '' : '\uFEFF';
  const rewritten = rewrite(name, text, before.fileType, section, changeOf(edit, before));
  const edited = new TextEncoder().encode(mark + rewritten);
  check(name, before, readBack(name, edited, section, row), edit);
  return edited.buffer;
};

function changeOf(edit: DatasetEdit, { mapping }: ParsedDataset): Change {
  // What rewards look at stays as it is.
  const columns = new Set(
    Object.entries(mapping).flatMap(([key, column]) => (key.startsWith('columns.') ? [] : [column])),
  );
  switch (edit.kind) {
    case 'cells':
      return { rows: new Set([edit.row]), apply: (value) => withFields(value, edit.fields), removes: false };
    case 'remove':
      return { rows: new Set(edit.rows), apply: () => null, removes: true };
    case 'trim':
      return { rows: null, apply: (value) => withTexts(value, columns, (text) => text.trim()), removes: false };
    case 'entities':
      return { rows: null, apply: (value) => withTexts(value, columns, withoutEntities), removes: false };
  }
}

/** The file as it will be opened. An edit after which nothing can be read is not made. */
function readBack(name: string, edited: Uint8Array, section: ReadingSection, row: number | undefined): ParsedDataset {
  try {
    return parseDataset(name, edited, section);
  } catch (cause) {
    if (!(cause instanceof TabtuneError)) throw cause;
    if (row !== undefined) throw unusable(name, row);
    throw refused(name, row, `This change would make the file unusable: ${cause.message}`);
  }
}

/** Throws if the edit makes a row unusable or affects others. */
function check(name: string, before: ParsedDataset, after: ParsedDataset, edit: DatasetEdit): void {
  const row = edit.kind === 'cells' ? edit.row : undefined;
  const affects = () => refused(name, row, 'This change would affect how the rest of the file is read.');
  if (after.format !== before.format) throw affects();
  if (edit.kind === 'cells') {
    const others = ({ examples }: ParsedDataset) => examples.filter((example) => example.row !== row).length;
    if (!after.examples.some((example) => example.row === row)) throw unusable(name, edit.row);
    if (others(after) !== others(before)) throw affects();
    const [old, next] = [before, after].map(({ examples }) => examples.find((example) => example.row === row)!);
    if (changedParts(old!, next!) > 1) throw insideAnswers(name, edit.row);
    return;
  }
  const gone = new Set(edit.kind === 'remove' ? edit.rows : []);
  const kept = before.examples.filter((example) => !gone.has(example.row));
  if (kept.length !== after.examples.length) throw affects();
  if (edit.kind !== 'remove') return;
  // Labels can be read as numbers once the words among them are gone, so only texts are compared where there are labels.
  const key = (example: ParsedDataset['examples'][number]) =>
    example.kind === 'labelled' ? example.text : exampleKey(example);
  if (kept.some((example, i) => key(example) !== key(after.examples[i]!))) throw affects();
}

/** How many of its prompt and answers are other ones. */
function changedParts(before: Example, after: Example): number {
  if (!isPreference(before) || !isPreference(after)) return 0;
  const [old, next] = [before, after].map((example) =>
    preferenceParts(example).map(({ turns }) => JSON.stringify(turns)),
  );
  return old!.filter((turns, i) => turns !== next![i]).length;
}

const insideAnswers = (name: string, row: number) =>
  refused(
    name,
    row,
    'The prompt of this row is written in both of its answers, so that one of them cannot be changed alone.',
    'Change it in the file, then open the file again.',
  );

const unusable = (name: string, row: number) =>
  refused(name, row, 'This change would make the row unusable.', 'Do not leave a prompt or answer empty.');
