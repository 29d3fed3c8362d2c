/** The pause and stop buttons, and wishes for a checkpoint, as the training loop asks for them. */
import type { Control } from '../../engine/run/loop';
import { Questions } from './outside';

export class RunControl implements Control {
  /** What the run has asked the page. */
  readonly questions = new Questions();
  private paused = false;
  private stopped = false;
  private saveAsked = false;
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

  save(): void {
    this.saveAsked = true;
  }

  takeSaveRequest(): boolean {
    const asked = this.saveAsked;
    this.saveAsked = false;
    return asked;
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
