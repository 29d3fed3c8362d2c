/** Turns a dataset file into examples: decodes, parses, detects the format and converts the rows. */
import { TabtuneError } from '../base/errors';
import type { ReadingSection } from '../recipe/sections';
import { cleanExamples } from './clean-examples';
import { detectShape } from './detect';
import { containerOf } from './file-kinds';
import { isMix, mixDatasets, unpackMix } from './mix';
import { ProblemList } from './problems';
import type { RawTable } from './raw-table';
import { readTable } from './read-table';
import { toExamples } from './to-examples';
import type { ParsedDataset } from './types';

/** Throws bad_data if the file cannot be used at all, or asks; problems with single rows are in `problems`. */
export function parseDataset(name: string, bytes: Uint8Array, section: ReadingSection): ParsedDataset {
  if (isMix(section)) throw noEditing(name);
  return fromTable(name, readTable(name, bytes, section), section);
}

function noEditing(name: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: 'A mix of datasets cannot be edited as a whole.',
    where: name,
    action: 'Choose one of its files alone, edit it there, and mix again.',
  });
}

/** The same for every kind of file: archives, workbooks and Parquet files need code that is loaded when one is opened. */
export function openDataset(
  name: string,
  bytes: Uint8Array,
  section: ReadingSection,
): ParsedDataset | Promise<ParsedDataset> {
  if (isMix(section)) return openMix(bytes, section);
  if (containerOf(bytes) === null) return parseDataset(name, bytes, section);
  return import('./containers')
    .then(({ readContainer }) => readContainer(name, bytes, section))
    .then((table) => fromTable(name, table, section));
}

/** `bytes` are those of `packMix`. What compares rows, or names them, is about the whole mix. */
async function openMix(bytes: Uint8Array, section: ReadingSection): Promise<ParsedDataset> {
  const parts: { source: string; dataset: ParsedDataset }[] = [];
  for (const { source, name, bytes: own, section: reading } of unpackMix(bytes)) {
    parts.push({ source, dataset: await openDataset(name, own, reading) });
  }
  const mixed = parts.length === 1 ? parts[0]!.dataset : mixDatasets(parts);
  const { leave_out_rows, near_duplicates } = section;
  const whole = { ...(leave_out_rows && { leave_out_rows }), ...(near_duplicates && { near_duplicates }) };
  const { examples, problems } = cleanExamples(mixed.name, mixed.examples, whole, false);
  const leftOut = mixed.leftOut + mixed.examples.length - examples.length;
  return { ...mixed, examples, problems: [...mixed.problems, ...problems], leftOut };
}

function fromTable(name: string, table: RawTable, section: ReadingSection): ParsedDataset {
  try {
    const detected = detectShape(name, table, section);
    const { shape } = detected;
    const { examples: read, problems } = toExamples(name, detected.table, shape, section.merge_labels);
    const { examples, problems: cleaned } = cleanExamples(name, read, section);
    const all = new ProblemList();
    all.addAll(table.problems);
    all.addAll(detected.problems);
    all.addAll(problems);
    all.addAll(cleaned);
    return {
      name,
      fileType: table.fileType,
      format: shape.format,
      detected: shape.detected,
      columns: shape.uses.map(({ column }) => column),
      mapping: shape.mapping,
      uses: shape.uses,
      examples,
      problems: all.list(),
      totalRows: detected.table.totalRows,
      leftOut: table.totalRows - table.rows.length + detected.table.rows.length - examples.length,
      ...(table.encoding && { encoding: table.encoding }),
      ...(table.readOnly && { readOnly: true }),
    };
  } catch (error) {
    throw error instanceof TabtuneError ? withTableProblems(error, table) : error;
  }
}

/** What went wrong when the rows were read comes first: it is often why nothing fits afterwards. */
function withTableProblems(error: TabtuneError, table: RawTable): TabtuneError {
  const lost = table.totalRows - table.rows.length;
  const cause = table.problems.find((problem) => problem.dropped) ?? table.problems.find((p) => p.severity === 'error');
  if (error.code !== 'bad_data' || !cause || (lost < table.totalRows / 2 && cause.dropped)) return error;
  const before =
    lost > 0 ? `${lost.toLocaleString('en')} of ${table.totalRows.toLocaleString('en')} rows could not be read. ` : '';
  return new TabtuneError({
    ...error.toData(),
    message: `${before}${cause.message} ${error.message}`,
    action: `${cause.action.replace(/^It was left out\. /, '')} ${error.action ?? ''}`.trim(),
  });
}
