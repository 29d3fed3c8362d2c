/**
 * Labels -> numbers: the classes, their order and each example's target. Names are sorted as in transformers' examples
 * (numbers by size), so that the same data gives the same numbers.
 */
import { TabtuneError } from '../base/errors';
import type { TaskData, TextProblemType } from '../base/task';
import { numberOf } from './labelled';
import { excerpt } from './problems';
import type { DataProblem } from './types';

export type SequenceTask = TaskData & { problemType: TextProblemType };

export interface LabelledRow {
  row: number;
  labels: string[] | number;
  written?: string;
}

export interface Classified {
  task: SequenceTask;
  /** As TextTargetsExample.targets; null for a row that cannot be used, which `problems` explains. */
  classes: (Float32Array | null)[];
  /** The class that a split balances, the rarest if there are several; undefined for numbers. */
  strata: string[] | undefined;
  problems: DataProblem[];
}

/** By size if all labels are numbers, otherwise alphabetically. */
export function sortLabels(labels: Iterable<string>): string[] {
  const list = [...new Set(labels)];
  const numeric = list.every((label) => numberOf(label) !== null);
  return list.sort((a, b) => (numeric ? Number(a) - Number(b) : 0) || (a < b ? -1 : a > b ? 1 : 0));
}

/** `auto`: fractions are numbers to predict; several labels (or none) in any row mean that each applies independently. */
export function problemTypeOf(
  rows: readonly LabelledRow[],
  asked: 'auto' | TextProblemType,
): SequenceTask['problemType'] {
  if (asked !== 'auto') return asked;
  if (rows.length > 0 && rows.every(({ labels }) => typeof labels === 'number')) return 'regression';
  return rows.some(({ labels }) => typeof labels !== 'number' && labels.length !== 1)
    ? 'multi_label_classification'
    : 'single_label_classification';
}

/** `column` names a number to predict. Throws bad_data if there is nothing to distinguish. */
export function classify(
  name: string,
  rows: readonly LabelledRow[],
  asked: 'auto' | TextProblemType,
  column: string,
): Classified {
  const problemType = problemTypeOf(rows, asked);
  const problems: DataProblem[] = [];
  const drop = (row: number, code: string, message: string, action: string) => {
    problems.push({ severity: 'error', code, row, message: `Row ${row} ${message}.`, action, dropped: true });
    return null;
  };
  if (problemType === 'regression') {
    const classes = rows.map(({ row, labels }) => {
      const value = typeof labels === 'number' ? labels : labels.length === 1 ? numberOf(labels[0]!) : null;
      if (value !== null) return Float32Array.of(value);
      const shown = excerpt([labels].flat().join(', '), 30);
      return drop(row, 'not_a_number', `has the label “${shown}”, which is not a number`, 'It was left out.');
    });
    requireSome(name, classes, problems);
    return { task: { problemType, labels: [column] }, classes, strata: undefined, problems };
  }

  const single = problemType === 'single_label_classification';
  const listed = rows.map((given) => {
    // Fractions used as classes keep the file's spelling.
    const labels = typeof given.labels === 'number' ? [given.written ?? String(given.labels)] : given.labels;
    if (!single || labels.length === 1) return labels;
    const action = 'It was left out. Set the problem type to multi-label, or give it one label.';
    return labels.length === 0
      ? drop(given.row, 'empty_label', 'has no label', action)
      : drop(given.row, 'several_labels', `has ${labels.length} labels`, action);
  });
  requireSome(name, listed, problems);
  const labels = sortLabels(listed.flatMap((row) => row ?? []));
  if (labels.length < (single ? 2 : 1)) {
    throw new TabtuneError({
      code: 'bad_data',
      message:
        labels.length === 0
          ? 'No row has a label.'
          : `All rows have the same label, “${excerpt(labels[0]!, 30)}”: there is nothing to tell apart.`,
      where: name,
      action: 'Add examples of other labels, or map another column.',
    });
  }
  const used = listed.filter((row) => row !== null).length;
  if (labels.length > 20 && labels.length > used / 2) {
    problems.push({
      severity: 'warning',
      code: 'many_labels',
      message: `There are ${labels.length} different labels in ${used} rows: they look like answers, not like classes.`,
      action: 'Map another column, or train on answers (SFT) instead.',
      dropped: false,
    });
  }
  const numbers = new Map(labels.map((label, i) => [label, i]));
  const classes = listed.map((row) => {
    if (row === null) return null;
    if (single) return Float32Array.of(numbers.get(row[0]!)!);
    const target = new Float32Array(labels.length);
    for (const label of row) target[numbers.get(label)!] = 1;
    return target;
  });
  const counts = new Map<string, number>();
  for (const label of listed.flatMap((row) => row ?? [])) counts.set(label, (counts.get(label) ?? 0) + 1);
  const rarestOf = (row: readonly string[]) =>
    row.reduce((a, b) => (a !== '' && counts.get(a)! <= counts.get(b)! ? a : b), '');
  return {
    task: { problemType, labels },
    classes,
    strata: listed.map((row) => rarestOf(row ?? [])),
    problems,
  };
}

function requireSome(name: string, rows: readonly unknown[], problems: readonly DataProblem[]): void {
  if (rows.some((row) => row !== null)) return;
  throw new TabtuneError({
    code: 'bad_data',
    message: `No row has a label that can be used. ${problems[0]?.message ?? ''}`.trim(),
    where: name,
    action: 'Map another column, or choose another problem type.',
  });
}
