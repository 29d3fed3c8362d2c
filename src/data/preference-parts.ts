/** The parts of examples that hold answers to compare or prompts to answer, whatever form they have. */
import type { Example, Turns } from './types';

type PreferenceExample = Extract<Example, { kind: 'pair' | 'judged' | 'prompt' }>;

/** Whether an example is two answers, a judged one or a prompt alone. */
export const isPreference = (example: Example): example is PreferenceExample =>
  example.kind === 'pair' || example.kind === 'judged' || example.kind === 'prompt';

export type PreferencePart = 'prompt' | 'chosen' | 'rejected' | 'completion';

/** The parts that an example has, in the order of the screen. */
export function preferenceParts(example: PreferenceExample): { part: PreferencePart; turns: Turns }[] {
  const prompt = { part: 'prompt' as const, turns: example.prompt };
  switch (example.kind) {
    case 'pair':
      return [prompt, { part: 'chosen', turns: example.chosen }, { part: 'rejected', turns: example.rejected }];
    case 'judged':
      return [prompt, { part: 'completion', turns: example.completion }];
    case 'prompt':
      return [prompt];
  }
}

/** The texts in a prompt or an answer. */
export const textsOfTurns = (turns: Turns): string[] =>
  typeof turns === 'string'
    ? [turns]
    : turns.flatMap(({ content, thoughts }) => (thoughts ? [content, thoughts] : [content]));

/** As one text to look at: a single message is shown as is, several with their roles. */
export const shownTurns = (turns: Turns): string =>
  typeof turns === 'string'
    ? turns
    : turns.length === 1
      ? turns[0]!.content
      : turns.map(({ role, content }) => `${role}: ${content}`).join('\n');

const mapTurns = (turns: Turns, change: (text: string) => string): Turns =>
  typeof turns === 'string'
    ? change(turns)
    : turns.map((message) => ({
        ...message,
        content: change(message.content),
        ...(message.thoughts !== undefined && { thoughts: change(message.thoughts) }),
      }));

/** Every text of the example. */
export const preferenceTexts = (example: PreferenceExample): string[] =>
  preferenceParts(example).flatMap(({ turns }) => textsOfTurns(turns));

/** Applies `change` to every text of the example. */
export function withPreferenceTexts(example: PreferenceExample, change: (text: string) => string): PreferenceExample {
  const parts = preferenceParts(example).map(({ part, turns }) => [part, mapTurns(turns, change)]);
  return { ...example, ...Object.fromEntries(parts) };
}

/** Scripts without spaces between words count each letter as a word. */
const WORD = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}'’]+/gu;

export const wordsIn = (turns: Turns): number =>
  textsOfTurns(turns).reduce((sum, text) => sum + (text.match(WORD)?.length ?? 0), 0);
