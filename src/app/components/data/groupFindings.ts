/** The problems of a dataset, one finding for each kind, with what can be done about it in one press. */
import type { DataProblem, ParsedDataset } from '../../../data/types';
import type { Finding, Fix } from '../../../stores/findings';
import { several, findingsText as text } from '../../text/findings';
import { formatCount, formatPlural } from '../../util/format';

/** Details that are kept of each kind; rows are kept in full. */
const mostDetails = 200;

interface About {
  dataset: Pick<ParsedDataset, 'mapping'>;
  /** The columns that a person has named. */
  columns: Record<string, string> | null;
  /** Whether the file can be changed here. */
  editable: boolean;
}

/** One group for each kind of problem, and apart for those of a kind that cost their row. */
export function groupFindings(problems: readonly DataProblem[], about: About): Finding[] {
  const groups = new Map<string, DataProblem[]>();
  for (const problem of problems) {
    const key = problem.dropped ? problem.code : `${problem.code} kept`;
    const group = groups.get(key);
    if (group) group.push(problem);
    else groups.set(key, [problem]);
  }
  return [...groups].map(([kind, group]) => findingOf(kind, group, about));
}

/** How many rows a problem is about; one of the file as a whole counts once. */
const countOf = (problem: DataProblem) => (problem.more ? (problem.rows ?? 1) : 1);

function findingOf(kind: string, group: readonly DataProblem[], about: About): Finding {
  const [first] = group as [DataProblem];
  const count = group.reduce((sum, problem) => sum + countOf(problem), 0);
  const rows = group.flatMap((problem) => [
    ...(problem.row === undefined ? [] : [problem.row]),
    ...(problem.further ?? []),
  ]);
  const sorted = [...new Set(rows)].sort((a, b) => a - b);
  const one = count === 1;
  return {
    kind,
    severity: group.some(({ severity }) => severity === 'error') ? 'error' : 'warning',
    count,
    rows: sorted,
    sentence: one ? first.message : sentenceOf(first, count),
    advice: one ? first.action : adviceOf(group),
    details: one
      ? []
      : group
          .filter(({ more }) => !more)
          .slice(0, mostDetails)
          .map(({ row, message, action }) => ({ ...(row !== undefined && { row }), message, action })),
    fixes: fixesOf(first, group, sorted, about),
  };
}

/** “46 answers are marked as bad: left out.” */
function sentenceOf(first: DataProblem, count: number): string {
  const words = several[first.code];
  if (!words) return text.alike(formatCount(count), first.message);
  const done = first.dropped ? text.leftOutWord : words.done;
  return `${formatCount(count)} ${words.rows}${done ? `: ${done}` : ''}.`;
}

/** What is said of every row, without what was done about it, which the sentence says. */
function adviceOf(group: readonly DataProblem[]): string {
  const [{ code, action }] = group as [DataProblem];
  const words = several[code];
  if (words?.advice !== undefined) return words.advice;
  if (group.some((problem) => problem.action !== action)) return '';
  return words ? action.replace(/^(It|They|The) (was|were|is|are|calls|first|word)\b[^.]*\.\s*/, '') : action;
}

/** The answers that a problem offers, or what helps with its kind. */
function fixesOf(first: DataProblem, group: readonly DataProblem[], rows: readonly number[], about: About): Fix[] {
  const offered = group.flatMap(({ choices }) => choices ?? []);
  if (offered.length > 0) {
    const labels = new Set<string>();
    return offered.filter(({ label }) => !labels.has(label) && labels.add(label)) as Fix[];
  }
  return [...settingsFor(first, about), ...(about.editable ? editsFor(first, rows) : [])];
}

/** Fields of the recipe that help. */
function settingsFor(first: DataProblem, { dataset: { mapping }, columns }: About): Fix[] {
  switch (first.code) {
    case 'truncated':
    case 'all_labels_masked':
      // Said of a row, it is the recipe's own limit; an automatic one is as long as it can be.
      return first.row !== undefined && first.action.includes('max_length')
        ? [{ label: text.whole, set: { 'dataset.max_length': undefined } }]
        : [];
    case 'above_context':
      return [{ label: text.useContext, set: { 'dataset.max_length': undefined } }];
    case 'split_unused':
      return [{ label: text.holdOut, set: { 'dataset.validation_split': undefined } }];
    case 'unwanted_answer':
      return mapping.label !== undefined || mapping.unwanted !== undefined
        ? [{ label: text.keepAnswers, set: { 'dataset.columns': { ...columns, label: '', unwanted: '' } } }]
        : [];
    default:
      return [];
  }
}

/** Rows that are used but are better taken out, by what the press is called. */
const removable: Record<string, string> = {
  duplicate: text.removeCopies,
  contradicting_labels: text.removeThese,
  special_token_in_text: text.removeThese,
  truncated: text.removeThese,
};

/** A test set is there to be kept, and a comment is no row. */
const kept = new Set(['test_row', 'comment']);

/** Changes of the file that help. */
function editsFor({ code, dropped }: DataProblem, rows: readonly number[]): Fix[] {
  if (code === 'html_entities') return [{ label: text.asCharacters, edit: { kind: 'entities' } }];
  const label = dropped && !kept.has(code) ? text.removeFromFile : removable[code];
  return label === undefined || rows.length === 0 ? [] : [{ label, edit: { kind: 'remove', rows } }];
}

/** Texts with spaces around them, in a file that can be changed here; null if there are none. */
export function spacedFinding(rows: readonly number[]): Finding | null {
  if (rows.length === 0) return null;
  return {
    ...{ kind: 'spaces', severity: 'note', count: rows.length, rows, details: [] },
    sentence: text.spaced(formatPlural(rows.length, 'row')),
    advice: text.spacedAdvice,
    fixes: [{ label: text.trim, edit: { kind: 'trim' } }],
  };
}
