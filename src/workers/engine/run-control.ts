/** The pause and stop buttons, as the training loop asks for them. */
import type { Control } from '../../engine/run/loop';

export class RunControl implements Control {
  private paused = false;
  private stopped = false;
  private wake: (() => void) | null = null;

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.wake?.();
  }

  stop(): void {
    this.stopped = true;
    this.resume();
  }

  pauseRequested(): boolean {
    return this.paused;
  }

  stopRequested(): boolean {
    return this.stopped;
  }

  resumed(): Promise<void> {
    if (!this.paused) return Promise.resolve();
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}
