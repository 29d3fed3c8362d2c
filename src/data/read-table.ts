/** From the text of a file to rows. The file extension is only a hint, and the content decides. */
import type { ReadingSection } from '../recipe/sections';
import { refuseMarkup } from './file-kinds';
import { clearMissingWords } from './missing-words';
import { looksConll, parseConll } from './parse-conll';
import { parseCsv } from './parse-csv';
import { parseJsonOrJsonl } from './parse-jsonl';
import { parseText } from './parse-text';
import type { RawTable } from './raw-table';
import { letterSample, readText } from './read-text';
import { parseTextShape } from './text-shapes';

export type Reading = Pick<ReadingSection, 'format' | 'encoding' | 'table'>;

/** Throws bad_data if the file has no rows, or asks. */
export function readTable(name: string, bytes: Uint8Array, section: Reading): RawTable {
  const { text, problems, encoding } = readText(name, bytes, section.encoding);
  const table = withoutMissingWords(parseRows(name, text, section));
  return {
    ...table,
    problems: [...problems, ...table.problems],
    encoding: { name: encoding, sample: letterSample(text) },
  };
}

/** Words for nothing become empty cells, except in prose. */
export function withoutMissingWords(table: RawTable): RawTable {
  if (table.fileType === 'text') return table;
  return { ...table, problems: [...table.problems, ...clearMissingWords(table)] };
}

function parseRows(name: string, text: string, section: Reading): RawTable {
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const list = section.table ?? null;
  const start = text.slice(0, 1000);
  const json = /^\s*(\{\s*(["'“]|\})|\[\s*(\{|"|\[|\]))/.test(start);
  if (section.format !== 'text') refuseMarkup(name, start, extension);
  if (/^\s*__label__\S/.test(start)) return parseTextShape(name, text) ?? parseText(text);
  if (!json && isConll(extension, text, section)) return parseConll(text);
  switch (extension) {
    case 'jsonl':
    case 'ndjson':
    case 'json':
      return parseJsonOrJsonl(name, text, list);
    case 'csv':
    case 'tsv':
    case 'tab':
      // JSON renamed to .csv: no CSV file starts with a brace and a quoted key.
      return json && /^\s*[[{]\s*["{]/.test(start) ? parseJsonOrJsonl(name, text, list) : parseCsv(name, text);
    case 'md':
    case 'markdown':
      return jsonOrNull(name, text, json, section) ?? parseText(text);
    case 'txt':
    case 'text':
    case 'srt':
    case 'vtt':
      return jsonOrNull(name, text, json, section) ?? shaped(name, text, section) ?? parseText(text);
    default:
      if (json) return parseJsonOrJsonl(name, text, list);
      return looksTabular(text) ? parseCsv(name, text) : (shaped(name, text, section) ?? parseText(text));
  }
}

/** Text stays text unless it looks like JSON and can be read as JSON. */
function jsonOrNull(name: string, text: string, json: boolean, section: Reading): RawTable | null {
  if (!json || section.format === 'text') return null;
  try {
    return parseJsonOrJsonl(name, text, section.table ?? null);
  } catch {
    return null;
  }
}

/** Whoever asks for plain text gets passages. */
function shaped(name: string, text: string, section: Reading): RawTable | null {
  return section.format === 'text' ? null : parseTextShape(name, text);
}

function isConll(extension: string, text: string, { format }: Reading): boolean {
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
