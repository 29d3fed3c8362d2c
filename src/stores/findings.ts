/**
 * What was found in the open dataset, one entry for each kind, for the list on the Data page. Reading and tokenising give
 * the page's own; every other check of the data (near-duplicates, personal data, …) puts its entries here under a name of its
 * own, and they are listed and offered with their fixes like the others.
 */
import { create } from 'zustand';
import type { DatasetEdit } from '../data/edits';
import type { RecipePath } from '../recipe/fields';
import { useData } from './data';

/** Something that one press does about a finding. */
export type Fix = { label: string } & (
  | { set: Partial<Record<RecipePath, unknown>> }
  /** Changes the file. Both of these can be undone. */
  | { edit: DatasetEdit }
  /** Anything else; it shows its own errors. */
  | { run: () => void | Promise<void> }
);

export interface FindingDetail {
  /** As in Example.row; left out if it concerns the whole file. */
  row?: number;
  message: string;
  /** What was done about it, or what to do. */
  action: string;
}

export interface Finding {
  /** One word for each kind, such as `duplicate`. Unique in the list. */
  kind: string;
  severity: 'error' | 'warning' | 'note';
  /** How many rows (or files) it is about. It may be more than `rows` lists. */
  count: number;
  /** The rows, as in Example.row, in the order of the file. */
  rows: readonly number[];
  /** One sentence: how many of what, and what became of them. */
  sentence: string;
  /** What to do about all of them; it may be empty. */
  advice: string;
  /** The first few, one by one; empty if the sentence says all. */
  details: readonly FindingDetail[];
  fixes: readonly Fix[];
}

interface FindingsState {
  /** By the check that found them. */
  from: Readonly<Record<string, readonly Finding[]>>;
  /** Replaces what `check` found before; an empty list takes it away. */
  put: (check: string, findings: readonly Finding[]) => void;
}

export const useFindings = create<FindingsState>()((set) => ({
  from: {},
  put: (check, findings) => set(({ from }) => ({ from: { ...from, [check]: findings } })),
}));

// What was found in another dataset, or before an edit, says nothing about this one.
useData.subscribe((state, before) => {
  if (state.dataset !== before.dataset) useFindings.setState({ from: {} });
});

/** Those of the page and of all checks, errors first, then warnings, then notes. */
export function listFindings(own: readonly Finding[], from: FindingsState['from']): Finding[] {
  const order = { error: 0, warning: 1, note: 2 };
  return [...own, ...Object.values(from).flat()].sort((a, b) => order[a.severity] - order[b.severity]);
}
