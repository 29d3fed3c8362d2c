/** What the worker of the person's rewards does. */
import type { QuickJSWASMModule } from 'quickjs-emscripten-core';
import type { ScoredAnswer } from '../../rewards';
import { type Given, runCode } from './run-code';

export interface RewardApi {
  /** What the code's function gives for each answer, up to the first that it gives nothing for. `onAnswer`: which one is next. */
  run(code: string, answers: ScoredAnswer[], onAnswer: (at: number) => void): Promise<Given[]>;
}

export function createRewardApi(load: () => Promise<QuickJSWASMModule>): RewardApi {
  let loading: Promise<QuickJSWASMModule> | null = null;
  return {
    async run(code, answers, onAnswer) {
      loading ??= load();
      loading.catch(() => {
        loading = null;
      });
      const quickjs = await loading;
      const given: Given[] = [];
      for (const [at, answer] of answers.entries()) {
        onAnswer(at);
        const one = runCode(quickjs, code, answer);
        given.push(one);
        if (!('wrong' in one)) continue;
        // What was cut off may have left something behind: the next run gets an interpreter of its own.
        loading = null;
        break;
      }
      return given;
    },
  };
}
