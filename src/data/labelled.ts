/**
 * Texts with labels. A label is a word or an integer (a class), a list (several classes), or a decimal number (a number
 * to predict). The type of a column is decided after all rows are read: one decimal among integers makes all of them
 * numbers, and numbers among words count as words.
 */
import { asList } from './columns';
import { isFlagged, type LabelWriting, labelsInColumns } from './label-columns';
import { readLiteral } from './literal';
import { excerpt } from './problems';
import { field } from './raw-table';
import { empty, type Outcome, textOf } from './row-text';
import { type LabelShare, labelBalance } from './stats';
import { kind, type Note } from './to-messages';
import type { DataProblem, Example } from './types';

export type LabelledExample = Extract<Example, { kind: 'labelled' }>;

export function labelledRow(
  row: number,
  value: Record<string, unknown>,
  mapping: Record<string, string>,
  writing: LabelWriting = { kind: 'plain' },
): Outcome {
  const notes: Note[] = [];
  const text = textOf(value, mapping.text, false, notes);
  const pair = textOf(value, mapping.text_pair, false, notes);
  const columns = Object.entries(mapping).filter(([key]) => key.startsWith('label.'));
  const label: Labels =
    columns.length > 0
      ? { labels: labelsInColumns(value, mapping) }
      : labelsOf(field(value, mapping.label), value, mapping.label, writing, notes);
  const failure = text.failure ?? pair.failure ?? label.failure;
  if (failure) return { example: null, failure, notes };
  if (text.text.trim() === '') return empty('empty_text', mapping.text!, notes);
  if (mapping.text_pair !== undefined && pair.text.trim() === '') return empty('empty_text', mapping.text_pair, notes);
  if (label.labels === null) return empty('empty_label', mapping.label ?? columns[0]![1], notes);
  const { labels, written } = label;
  // Both texts, one after the other, as sentence-pair tasks are written for models of one text.
  const both = mapping.text_pair === undefined ? text.text : `${text.text}\n${pair.text}`;
  const example: LabelledExample = { kind: 'labelled', row, text: both, labels };
  return { example: written === undefined ? example : { ...example, written }, notes };
}

interface Labels {
  /** Null if the column is empty. */
  labels: string[] | null;
  written?: string;
  failure?: Note;
}

function labelsOf(
  found: unknown,
  value: Record<string, unknown>,
  column: string | undefined,
  writing: LabelWriting,
  notes: Note[],
): Labels {
  const list = listed(found, writing);
  if (list) {
    const labels = list.map((label) => (label === null ? '' : String(label).trim())).filter((label) => label !== '');
    const distinct = [...new Set(labels)];
    if (distinct.length < labels.length) notes.push({ code: 'repeated_label', message: 'has the same label twice' });
    // An empty list means that no label applies; a list of empty values means nothing.
    if (distinct.length === 0 && list.length > 0) return { labels: null };
    return typeof found === 'string' && writing.kind === 'plain'
      ? { labels: distinct, written: found.trim() }
      : { labels: distinct };
  }
  if (typeof found === 'string') {
    const read = readLiteral(found);
    if (read.kind === 'broken') {
      const message = `has a list in “${excerpt(column ?? '', 40)}” that cannot be read: ${read.what}`;
      return { labels: null, failure: { code: 'broken_list', message } };
    }
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

/** Several labels: a list, the places of the ones in a vector, or the parts of a cell. Null for one label. */
function listed(found: unknown, writing: LabelWriting): unknown[] | null {
  if (writing.kind === 'vector') {
    const vector = asList(found);
    return vector === null ? null : vector.flatMap((flag, i) => (isFlagged(flag) ? [String(i)] : []));
  }
  if (writing.kind === 'separated' && typeof found === 'string' && found.trim() !== '') {
    return found.split(writing.separator);
  }
  return asList(found);
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const DECIMAL_COMMA = /^[+-]?\d+,\d+$/;

/** If all labels are numbers and some have a decimal comma, they are numbers; "1,2" among words is not. */
function withDecimalPoints(examples: readonly LabelledExample[]): {
  examples: LabelledExample[];
  problems: DataProblem[];
} {
  const single = (e: LabelledExample) => (typeof e.labels === 'number' || e.labels.length !== 1 ? null : e.labels[0]!);
  const all = examples.map(single);
  const comma = all.find((label) => label !== null && DECIMAL_COMMA.test(label));
  const numbers = all.every((label) => label !== null && (DECIMAL_COMMA.test(label) || /^[+-]?\d+$/.test(label)));
  if (comma === undefined || !numbers) return { examples: [...examples], problems: [] };
  return {
    examples: examples.map((example) => {
      const label = single(example)!;
      return { ...example, labels: [label.replace(',', '.')], written: label };
    }),
    problems: [
      {
        severity: 'warning',
        code: 'decimal_comma',
        message: `The labels have a decimal comma (“${comma}”) and are read as numbers.`,
        action: 'If they are several labels, separate them with semicolons.',
        dropped: false,
      },
    ],
  };
}

/** A label's value if it is entirely a number; otherwise null. */
export function numberOf(label: string): number | null {
  return NUMBER.test(label) && Number.isFinite(Number(label)) ? Number(label) : null;
}

/** Turns decimal labels into numbers, and reports a mixture of words and numbers. */
export function settleLabels(given: readonly Example[]): { examples: Example[]; problems: DataProblem[] } {
  const pointed = withDecimalPoints(given.filter((e): e is LabelledExample => e.kind === 'labelled'));
  const labelled = pointed.examples;
  const single = labelled.every(({ labels }) => typeof labels !== 'number' && labels.length === 1);
  const labelOf = ({ labels }: LabelledExample) => (labels as string[])[0]!;
  const numbers = single ? labelled.filter((e) => numberOf(labelOf(e)) !== null) : [];
  const problems: DataProblem[] = [...pointed.problems, ...alikeLabels(labelled)];
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
  if (!fractions) return { examples: labelled, problems };
  const few = numbers.filter((e) => !Number.isInteger(Number(labelOf(e))));
  const kinds = new Set(labelled.map(labelOf)).size;
  if (few.length <= labelled.length * 0.2 && kinds <= 20) {
    problems.push({
      severity: 'warning',
      code: 'fractions_among_classes',
      row: few[0]!.row,
      message: `Row ${few[0]!.row} has the label “${labelOf(few[0]!)}”, so all labels are read as numbers to predict, not as classes.`,
      action: 'For classes, write it as a whole number, or set the objective’s problem type to single-label.',
      dropped: false,
    });
  }
  return {
    examples: labelled.map((example) => {
      const label = labelOf(example);
      const labels = Number(label);
      const written = example.written ?? label;
      return String(labels) === written ? { ...example, labels } : { ...example, labels, written };
    }),
    problems,
  };
}

/** Class names that differ only in case or spaces are probably one class. */
function alikeLabels(examples: readonly LabelledExample[]): DataProblem[] {
  const spellings = new Map<string, Set<string>>();
  for (const { labels } of examples) {
    if (typeof labels === 'number') continue;
    for (const label of labels) {
      const key = plainLabel(label);
      spellings.set(key, (spellings.get(key) ?? new Set()).add(label));
    }
  }
  const alike = [...spellings.values()].filter((set) => set.size > 1).map((set) => [...set]);
  if (alike.length === 0) return [];
  const shown = alike.slice(0, 3).map((list) => list.map((label) => `“${excerpt(label, 30)}”`).join(', '));
  return [
    {
      severity: 'warning',
      code: 'alike_labels',
      message: `Labels that differ only in case or spaces count as different classes: ${shown.join('; ')}.`,
      action: 'Read them as one, with the commonest spelling, if they mean the same.',
      dropped: false,
      choices: [{ label: 'Read as one', set: { 'dataset.merge_labels': true } }],
    },
  ];
}

const plainLabel = (label: string) =>
  label
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim();

/** Gives labels that differ only in case or spaces their commonest spelling. */
export function mergeLabels(examples: readonly Example[]): Example[] {
  const counts = new Map<string, Map<string, number>>();
  for (const example of examples) {
    if (example.kind !== 'labelled' || typeof example.labels === 'number') continue;
    for (const label of example.labels) {
      const spellings = counts.get(plainLabel(label)) ?? new Map<string, number>();
      counts.set(plainLabel(label), spellings.set(label, (spellings.get(label) ?? 0) + 1));
    }
  }
  const best = new Map([...counts].map(([key, list]) => [key, [...list].reduce((a, b) => (b[1] > a[1] ? b : a))[0]]));
  return examples.map((example) => {
    if (example.kind !== 'labelled' || typeof example.labels === 'number') return example;
    const { written: _written, ...rest } = example;
    return { ...rest, labels: [...new Set(example.labels.map((label) => best.get(plainLabel(label)) ?? label))] };
  });
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
