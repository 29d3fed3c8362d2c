/** How fast a run goes, over its last steps. */

const RECENT_STEPS = 20;

export class Pace {
  private steps: { tokens: number; seconds: number }[] = [];
  private first = true;

  add(tokens: number, seconds: number): void {
    // The first step compiles shaders.
    if (this.first) {
      this.first = false;
      return;
    }
    this.steps.push({ tokens, seconds });
    if (this.steps.length > RECENT_STEPS) this.steps.shift();
  }

  get tokensPerSecond(): number {
    const { tokens, seconds } = this.sums();
    return seconds > 0 ? tokens / seconds : 0;
  }

  get secondsPerStep(): number {
    return this.steps.length > 0 ? this.sums().seconds / this.steps.length : 0;
  }

  private sums(): { tokens: number; seconds: number } {
    return this.steps.reduce(
      (sums, step) => ({ tokens: sums.tokens + step.tokens, seconds: sums.seconds + step.seconds }),
      { tokens: 0, seconds: 0 },
    );
  }
}
