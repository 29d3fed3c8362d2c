/** Several answers at once, one batch at a time, whose rows can be ended from outside. */
import { generateBatch } from '../../engine/generation/generate-batch';
import type { LanguageModel } from '../../engine/models/model';
import type { Hooks } from '../../engine/types';
import type { EngineApi } from './api';

type Call = Parameters<EngineApi['answerTogether']>;

export class BatchAnswers {
  private over = new Set<number>();

  async write(
    { model, hooks }: { model: LanguageModel; hooks: Hooks },
    prompts: Call[0],
    options: Omit<Call[1], 'adapterStrength'>,
    onToken: Call[2],
    signal: Call[3],
  ): ReturnType<EngineApi['answerTogether']> {
    const over = new Set<number>();
    this.over = over;
    const watch = { onToken, over: (prompt: number) => over.has(prompt) };
    const answers = await generateBatch(model, hooks, prompts, options, () => signal?.aborted === true, watch);
    return answers.map(({ ids, finished }) => ({ ids, finished }));
  }

  end(prompt: number): void {
    this.over.add(prompt);
  }
}
