/** What a model is asked -> ids, as its training data were written: prompts, texts and words to classify, answers to judge. */
import { TabtuneError } from '../base/errors';
import { encodeAround } from './encode-text';
import { encodeWords, firstOfWords } from './encode-words';
import { checkIds } from './loss-mask';
import { AS_IT_IS, type OpenTokenizer, textOptions } from './open-tokenizer';
import type { PromptStyle, WrittenChats } from './prompt-style';
import { renderPrompt } from './render';
import { withoutPadding } from './trailing-padding';
import { truncateText } from './truncate';
import type { ChatMessage } from './types';

/** A prompt, and what comes before it. */
export interface AskedPrompt {
  text: string;
  system?: string;
  /** Earlier turns, or examples, with their answers. */
  before?: readonly { text: string; expected: string }[];
}

export interface EncodedForTask {
  ids: Int32Array;
  /** For words: the word's index at its first token, otherwise -1 (truncated words are absent). Null for a text. */
  words: Int32Array | null;
}

/** Throws bad_model if the template rejects the prompt, or writes nothing for it. */
export function encodePrompt(opened: OpenTokenizer, style: PromptStyle, asked: AskedPrompt): Int32Array {
  const { tokenizer, template, plainTemplate } = opened;
  const { text: prompt, system, before = [] } = asked;
  const chat = template ?? (style.plainChat ? plainTemplate : null);
  const messages: ChatMessage[] = system ? [{ role: 'system', content: system }] : [];
  for (const { text, expected } of before) {
    messages.push({ role: 'user', content: text }, { role: 'assistant', content: expected });
  }
  messages.push({ role: 'user', content: prompt });
  const text = chat ? renderPrompt(messages, chat) : plainPrompt(asked, style.separator);
  const { ids } = tokenizer.encodeOnce(text, template === null);
  checkIds(ids, tokenizer);
  if (ids.length === 0 && chat) {
    throw new TabtuneError({
      code: 'bad_model',
      message: 'The model’s chat template produces no text for this prompt.',
      where: 'chat template',
      action: 'Try another prompt, or choose another model.',
    });
  }
  return Int32Array.from(ids);
}

/** Conversations as the model is asked. */
export function writeChats(
  opened: OpenTokenizer,
  style: PromptStyle,
  conversations: readonly (readonly ChatMessage[])[],
): WrittenChats {
  const { tokenizer, template, plainTemplate, stopTokenIds } = opened;
  const chat = template ?? (style.plainChat ? plainTemplate : null);
  const texts = conversations.map((messages) => {
    try {
      return chat && renderPrompt(messages, chat);
    } catch (error) {
      if (error instanceof TabtuneError) return null;
      throw error;
    }
  });
  const ends = stopTokenIds.map((id) => tokenizer.decode([id], false));
  const begin = tokenizer.bosTokenId === null ? null : tokenizer.decode([tokenizer.bosTokenId], false);
  return { texts: chat ? texts : null, begin, ends, tools: chat?.facts.tools === 'written' };
}

/** Without a template, a blank line stands between examples. */
function plainPrompt({ text: prompt, system, before = [] }: AskedPrompt, separator: string): string {
  // The answer to the prompt begins as those before it do.
  const last = before.length > 0 ? prompt + separator : prompt;
  const examples = before.map(({ text, expected }) => text + separator + expected);
  return [...(system ? [system] : []), ...examples, last].join('\n\n');
}

/** A text, or words that are tokenised one at a time, as a classifier's training examples are. */
export function encodeForTask(
  { tokenizer }: Pick<OpenTokenizer, 'tokenizer'>,
  input: string | string[],
  maxLength: number,
): EncodedForTask {
  if (typeof input === 'string') return truncateText(encodeAround(0, input, tokenizer), maxLength);
  const { ids, words } = encodeWords(input, tokenizer);
  const { before, behind } = tokenizer.around;
  const firsts = firstOfWords(words);
  const places = Int32Array.from(words, (word, i) => (firsts[i] === 1 ? word : -1));
  return truncateText({ ids, words: places, before: before.length, behind: behind.length }, maxLength);
}

/** An answer with its prompt, as a reward model reads it. Throws bad_data if they are too long: only a whole answer can be judged. */
export function encodeAnswer(
  opened: OpenTokenizer,
  style: PromptStyle,
  { prompt, answer }: { prompt: string; answer: string },
  maxLength: number,
): Int32Array {
  const { tokenizer } = opened;
  const options = textOptions(opened, style.separator, AS_IT_IS);
  const turns = (role: 'user' | 'assistant', content: string) => (style.plainChat ? [{ role, content }] : content);
  const { wholes, addSpecialTokens } = options.renderAnswers(
    turns('user', prompt),
    [turns('assistant', answer)],
    options,
  );
  const { ids } = tokenizer.encodeOnce(wholes[0]!, addSpecialTokens);
  checkIds(ids, tokenizer);
  const read = withoutPadding(Int32Array.from(ids), tokenizer.padTokenId);
  if (read.length <= maxLength) return read;
  throw new TabtuneError({
    code: 'bad_data',
    message: `The prompt and its answer have ${read.length} tokens, but the model reads at most ${maxLength}.`,
    action: 'Shorten them: only a whole answer can be judged.',
  });
}
