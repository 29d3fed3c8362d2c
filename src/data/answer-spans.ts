/**
 * Which parts of a rendered conversation are answers. Templates do not say, so it is found out by rendering parts of the
 * conversation, in time that grows with its length: what is found for one answer holds for all that stand in the same
 * surroundings.
 */
import type { ChatTemplate, Span } from './chat-template';
import { RowRefused } from './row-refused';
import { thoughtsOf } from './template-messages';
import { coreOf } from './template-text';
import type { ChatMessage } from './types';

/** Longer conversations are tried on a part of them. */
const SHORT = 24;
/** The work that answers without a pattern may cost: renderings times the messages in each. */
const MOST_WORK = 20_000;
/** Stands for the answer's own thoughts in what is compared. */
const HOLE = '\uE0F2';

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
  return foundSpans(template, messages, text, learned, endTokens);
}

/**
 * The same ranges without further renderings, for templates that put the same text before and after every answer, as
 * nearly all do. A single last answer is found by its position at the end, several by marks in their contents. Null if
 * anything does not match that text.
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
  const places = placesOf(template, messages, text, learned);
  if (!places) return null;
  const spans: Span[] = [];
  for (const i of learned) {
    const { content } = messages[i]!;
    const [start, end] = places[i] ?? [-1, -1];
    const whole: Span = [start - leading(content), end + trailing(content)];
    const framed = text.endsWith(frame.before, whole[0]) && text.startsWith(frame.behind, whole[1]);
    if (start === -1 || !framed || text.slice(...whole) !== content) return null;
    spans.push([whole[0], whole[1] + frame.behind.length]);
  }
  const last = learned.at(-1) === messages.length - 1;
  return last && spans.at(-1)![1] !== text.length ? null : spans;
}

/** Of all messages, or else of the answers. */
function placesOf(template: ChatTemplate, messages: readonly ChatMessage[], text: string, answers: readonly number[]) {
  const wanted = new Set(answers);
  return template.places(messages, text) ?? template.places(messages, text, (_, i) => wanted.has(i));
}

const leading = (content: string) => content.length - content.trimStart().length;
const trailing = (content: string) => content.length - content.trimEnd().length;

/** What stands around an answer, by which others like it are recognised; its thoughts are a hole in it. */
interface Surroundings {
  /** Between the text of the message before it and its own text. */
  before: string;
  /** The learned part of it, and of what follows the answer's text. */
  lead: string;
  tail: string;
}

const blank = (text: string, thoughts: string) => (thoughts === '' ? text : text.replaceAll(thoughts, HOLE));
const filled = (text: string, thoughts: string) => text.replaceAll(HOLE, () => thoughts);

/**
 * Each answer of a kind is looked for once, by rendering the conversation up to it (a part of it where it is long); the
 * others of its kind are recognised by what stands around them.
 */
function foundSpans(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  text: string,
  learned: readonly number[],
  endTokens: readonly string[],
): Span[] {
  const places = placesOf(template, messages, text, learned);
  const known = new Map<string, Surroundings[]>();
  const lastQuestion = messages.findLastIndex(({ role }) => role === 'user');
  let work = 0;
  const spans: Span[] = [];
  for (const i of learned) {
    const floor = spans.at(-1)?.[1] ?? 0;
    const place = places?.[i];
    const from = places?.[i - 1]?.[1] ?? null;
    const last = i === messages.length - 1;
    const kind = JSON.stringify([messages[i - 1]?.role, messages[i + 1]?.role, last, i > lastQuestion, from === null]);
    const kin = known.get(kind) ?? [];
    known.set(kind, kin);
    const thoughts = thoughtsOf(messages[i]!);
    const before = place && from !== null && from <= place[0] ? blank(text.slice(from, place[0]), thoughts) : '';
    const like = (those: readonly Surroundings[]) =>
      place ? spanLike(those, before, thoughts, text, place, last) : null;
    let span = like(kin);
    if (!span && place && messages.length > SHORT) {
      const short = shortPart(messages, i);
      work += 3 * short.messages.length;
      const found = surroundingsIn(template, short.messages, short.at, endTokens);
      if (found) kin.push(found);
      span = found && like([found]);
    }
    if (!span) {
      work += 2 * messages.length;
      if (messages.length > SHORT && work > MOST_WORK) throw tooLong(messages.length);
      span = slowSpan(template, messages, i, text, floor, endTokens);
      if (place && span[0] <= place[0] && span[1] >= place[1]) {
        const lead = blank(text.slice(span[0], place[0]), thoughts);
        kin.push({ before, lead, tail: text.slice(place[1], span[1]) });
      }
    }
    const start = Math.max(floor, span[0]);
    if (span[1] > start) spans.push([start, span[1]]);
  }
  return spans;
}

/** The range of an answer whose surroundings are like one of these; null if none are. */
function spanLike(
  kin: readonly Surroundings[],
  before: string,
  thoughts: string,
  text: string,
  place: Span,
  last: boolean,
): Span | null {
  for (const like of kin) {
    if (like.before !== before) continue;
    const lead = filled(like.lead, thoughts);
    if (!text.endsWith(lead, place[0]) || !text.startsWith(like.tail, place[1])) continue;
    const span: Span = [place[0] - lead.length, place[1] + like.tail.length];
    if (!last || span[1] === text.length) return span;
  }
  return null;
}

/** What stands around answer `i` of a short conversation; null if the template does not take it, or rewrites the answer. */
function surroundingsIn(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  i: number,
  endTokens: readonly string[],
): Surroundings | null {
  const text = attempt(() => template.render(messages, false));
  const places = text === null ? null : template.places(messages, text);
  const place = places?.[i];
  if (text === null || !place) return null;
  const from = places?.[i - 1]?.[1] ?? null;
  const [start, end] = slowSpan(template, messages, i, text, 0, endTokens);
  if (start > place[0] || end < place[1]) return null;
  const before = from !== null && from <= place[0] ? text.slice(from, place[0]) : '';
  const thoughts = thoughtsOf(messages[i]!);
  const lead = blank(text.slice(start, place[0]), thoughts);
  return { before: blank(before, thoughts), lead, tail: text.slice(place[1], end) };
}

/** The surroundings of answer `i`: from a question before it to the question after the next answer, or to the end. */
function shortPart(messages: readonly ChatMessage[], i: number): { messages: ChatMessage[]; at: number } {
  const isQuestion = (k: number) => messages[k]!.role === 'user';
  let from = i;
  for (let questions = 0; from > 0 && questions < 2; ) if (isQuestion(--from)) questions++;
  let to = i + 1;
  for (let questions = 0; to < messages.length && questions < 2; to++) if (isQuestion(to)) questions++;
  const part = messages.slice(from, to);
  if (from === 0 || messages[0]!.role !== 'system') return { messages: part, at: i - from };
  return { messages: [messages[0]!, ...part], at: i - from + 1 };
}

function tooLong(count: number): RowRefused {
  return new RowRefused(
    'answers_not_found',
    `has ${count} messages, and it cannot be told in reasonable time which parts of it are answers`,
    'Split the conversation.',
  );
}

/** The range of answer `i`, found by rendering the conversation up to it. */
function slowSpan(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  i: number,
  text: string,
  floor: number,
  endTokens: readonly string[],
): Span {
  const start = Math.max(floor, answerStart(template, messages, i, text, floor, endTokens));
  const end = i === messages.length - 1 ? text.length : answerEnd(template, messages, i, text, start, endTokens);
  return [start, end];
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
    const place = template.places(messages, text, (_, k) => k === i)?.[i];
    const found = place ? place[0] : text.indexOf(coreOf(messages[i]!), floor);
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
