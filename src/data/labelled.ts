/**
 * Texts with labels. A label is a word or an integer (a class), a list (several classes), or a decimal number (a number
 * to predict). The type of a column is decided after all rows are read: one decimal among integers makes all of them
 * numbers, and numbers among words count as words.
 */
import { asList } from './columns';
import { excerpt } from './problems';
import { field } from './raw-table';
import { empty, type Outcome, textOf } from './row-text';
import { type LabelShare, labelBalance } from './stats';
import { kind, type Note } from './to-messages';
import type { DataProblem, Example } from './types';

export type LabelledExample = Extract<Example, { kind: 'labelled' }>;

export function labelledRow(row: number, value: Record<string, unknown>, mapping: Record<string, string>): Outcome {
  const notes: Note[] = [];
  const text = textOf(value, mapping.text, false, notes);
  const label = labelsOf(field(value, mapping.label), value, mapping.label, notes);
  const failure = text.failure ?? label.failure;
  if (failure) return { example: null, failure, notes };
  if (text.text.trim() === '') return empty('empty_text', mapping.text!, notes);
  if (label.labels === null) return empty('empty_label', mapping.label!, notes);
  const { labels, written } = label;
  const example: LabelledExample = { kind: 'labelled', row, text: text.text, labels };
  return { example: written === undefined ? example : { ...example, written }, notes };
}

interface Labels {
  /** Null if the column is empty. */
  labels: string[] | null;
  written?: string;
  failure?: Note;
}

function labelsOf(found: unknown, value: Record<string, unknown>, column: string | undefined, notes: Note[]): Labels {
  const list = asList(found);
  if (list) {
    const labels = list.map((label) => (label === null ? '' : String(label).trim())).filter((label) => label !== '');
    const distinct = [...new Set(labels)];
    if (distinct.length < labels.length) notes.push({ code: 'repeated_label', message: 'has the same label twice' });
    // An empty list means that no label applies; a list of empty values means nothing.
    if (distinct.length === 0 && list.length > 0) return { labels: null };
    return typeof found === 'string' ? { labels: distinct, written: found.trim() } : { labels: distinct };
  }
  if (Array.isArray(found)) {
    const name = excerpt(column ?? '', 40);
    return { labels: null, failure: { code: 'not_text', message: `has ${kind(found)} of objects in “${name}”` } };
  }
  // Classes are often integers, which needs no warning.
  const { text, failure } = textOf(value, column, false, []);
  if (failure) return { labels: null, failure };
  return { labels: text.trim() === '' ? null : [text.trim()] };
}

/** The text of a label that a generative model learns to write. */
export function writtenLabel({ labels, written }: Pick<LabelledExample, 'labels' | 'written'>): string {
  return written ?? (typeof labels === 'number' ? String(labels) : labels.join(', '));
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A label's value if it is entirely a number; otherwise null. */
export function numberOf(label: string): number | null {
  return NUMBER.test(label) && Number.isFinite(Number(label)) ? Number(label) : null;
}

/** Turns decimal labels into numbers, and reports a mixture of words and numbers. */
export function settleLabels(examples: readonly Example[]): { examples: Example[]; problems: DataProblem[] } {
  const labelled = examples.filter((e): e is LabelledExample => e.kind === 'labelled');
  const single = labelled.every(({ labels }) => typeof labels !== 'number' && labels.length === 1);
  const labelOf = ({ labels }: LabelledExample) => (labels as string[])[0]!;
  const numbers = single ? labelled.filter((e) => numberOf(labelOf(e)) !== null) : [];
  const problems: DataProblem[] = [];
  if (numbers.length > 0 && numbers.length < labelled.length) {
    const fewer = numbers.length * 2 <= labelled.length;
    const odd = fewer ? numbers[0]! : labelled.find((e) => numberOf(labelOf(e)) === null)!;
    problems.push({
      severity: 'warning',
      code: 'mixed_labels',
      row: odd.row,
      message: `Row ${odd.row} has the label “${excerpt(labelOf(odd), 30)}”, ${fewer ? 'a number where most labels are words' : 'a word where most labels are numbers'}.`,
      action: 'All labels were read as class names. If they should be numbers, check the rows.',
      dropped: false,
    });
  }
  // If all labels are like "1.0" and "2.0", they are classes that a spreadsheet or data frame wrote as numbers.
  const fractions =
    single && numbers.length === labelled.length && numbers.some((e) => !Number.isInteger(Number(labelOf(e))));
  if (!fractions) return { examples: [...examples], problems };
  return {
    examples: labelled.map((example) => {
      const label = labelOf(example);
      const labels = Number(label);
      return String(labels) === label ? { ...example, labels } : { ...example, labels, written: label };
    }),
    problems,
  };
}

/** Reports how unevenly classes are distributed. Numbers to predict are ignored. */
export function labelProblems(examples: readonly Example[]): DataProblem[] {
  if (examples.some((e) => e.kind === 'labelled' && typeof e.labels === 'number')) return [];
  return balanceProblems(examples, labelBalance(examples));
}

function balanceProblems(examples: readonly Example[], balance: readonly LabelShare[]): DataProblem[] {
  const problems: DataProblem[] = [];
  const [most] = balance;
  if (most && balance.length > 1 && most.share > 0.8) {
    problems.push({
      severity: 'warning',
      code: 'label_imbalance',
      message: `${Math.round(most.share * 100)}% of the rows have the label “${excerpt(most.label, 30)}”.`,
      action: 'A model could be right that often by always predicting it. Add examples of the other labels.',
      dropped: false,
    });
  }
  if (balance.length === 1 && examples.length > 1) {
    problems.push({
      severity: 'warning',
      code: 'single_label',
      message: `All rows have the same label, “${excerpt(most!.label, 30)}”.`,
      action: 'Add examples of other labels, or map another column.',
      dropped: false,
    });
  }
  const rare = rareProblem(balance);
  if (rare) problems.push(rare);
  return problems;
}

/** Reports labels that occur once; null if there are none, or if all labels do. */
export function rareProblem(balance: readonly LabelShare[]): DataProblem | null {
  const rare = balance.filter((b) => b.count === 1);
  if (balance.length > 1 && rare.length > 0 && rare.length < balance.length && balance.length <= 100) {
    return {
      severity: 'warning',
      code: 'rare_label',
      message: `${rare.length === 1 ? 'One label appears' : `${rare.length} labels appear`} only once: ${rare
        .slice(0, 5)
        .map((r) => `“${excerpt(r.label, 30)}” (row ${r.row})`)
        .join(', ')}.`,
      action: 'Check the spelling, or add examples.',
      dropped: false,
    };
  }
  return null;
}
