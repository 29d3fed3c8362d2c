/** A run's metrics on their way to storage. */
import { appendMetrics, truncateMetrics } from '../../storage/runs';
import type { MetricsRow } from '../../storage/types';

/** Rows are written in groups: a transaction per step would slow the run down. */
const GROUP = 10;

export class MetricsLog {
  private rows: MetricsRow[] = [];
  private writing: Promise<void> = Promise.resolve();
  private begun = false;

  /**
   * What an earlier attempt reported after `step`, where this one begins, is dropped when this one has something to report:
   * a run that cannot be resumed keeps the curve that it has.
   */
  constructor(
    private readonly runId: string,
    private readonly step: number,
  ) {}

  add(row: MetricsRow): void {
    void this.begin().catch(() => {});
    this.rows.push(row);
    // A failed write surfaces at the next checkpoint, which fails for the same reason and says so.
    if (this.rows.length >= GROUP) void this.flush().catch(() => {});
  }

  /** Resolves when nothing of an earlier attempt is left. */
  begin(): Promise<void> {
    if (!this.begun) this.writing = truncateMetrics(this.runId, this.step);
    this.begun = true;
    return this.writing;
  }

  flush(): Promise<void> {
    const rows = this.rows;
    this.rows = [];
    this.writing = this.writing.then(() => appendMetrics(this.runId, rows));
    return this.writing;
  }
}
