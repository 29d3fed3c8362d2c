/**
 * Turns an example into the text that the model sees, and the ranges of it that are learned.
 *
 * Prompts with answers use the model's chat template if it has one, because that is how prompts are formatted later (in
 * Compare, and by every chat program that loads the adapter). TRL instead concatenates plain prompts and completions
 * even for chat models; here that is done only for models without a template.
 */
import { answerSpans } from './answer-spans';
import type { ChatTemplate, Span } from './chat-template';
import { writtenLabel } from './labelled';
import type { ChatMessage, Example } from './types';

export interface Rendered {
  text: string;
  /** Learned ranges, ascending and disjoint. As in TRL, 'all' includes what a post-processor adds (BOS). */
  spans: Span[] | 'all';
  /** Whether the tokeniser's post-processor may add BOS; a chat template writes its own. */
  addSpecialTokens: boolean;
}

export interface RenderOptions {
  /** The model's own template; null if it has none. */
  template: ChatTemplate | null;
  /** Used for conversations if the model has no template. */
  plainTemplate: ChatTemplate;
  eosToken: string | null;
  assistantOnlyLoss: boolean;
  /** Inserted between prompt and completion if there is no template; it is learned as part of the completion. */
  separator: string;
  /** Strings that end an answer's turn, such as "<|im_end|>"; see answerSpans. */
  endTokens: readonly string[];
}

/** Throws bad_model with the template's message if it rejects the conversation. */
export function renderExample(example: Example, options: RenderOptions): Rendered {
  switch (example.kind) {
    case 'text':
      // As in TRL: EOS after every text, and everything is learned.
      return { text: withEos(example.text, options.eosToken), spans: 'all', addSpecialTokens: true };
    case 'prompt_completion': {
      if (options.template) {
        const { prompt, completion } = example;
        return conversation(
          [
            { role: 'user', content: prompt.trim() },
            { role: 'assistant', content: completion.trim() },
          ],
          options,
        );
      }
      // As in TRL for plain strings.
      const text = example.prompt + options.separator + withEos(example.completion, options.eosToken);
      const spans: Rendered['spans'] = options.assistantOnlyLoss ? [[example.prompt.length, text.length]] : 'all';
      return { text, spans, addSpecialTokens: true };
    }
    case 'labelled': {
      const { row, text } = example;
      return renderExample(
        { kind: 'prompt_completion', row, prompt: text, completion: writtenLabel(example) },
        options,
      );
    }
    case 'tagged': {
      // A generative model writes the tags, one per word.
      const { row, tokens, tags } = example;
      const pair = { prompt: tokens.join(' '), completion: tags.join(' ') };
      return renderExample({ kind: 'prompt_completion', row, ...pair }, options);
    }
    case 'messages':
      return conversation(example.messages, options);
  }
  example satisfies never;
}

/** Formats a prompt with the template, up to the start of the answer. */
export function renderPrompt(messages: readonly ChatMessage[], template: ChatTemplate): string {
  return template.render(messages, true);
}

function withEos(text: string, eos: string | null): string {
  return eos === null || text.endsWith(eos) ? text : text + eos;
}

function conversation(messages: readonly ChatMessage[], options: RenderOptions): Rendered {
  const template = options.template ?? options.plainTemplate;
  const text = template.render(messages, false);
  const spans = options.assistantOnlyLoss ? answerSpans(template, messages, text, options.endTokens) : 'all';
  return { text, spans, addSpecialTokens: options.template === null };
}
