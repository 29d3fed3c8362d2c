/** Answers to sample prompts at every evaluation, by the base and by the tuned model. */
import { generate } from '../../engine/generation/generate';
import { SAMPLE_TOKENS } from '../../engine/generation/options';
import { inference } from '../../engine/methods/method';
import type { Attached } from '../../engine/run/assemble';

export interface SampleOptions {
  prompts: Int32Array[];
  stopTokenIds: number[];
  seed: number;
  stopped(): boolean;
}

export class SampleAnswers {
  /** The base never changes, so it is asked once. */
  private readonly base: Int32Array[] = [];

  constructor(
    private readonly attached: Attached,
    private readonly options: SampleOptions,
  ) {}

  /**
   * `untouched`: the tuned model still equals the base. Null without prompts, or when the run was stopped meanwhile.
   */
  async take(untouched: boolean): Promise<{ base: Int32Array[]; tuned: Int32Array[] } | null> {
    const { prompts, stopped } = this.options;
    const tuned: Int32Array[] = [];
    for (const [i, prompt] of prompts.entries()) {
      if (stopped()) return null;
      this.base[i] ??= await this.answer(0, prompt);
      tuned.push(untouched ? this.base[i] : await this.answer(1, prompt));
    }
    return tuned.length > 0 ? { base: this.base, tuned } : null;
  }

  private answer(strength: number, prompt: Int32Array): Promise<Int32Array> {
    const { model, method } = this.attached;
    const { seed, stopTokenIds } = this.options;
    const options = { temperature: 0, topP: 1, seed, maxNewTokens: SAMPLE_TOKENS, stopTokenIds };
    return generate(model, method.hooks(inference(strength)), prompt, options);
  }
}
