/** Answers to sample prompts at every evaluation, by the base and by the tuned model. */
import { generateBatch } from '../../engine/generation/generate-batch';
import { SAMPLE_TOKENS } from '../../engine/generation/options';
import { inference } from '../../engine/methods/method';
import type { Attached } from '../../engine/run/attach';

export interface SampleOptions {
  prompts: Int32Array[];
  stopTokenIds: number[];
  seed: number;
  stopped(): boolean;
}

export class SampleAnswers {
  /** The base never changes, so it is asked once. */
  private base: Int32Array[] | null = null;

  constructor(
    private readonly attached: Attached,
    private readonly options: SampleOptions,
  ) {}

  /**
   * `untouched`: the tuned model still equals the base. Null without prompts, or when the run was stopped meanwhile.
   */
  async take(untouched: boolean): Promise<{ base: Int32Array[]; tuned: Int32Array[] } | null> {
    const { prompts, stopped } = this.options;
    if (prompts.length === 0) return null;
    const base = this.base ?? (await this.answers(0));
    if (stopped()) return null;
    this.base = base;
    const tuned = untouched ? base : await this.answers(1);
    return stopped() ? null : { base, tuned };
  }

  /** Without the stop tokens that ended them. */
  private async answers(strength: number): Promise<Int32Array[]> {
    const { model, method } = this.attached;
    const { prompts, seed, stopTokenIds, stopped } = this.options;
    const options = {
      ...{ temperature: 0, topP: 1, topK: 0 },
      seed,
      draw: 0,
      maxNewTokens: SAMPLE_TOKENS,
      stopTokenIds,
    };
    const answers = await generateBatch(model, method.hooks(inference(strength)), prompts, options, stopped);
    return answers.map(({ ids, finished }) => (finished ? ids.slice(0, -1) : ids));
  }
}
