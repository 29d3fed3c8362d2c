/** An example as a file for another trainer has it: what its template or tokenizer is given, and not what comes of it. */
import type { ChatMessage, Turns } from './types';

export type WrittenRow =
  /**
   * The text that the model reads, special tokens and all, in parts that are learned or not. `messages` are what the model's chat
   * template made it of; null if it did not.
   */
  | {
      kind: 'parts';
      parts: readonly { text: string; learned: boolean }[];
      messages: readonly ChatMessage[] | null;
    }
  /** Learned as a whole; the trainer ends it. */
  | { kind: 'text'; text: string }
  /**
   * Two answers to a prompt, and answers that are good or bad: for a trainer that has the model's template, and as it writes them, the
   * answers behind the prompt. Without a template, both are the same strings.
   */
  | ({ kind: 'pair'; written: { prompt: string; chosen: string; rejected: string } } & Record<
      'prompt' | 'chosen' | 'rejected',
      Turns
    >)
  | ({ kind: 'judged'; good: boolean; written: { prompt: string; completion: string } } & Record<
      'prompt' | 'completion',
      Turns
    >)
  | { kind: 'prompt'; prompt: Turns; columns: Readonly<Record<string, unknown>> };

/** Both sides of a split. */
export interface WrittenRows {
  /** As often as an epoch has them, in the order of the file. */
  train: WrittenRow[];
  validation: WrittenRow[];
}
