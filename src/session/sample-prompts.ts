/**
 * The prompts that the base model and the fine-tuned model answer at every evaluation. They come from the held-out
 * examples, whose answers were not memorised, and then from the training set.
 */
import type { Example, ParsedDataset, TokenizedDataset } from '../data/types';

export interface SamplePrompt {
  text: string;
  system?: string;
  /** The example's answer; absent if it has none. */
  expected?: string;
}

/** Maximum words of a plain text used as its prompt, for the model to continue. */
const BEGINNING_WORDS = 8;

/** The prompt that would lead to this example; null if it has none. */
function promptOf(example: Example): SamplePrompt | null {
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
