/** Examples of other kinds as prompts to answer, and the two answers of a pair. */
import { writtenLabel } from './example-kinds';
import { shownTurns } from './preference-parts';
import type { ChatMessage, Example, Turns } from './types';

/** The prompt of an example and what rewards may compare an answer with; null if it has no prompt. */
export function promptOf(example: Example): { prompt: Turns; columns: Record<string, unknown> } | null {
  switch (example.kind) {
    case 'prompt':
      return { prompt: example.prompt, columns: example.columns };
    case 'prompt_completion':
      return { prompt: example.prompt, columns: { answer: example.completion } };
    case 'labelled':
      return { prompt: example.text, columns: { answer: writtenLabel(example) } };
    case 'pair': {
      const { prompt, chosen, rejected } = example;
      return { prompt, columns: { chosen: shownTurns(chosen), rejected: shownTurns(rejected) } };
    }
    case 'judged': {
      const { prompt, completion, good } = example;
      return { prompt, columns: { answer: shownTurns(completion), label: good } };
    }
    case 'messages':
      return lastQuestion(example.messages);
    case 'text':
    case 'tagged':
      return null;
  }
  example satisfies never;
}

/** A conversation up to its last answer, or all of it if it ends with a question. */
function lastQuestion(messages: readonly ChatMessage[]) {
  const at = messages.findLastIndex(({ role }) => role === 'assistant');
  const ends = messages.at(-1)?.role === 'assistant';
  const prompt = ends ? messages.slice(0, at) : [...messages];
  if (!prompt.some(({ role }) => role === 'user')) return null;
  return { prompt, columns: ends ? { answer: messages[at]!.content } : {} };
}
