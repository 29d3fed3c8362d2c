/** Excel workbooks (.xlsx), with read-excel-file. Loaded when one is opened. */
import readWorkbook from 'read-excel-file/universal';
import { TabtuneError } from '../base/errors';
import { combine, type NamedTable, splitOf } from './combine';
import type { CsvRecord } from './csv-records';
import { tableOf } from './parse-csv';
import { excerpt, nameList, ProblemList } from './problems';
import type { RawTable } from './raw-table';

interface Sheet {
  sheet: string;
  data: unknown[][];
}

/** Reads the sheet that is asked for, or the first with rows, and says which others there are. */
export async function readXlsx(name: string, bytes: Uint8Array, wanted: string | null): Promise<RawTable> {
  const sheets = await sheetsOf(name, bytes);
  const filled = sheets.filter(({ data }) => data.some((row) => row.some((cell) => cell !== null && cell !== '')));
  if (filled.length === 0) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'This workbook has no rows.',
      where: name,
      action: 'Choose a file with at least one example in it.',
    });
  }
  const choices = filled.map(({ sheet }) => ({
    label: `Sheet “${excerpt(sheet, 30)}”`,
    set: { 'dataset.table': sheet },
  }));
  if (wanted !== null && wanted !== '*') {
    const chosen = filled.find(({ sheet }) => sheet === wanted);
    if (chosen) return tableOfSheet(name, chosen);
    throw new TabtuneError({
      code: 'bad_data',
      message: `This workbook has no sheet “${excerpt(wanted, 40)}” with rows.`,
      where: name,
      action: `Choose one of these: ${nameList(filled.map(({ sheet }) => sheet))}.`,
      choices,
    });
  }
  if (filled.length > 1) {
    const tables = filled.map<NamedTable>((sheet) => ({ name: sheet.sheet, table: tableOfSheet(name, sheet) }));
    if (wanted === '*' || tables.every(({ name: sheet }) => splitOf(sheet) !== null)) {
      return combine(name, tables, 'sheets', wanted === '*');
    }
  }
  const first = filled[0]!;
  const table = tableOfSheet(name, first);
  if (filled.length > 1) {
    table.problems.unshift({
      severity: 'warning',
      code: 'several_sheets',
      message: `This workbook has ${filled.length} sheets with rows; “${excerpt(first.sheet, 30)}” was read, and not ${nameList(
        filled.slice(1).map(({ sheet }) => sheet),
        6,
      )}.`,
      action: 'Choose another if that is not the one.',
      dropped: false,
      choices: choices.slice(1, 7),
    });
  }
  return table;
}

async function sheetsOf(name: string, bytes: Uint8Array): Promise<Sheet[]> {
  try {
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    return (await readWorkbook(buffer, { trim: false })) as Sheet[];
  } catch (error) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'This Excel workbook cannot be read: it is damaged, protected by a password, or unusual.',
      where: name,
      action: 'Save the sheet as “CSV UTF-8” and open that.',
      details: error instanceof Error ? error.message : String(error),
    });
  }
}

function tableOfSheet(name: string, { sheet, data }: Sheet): RawTable {
  const records = data
    .map<CsvRecord>((row, i) => ({ cells: row.map(cellText), line: i + 1 }))
    .filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  const width = Math.max(...records.slice(0, 200).map(({ cells }) => cells.findLastIndex((cell) => cell !== '') + 1));
  const even = records.map(({ cells, line }) => ({
    cells: cells.slice(0, Math.max(width, cells.findLastIndex((c) => c !== '') + 1)),
    line,
  }));
  const table = tableOf(`${name}, sheet ${sheet}`, even, { width, delimiter: null }, new ProblemList());
  return { ...table, fileType: 'xlsx' };
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  if (cell instanceof Date) return cell.toISOString().replace(/T00:00:00\.000Z$/, '');
  return String(cell);
}
