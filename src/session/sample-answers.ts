/** Sample answers of base and tuned model in words, with how close they come to the example's own. */
import { exactMatch, rougeL } from '../metrics';
import type { AnswerScores, SampleAnswer } from '../storage/types';
import type { EngineEvent } from '../workers/engine/api';
import type { AskedPrompt } from './active-run';

const scoresOf = (written: string, expected: string): AnswerScores => ({
  rouge_l: rougeL(written, expected).f1,
  exact_match: exactMatch(written, expected),
});

export async function sampleAnswers(
  prompts: readonly AskedPrompt[],
  event: Extract<EngineEvent, { type: 'samples' }>,
  decode: (ids: Int32Array) => Promise<string>,
): Promise<SampleAnswer[]> {
  const answers: SampleAnswer[] = [];
  for (const [i, { text: prompt, expected }] of prompts.entries()) {
    if (!event.base[i] || !event.tuned[i]) continue;
    const base = await decode(event.base[i]);
    const tuned = await decode(event.tuned[i]);
    const scores =
      expected === undefined ? {} : { scores: { base: scoresOf(base, expected), tuned: scoresOf(tuned, expected) } };
    answers.push({ step: event.step, prompt, base, tuned, ...scores });
  }
  return answers;
}
