/**
 * Turns an example into the text that the model sees, and the ranges of it that are learned.
 *
 * Prompts with answers use the model's chat template if it has one, because that is how prompts are formatted later (in
 * Compare, and by every chat program that loads the adapter). TRL instead concatenates plain prompts and completions
 * even for chat models; here that is done only for models without a template.
 */
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

/**
 * Ranges of the assistant's answers in a rendered conversation, each including the template's end of turn, so that the
 * model learns to stop. If the template has `{% generation %}` marks, they decide (as with TRL's assistant_only_loss).
 * Otherwise an answer starts where the rendering of the messages before it, including the generation prompt, ends, and
 * ends where the rendering that includes it ends (as TRL masks conversational prompts and completions).
 */
export function answerSpans(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  text: string,
  endTokens: readonly string[] = [],
): Span[] {
  const marked = template.generationSpans(messages, text);
  const answers = messages.flatMap((m, i) => (m.role === 'assistant' ? [i] : []));
  const learned = answers.filter((i) => messages[i]!.train !== false);
  if (marked && marked.length === answers.length) {
    return marked
      .filter((_, n) => learned.includes(answers[n]!))
      .map<Span>(([start, end]) => [start, withEndToken(text, end, endTokens)]);
  }
  const framed = framedSpans(template, messages, text, learned);
  if (framed) return framed;
  const spans: Span[] = [];
  for (const i of learned) {
    const floor = spans.at(-1)?.[1] ?? 0;
    const start = Math.max(floor, answerStart(template, messages, i, text, floor, endTokens));
    const end = i === messages.length - 1 ? text.length : answerEnd(template, messages, i, text, start, endTokens);
    if (end > start) spans.push([start, end]);
  }
  return spans;
}

/**
 * The same ranges without two renderings per answer, for templates that put the same text before and after every
 * answer, as nearly all do. A single last answer is found by its position at the end, several by marks in their
 * contents in one more rendering. Null if anything does not match that text.
 */
function framedSpans(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  text: string,
  learned: readonly number[],
): Span[] | null {
  const { frame } = template;
  if (!frame) return null;
  if (learned.length === 1 && learned[0] === messages.length - 1) {
    const { content } = messages.at(-1)!;
    const start = text.length - frame.behind.length - content.length;
    return text.endsWith(frame.before + content + frame.behind) ? [[start, text.length]] : null;
  }
  const places = template.contentSpans(messages, learned, text);
  if (!places || places.length !== learned.length) return null;
  const spans: Span[] = [];
  for (const [start, end] of places) {
    const framed = text.endsWith(frame.before, start) && text.startsWith(frame.behind, end);
    if (!framed) return null;
    spans.push([start, end + frame.behind.length]);
  }
  const last = learned.at(-1) === messages.length - 1;
  return last && spans.at(-1)![1] !== text.length ? null : spans;
}

/** Where answer `i` starts in the whole rendering, at or after `floor`. */
function answerStart(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  i: number,
  text: string,
  floor: number,
  endTokens: readonly string[],
): number {
  const before = messages.slice(0, i);
  const prompt = attempt(() => template.render(before, true));
  // A greeting without a question: some templates then write no generation prompt, and others cannot be rendered.
  const answersNothing = before.every((m) => m.role === 'system');
  if (prompt !== null && text.startsWith(prompt) && !answersNothing) return prompt.length;
  const base = attempt(() => template.render(before, false)) ?? '';
  if (prompt !== null && text.startsWith(prompt) && prompt !== base) return prompt.length;
  if (!text.startsWith(base)) {
    // Later messages change earlier text (e.g. a system message in the middle moves to the front), so find the answer's
    // content, with the generation prompt just before it. If it cannot be found, nothing is learned.
    const [place] = template.contentSpans(messages, [i], text) ?? [];
    const found = place ? place[0] : text.indexOf(messages[i]!.content.trim(), floor);
    if (found === -1) return text.length;
    const opening = prompt?.startsWith(base) ? prompt.slice(base.length) : '';
    const opened = opening === '' ? -1 : text.lastIndexOf(opening, found - opening.length);
    const begins = opened + opening.length;
    const sameTurn = opened >= floor && !endTokens.some((token) => text.slice(begins, found).includes(token));
    return sameTurn ? begins : found;
  }
  const content = text.indexOf(messages[i]!.content.trim(), Math.max(floor, commonPrefix(text, base)));
  if (prompt === null || prompt === base) return content;
  // The generation prompt contains more than the finished turn (e.g. an opening <think>). The answer starts where they
  // differ, or at its content if that comes earlier.
  const parted = commonPrefix(text, prompt);
  return content === -1 ? parted : Math.min(parted, content);
}

/** Where the turn of answer `i` ends in the whole rendering. */
function answerEnd(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  i: number,
  text: string,
  start: number,
  endTokens: readonly string[],
): number {
  const upTo = attempt(() => template.render(messages.slice(0, i + 1), false));
  if (upTo !== null && upTo.length > start && text.startsWith(upTo)) return upTo.length;
  // The template formats the last answer differently from earlier ones (Qwen3's thinking), so find this one's content
  // and the text after it that closes the turn in both renderings.
  const content = messages[i]!.content.trim();
  const at = text.indexOf(content, start);
  if (at === -1) return firstEnd(text, start, upTo, endTokens);
  const end = at + content.length;
  const tailAt = upTo?.lastIndexOf(content) ?? -1;
  const tail = upTo === null || tailAt === -1 ? '' : upTo.slice(tailAt + content.length);
  return end + closing(tail.slice(0, commonPrefix(text.slice(end, end + tail.length), tail)), tail, endTokens).length;
}

/** Where an answer that the template rewrote (e.g. without its thoughts) ends: after the first end token. */
function firstEnd(text: string, start: number, upTo: string | null, endTokens: readonly string[]): number {
  const ends = endTokens.flatMap((token) => {
    const at = text.indexOf(token, start);
    return at === -1 ? [] : [at + token.length];
  });
  if (ends.length === 0) return start;
  const end = Math.min(...ends);
  const space = /\s*$/.exec(upTo ?? '')![0];
  return text.startsWith(space, end) ? end + space.length : end;
}

/**
 * The part that closes the turn, from the text that follows an answer both in the middle and at the end of a
 * conversation (`shared`, a prefix of `tail`). Different tokens may start alike: Phi-3's "<|end|>\n<|" is one and a
 * half tokens.
 */
function closing(shared: string, tail: string, endTokens: readonly string[]): string {
  if (shared === tail) return shared;
  const ends = endTokens
    .map((token) => shared.lastIndexOf(token) + token.length)
    .filter((end, n) => end >= endTokens[n]!.length);
  if (ends.length === 0) return shared.replace(/<[^<>\s]*$/, '');
  const at = Math.max(...ends);
  return shared.slice(0, at) + /^\s*/.exec(shared.slice(at))![0];
}

/** Includes the end-of-turn token if a mark ends before it; otherwise the model would never learn to stop. */
function withEndToken(text: string, end: number, endTokens: readonly string[]): number {
  if (endTokens.some((token) => text.slice(0, end).trimEnd().endsWith(token))) return end;
  const token = endTokens.find((token) => text.startsWith(token, end));
  return token ? end + token.length : end;
}

function commonPrefix(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  let i = 0;
  while (i < n && a[i] === b[i]) i++;
  return i;
}

function attempt<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}
