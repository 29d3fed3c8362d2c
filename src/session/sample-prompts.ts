/**
 * The prompts that the base model and the fine-tuned model answer at every evaluation. They come from the held-out
 * examples, whose answers were not memorised, and then from the training set.
 */
import { shownTurns } from '../data/preference-parts';
import type { Example, ParsedDataset, TokenizedDataset, Turns } from '../data/types';

export interface SamplePrompt {
  text: string;
  system?: string;
  /** The example's answer; absent if it has none. */
  expected?: string;
}

/** Maximum words of a plain text used as its prompt, for the model to continue. */
const BEGINNING_WORDS = 8;

function promptOfTurns(turns: Turns, expected: Turns | undefined): SamplePrompt | null {
  const answer = expected === undefined ? {} : { expected: shownTurns(expected) };
  if (typeof turns === 'string') return { text: turns, ...answer };
  const user = turns.findLast(({ role }) => role === 'user');
  if (!user) return null;
  const system = turns.find(({ role }) => role === 'system');
  return { text: user.content, ...(system ? { system: system.content } : {}), ...answer };
}

/** The answer that the model should come nearer to; undefined if the data have none. */
function expectedOf(example: Extract<Example, { kind: 'pair' | 'judged' | 'prompt' }>): Turns | undefined {
  if (example.kind === 'pair') return example.chosen;
  return example.kind === 'judged' && example.good ? example.completion : undefined;
}

/** The prompt that would lead to this example; null if it has none. */
export function promptOf(example: Example): SamplePrompt | null {
  switch (example.kind) {
    case 'messages': {
      const user = example.messages.findIndex(({ role }) => role === 'user');
      if (user < 0) return null;
      const system = example.messages.slice(0, user).find(({ role }) => role === 'system');
      const answer = example.messages.slice(user).find(({ role }) => role === 'assistant');
      return {
        text: example.messages[user]!.content,
        ...(system ? { system: system.content } : {}),
        ...(answer ? { expected: answer.content } : {}),
      };
    }
    case 'prompt_completion':
      return { text: example.prompt, expected: example.completion };
    case 'labelled':
      return {
        text: example.text,
        expected: typeof example.labels === 'number' ? String(example.labels) : example.labels.join(', '),
      };
    case 'tagged':
      return { text: example.tokens.join(' ') };
    case 'pair':
    case 'judged':
    case 'prompt':
      return promptOfTurns(example.prompt, expectedOf(example));
    case 'text': {
      const words = example.text.trim().split(/\s+/, BEGINNING_WORDS * 2);
      return { text: words.slice(0, Math.min(BEGINNING_WORDS, Math.ceil(words.length / 2))).join(' ') };
    }
    default:
      return example satisfies never;
  }
}

/** Distinct prompts in order of preference; the caller takes as many as it needs. */
export function* samplePrompts(
  parsed: ParsedDataset,
  tokenized: Pick<TokenizedDataset, 'train' | 'validation'>,
): Generator<SamplePrompt> {
  const byRow = new Map(parsed.examples.map((example) => [example.row, example]));
  const seen = new Set<string>();
  for (const { row } of [...tokenized.validation, ...tokenized.train]) {
    const example = byRow.get(row);
    const prompt = example ? promptOf(example) : null;
    if (!prompt || prompt.text.trim() === '' || seen.has(prompt.text)) continue;
    seen.add(prompt.text);
    yield prompt;
  }
}
