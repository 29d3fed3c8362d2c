/**
 * When to save besides every save_steps: often enough that an interruption costs at most half a minute, and seldom enough
 * that saving takes a small share of the time. Saving does not change a run, so this is no part of its recipe.
 */

/** Seconds between checkpoints, unless saving is slow. */
const EVERY = 30;
/** Of the time, spent on saving. */
const SHARE = 0.05;
/** Seconds. A quicker save may be made at any time. */
const QUICK = 1;

export class SaveClock {
  private since: number;
  private took = 0;

  constructor(private readonly now: () => number = () => performance.now() / 1000) {
    this.since = now();
  }

  /** Seconds between checkpoints. */
  get every(): number {
    return Math.max(EVERY, this.took / SHARE);
  }

  private get elapsed(): number {
    return this.now() - this.since;
  }

  /** Whether to save now, because after so many seconds more, and those of the save itself, it would be too late. */
  due(next: number): boolean {
    // Slow saves are about their share of the time, and not about half a minute.
    const saving = this.every > EVERY ? 0 : this.took;
    return this.elapsed + next + saving > this.every;
  }

  /** Whether a checkpoint that somebody asks for, or save_steps, is worth the time that it takes. */
  get affordable(): boolean {
    return this.took <= QUICK || this.elapsed >= this.every;
  }

  /** Saves, and gives the seconds that it took. */
  async time(save: () => Promise<void>): Promise<number> {
    const began = this.now();
    await save();
    this.restart();
    this.took = this.since - began;
    return this.took;
  }

  /** Nothing has been trained since the last checkpoint: the run was paused. */
  restart(): void {
    this.since = this.now();
  }
}
