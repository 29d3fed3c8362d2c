/**
 * Example -> the text that the model reads, and which ranges of it are learned.
 *
 * Prompts with answers are asked through the model's chat template where it has one, because that is how they are
 * asked afterwards (in Compare, and by every chat program that loads the adapter). TRL instead concatenates plain
 * prompt and completion even for chat models; only models without a template are trained so here.
 */
import type { ChatTemplate, Span } from './chat-template';
import { writtenLabel } from './labelled';
import type { ChatMessage, Example } from './types';

export interface Rendered {
  text: string;
  /** Ranges that are learned, ascending and disjoint; 'all' takes in what a post-processor adds (BOS), as TRL does. */
  spans: Span[] | 'all';
  /** Whether the tokenizer's post-processor may add BOS: a chat template writes its own. */
  addSpecialTokens: boolean;
}

export interface RenderOptions {
  /** The model's own template; null when it has none. */
  template: ChatTemplate | null;
  /** Used for conversations when the model has no template. */
  plainTemplate: ChatTemplate;
  eosToken: string | null;
  assistantOnlyLoss: boolean;
  /** Put between prompt and completion without a template, as the first letter of what is learned. */
  separator: string;
  /** Texts that end an answer's turn, such as "<|im_end|>"; see answerSpans. */
  endTokens: readonly string[];
}

/** Throws bad_model with the template's words when it refuses the conversation. */
export function renderExample(example: Example, options: RenderOptions): Rendered {
  switch (example.kind) {
    case 'text':
      // As TRL does: EOS behind every text, everything learned.
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
      // As TRL does for prompt and completion in plain strings.
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
      // A model that writes answers writes the tags, one for each word.
      const { row, tokens, tags } = example;
      const pair = { prompt: tokens.join(' '), completion: tags.join(' ') };
      return renderExample({ kind: 'prompt_completion', row, ...pair }, options);
    }
    case 'messages':
      return conversation(example.messages, options);
  }
  example satisfies never;
}

/** How a prompt is asked: through the template up to the answer's first letter. */
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
 * Ranges of the assistant's answers in a rendered conversation, each with the template's end of turn, so that the
 * model learns to stop. A template's own `{% generation %}` marks decide where it has them (as in TRL's
 * assistant_only_loss). Otherwise an answer is what the template adds to the generation prompt: it begins where the
 * rendering of the messages before it, with the generation prompt, ends, and it ends where the rendering up to and
 * with it ends (as TRL masks conversational prompts and completions).
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
 * The same ranges without two renderings for each answer, for templates that put the same words before and behind
 * every answer (nearly all). A last answer is recognised by its place at the end, several by marks in their texts in
 * one more rendering. Null when anything differs from what those words promise.
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

/** Where answer `i` begins in the whole rendering, not before `floor`. */
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
  // A greeting that answers nothing: some templates write no generation prompt then, and others cannot be rendered.
  const answersNothing = before.every((m) => m.role === 'system');
  if (prompt !== null && text.startsWith(prompt) && !answersNothing) return prompt.length;
  const base = attempt(() => template.render(before, false)) ?? '';
  if (prompt !== null && text.startsWith(prompt) && prompt !== base) return prompt.length;
  if (!text.startsWith(base)) {
    // What comes later changes what stands before (a system message in the middle goes to the front): the answer's own
    // text has to be found, and the generation prompt close before it. Nothing is learned where it cannot.
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
  // The generation prompt says more than the finished turn (it opens a <think>): the answer begins where they part,
  // or at its first letter if that comes earlier.
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
  // The template writes a last answer differently from earlier ones (Qwen3's thinking): find this one's text, and
  // behind it what closes the turn in both renderings.
  const content = messages[i]!.content.trim();
  const at = text.indexOf(content, start);
  if (at === -1) return firstEnd(text, start, upTo, endTokens);
  const end = at + content.length;
  const tailAt = upTo?.lastIndexOf(content) ?? -1;
  const tail = upTo === null || tailAt === -1 ? '' : upTo.slice(tailAt + content.length);
  return end + closing(tail.slice(0, commonPrefix(text.slice(end, end + tail.length), tail)), tail, endTokens).length;
}

/** Where an answer that the template rewrote (it left the thoughts out) is closed: behind the first end token. */
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
 * Of what follows an answer both in the middle and at the end of a conversation (`shared`, a beginning of `tail`), that
 * which closes the turn. Two different tokens may begin with the same letters: Phi-3's "<|end|>\n<|" is one and a half.
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

/** A mark that closes before the end-of-turn token would teach the model never to stop: the token is taken in. */
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
