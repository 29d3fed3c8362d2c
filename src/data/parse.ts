/** Turns a dataset file into examples: decodes, parses, detects the format and converts the rows. */
import type { ReadingSection } from '../recipe/sections';
import { detectShape } from './detect';
import { looksConll, parseConll } from './parse-conll';
import { parseCsv } from './parse-csv';
import { parseJsonOrJsonl } from './parse-jsonl';
import { parseText } from './parse-text';
import { ProblemList } from './problems';
import type { RawTable } from './raw-table';
import { readText } from './read-text';
import { toExamples } from './to-examples';
import type { ParsedDataset } from './types';

/**
 * Throws bad_data if the file cannot be used at all; problems with single rows are in `problems`. The file extension is
 * only a hint, and the content decides.
 */
export function parseDataset(name: string, bytes: Uint8Array, section: ReadingSection): ParsedDataset {
  const { text, problems: fileProblems } = readText(name, bytes);
  const table = readTable(name, text, section);
  const detected = detectShape(name, table, section);
  const { shape } = detected;
  const { examples, problems } = toExamples(name, detected.table, shape, section.merge_labels);
  const all = new ProblemList();
  all.addAll(fileProblems);
  all.addAll(table.problems);
  all.addAll(detected.problems);
  all.addAll(problems);
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
  };
}

function readTable(name: string, text: string, section: Pick<ReadingSection, 'format'>): RawTable {
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const json = /^\s*(\{\s*("|\})|\[\s*(\{|"|\[|\]))/.test(text.slice(0, 1000));
  if (!json && isConll(extension, text, section)) return parseConll(text);
  switch (extension) {
    case 'jsonl':
    case 'ndjson':
    case 'json':
      return parseJsonOrJsonl(name, text);
    case 'csv':
    case 'tsv':
    case 'tab':
      // JSON renamed to .csv: no CSV file starts with a brace and a quoted key.
      return json && /^\s*[[{]\s*["{]/.test(text.slice(0, 1000)) ? parseJsonOrJsonl(name, text) : parseCsv(name, text);
    case 'txt':
    case 'md':
    case 'markdown':
    case 'text':
      // Text stays text unless it looks like JSON and can be read as JSON.
      if (json && section.format !== 'text') {
        try {
          return parseJsonOrJsonl(name, text);
        } catch {
          return parseText(text);
        }
      }
      return parseText(text);
    default:
      if (json) return parseJsonOrJsonl(name, text);
      return looksTabular(text) ? parseCsv(name, text) : parseText(text);
  }
}

function isConll(extension: string, text: string, { format }: Pick<ReadingSection, 'format'>): boolean {
  if (format !== 'auto' && format !== 'tagged') return false;
  if (/^(conll|bio|iob|iob2)$/.test(extension)) return looksConll(text, true);
  return !/^(json|jsonl|ndjson|csv)$/.test(extension) && looksConll(text, format === 'tagged');
}

/** For a file with an unknown extension: the first lines all have the same number of tabs or commas. */
function looksTabular(text: string): boolean {
  const lines = text
    .slice(0, 50_000)
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '')
    .slice(0, 10);
  if (lines.length < 2) return false;
  const evenly = (mark: RegExp) => {
    const counts = lines.map((line) => line.match(mark)?.length ?? 0);
    return counts[0]! > 0 && counts.every((n) => n === counts[0]);
  };
  return evenly(/\t/g) || evenly(/,/g);
}
