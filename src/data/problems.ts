/**
 * Collects problems with rows. A file of a million rows can have a million problems of one kind. After `LIMIT_PER_CODE`
 * of them, the rest are only counted and summarised, so that the list stays readable and cheap to send to the page.
 */
import type { DataProblem } from './types';

export const LIMIT_PER_CODE = 200;

interface Count {
  total: number;
  kept: number;
  dropped: number;
  first: DataProblem;
  /** Rows of the problems that were not kept. */
  further: number[];
}

export class ProblemList {
  private readonly kept: DataProblem[] = [];
  private readonly counts = new Map<string, Count>();

  add(problem: DataProblem): void {
    // The summary of another list stands for all the rows that it counted.
    const many = problem.more ? (problem.rows ?? 1) : 1;
    let count = this.counts.get(problem.code);
    if (!count) {
      count = { total: 0, kept: 0, dropped: 0, first: problem, further: [] };
      this.counts.set(problem.code, count);
    }
    count.total += many;
    if (problem.dropped) count.dropped += many;
    if (problem.more || count.kept >= LIMIT_PER_CODE) {
      if (problem.row !== undefined) count.further.push(problem.row);
      for (const row of problem.further ?? []) count.further.push(row);
      return;
    }
    count.kept++;
    this.kept.push(problem);
  }

  addAll(problems: readonly DataProblem[]): void {
    for (const problem of problems) this.add(problem);
  }

  /** All problems in the order they were added, followed by the summaries. */
  list(): DataProblem[] {
    const more: DataProblem[] = [];
    for (const [code, { total, kept, dropped, first, further }] of this.counts) {
      const rest = total - kept;
      if (rest <= 0) continue;
      more.push({
        severity: first.severity,
        code,
        message: `${rest.toLocaleString('en')} more rows have the same problem as this one: ${first.message}`,
        action: first.action,
        dropped: dropped > 0,
        rows: rest,
        more: true,
        ...(further.length > 0 && { further }),
      });
    }
    return [...this.kept, ...more];
  }

  get size(): number {
    return this.kept.length;
  }
}

/** Shortens text for a message, on one line. */
export function excerpt(text: string, length = 60): string {
  // Truncate before replacing, because the input may be a single line of 100 MB.
  const line = text
    .slice(0, length * 2)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > length || text.length > length * 2 ? `${line.slice(0, length)}…` : line;
}

/** Lists column names in a sentence: `“a”, “b” and “c”`, at most `limit` of them. */
export function nameList(names: readonly string[], limit = 12): string {
  const shown = names.slice(0, limit).map((name) => `“${excerpt(name, 40)}”`);
  if (names.length > limit) shown.push(`${names.length - limit} more`);
  if (shown.length === 0) return 'none';
  if (shown.length === 1) return shown[0]!;
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
