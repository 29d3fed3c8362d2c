/** A run's metrics on their way to storage. */
import { appendMetrics } from '../../storage/runs';
import type { MetricsRow } from '../../storage/types';

/** Rows are written in groups: a transaction per step would slow the run down. */
const GROUP = 10;

export class MetricsLog {
  private rows: MetricsRow[] = [];
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly runId: string) {}

  add(row: MetricsRow): void {
    this.rows.push(row);
    // A failed write surfaces at the next checkpoint, which fails for the same reason and says so.
    if (this.rows.length >= GROUP) void this.flush().catch(() => {});
  }

  flush(): Promise<void> {
    const rows = this.rows;
    this.rows = [];
    this.writing = this.writing.then(() => appendMetrics(this.runId, rows));
    return this.writing;
  }
}
