/**
 * Chat templates: Jinja programs that come with a model and format conversations for it. They are untrusted code: their
 * size and output are limited here, and they run only in a worker that is killed after a deadline.
 */

import { parse, tokenize } from '@huggingface/jinja';
import { TabtuneError } from '../base/errors';
import { parseUntrusted } from '../base/json';
import { type Program, parseTemplate, RunawayTemplate, runTemplate } from './jinja';
import { type TemplateFacts, templateFacts } from './template-facts';
import { type GivenMessage, givenMessages, needsFacts, splice } from './template-messages';
import { afterThoughts, coreOf } from './template-text';
import type { SpecialTokens } from './tokenizer';
import { MAX_TEMPLATE_BYTES } from './tokenizer-files';
import type { ChatMessage } from './types';

/** Searching for tags takes time quadratic in the length of such a run. */
const LONG_SPACE = /\s{1000}/;
/** The maximum output, in addition to four times the length of the conversation. */
const MAX_RENDERED_CHARS = 2 ** 20;

/** Private-use characters that mark positions in the output. */
const OPEN = '\uE0F0';
const CLOSE = '\uE0F1';
/** Between them, the number of a message, one such character for each digit. */
const DIGITS = 0xe0e0;
const MARKS = /[\uE0E0-\uE0E9\uE0F0-\uE0F2]/;

/** A half-open range of UTF-16 positions in a rendered text. */
export type Span = [start: number, end: number];

export class ChatTemplate {
  private readonly template: Program;
  private readonly marked: Program | null;

  /** Throws bad_model if the template is too large or not valid Jinja. */
  constructor(
    private readonly source: string,
    private readonly special: SpecialTokens,
  ) {
    const bytes = new TextEncoder().encode(source).length;
    if (bytes > MAX_TEMPLATE_BYTES) {
      throw badTemplate(
        'This model’s chat template is too large.',
        `${bytes} bytes, the limit is ${MAX_TEMPLATE_BYTES}`,
      );
    }
    if (LONG_SPACE.test(source)) {
      throw badTemplate('This model’s chat template cannot be read.', 'It contains a thousand spaces in a row.');
    }
    try {
      this.template = parseTemplate(source);
      this.marked = withMarks(source);
    } catch (error) {
      throw badTemplate('This model’s chat template cannot be read.', messageOf(error));
    }
  }

  /**
   * The conversation as the model sees it; with `addGenerationPrompt`, up to the start of its answer. Throws bad_model
   * with the template's own message if it rejects the conversation (`raise_exception`).
   */
  render(messages: readonly ChatMessage[], addGenerationPrompt: boolean): string {
    return this.run(this.template, messages, addGenerationPrompt);
  }

  /**
   * The ranges inside the `{% generation %}` blocks of the rendered conversation, one per block; null if the template
   * has no such blocks (most do not), or if marking them changes the text.
   */
  generationSpans(messages: readonly ChatMessage[], rendered: string): Span[] | null {
    return this.marked && this.marks(this.marked, messages, rendered);
  }

  /**
   * Where the text of each message stands in the rendered conversation: the whole content without white space around it,
   * or what follows thoughts in it. Undefined for messages that are not there; null if marking the texts of those that
   * `among` accepts changes what is around them.
   */
  places(
    messages: readonly ChatMessage[],
    rendered: string,
    among?: (message: ChatMessage, i: number) => boolean,
  ): (Span | undefined)[] | null {
    if (among) return this.findPlaces(messages, rendered, among);
    // Asked for by those who look for lost messages, and then by those who look for answers.
    const { found } = this;
    if (found?.messages === messages && found.rendered === rendered) return found.places;
    const places = this.findPlaces(messages, rendered, () => true);
    this.found = { messages, rendered, places };
    return places;
  }

  private found: { messages: readonly ChatMessage[]; rendered: string; places: (Span | undefined)[] | null } | null =
    null;

  private findPlaces(
    messages: readonly ChatMessage[],
    rendered: string,
    among: (message: ChatMessage, i: number) => boolean,
  ): (Span | undefined)[] | null {
    const marked = messages.map((message, i) =>
      coreOf(message) !== '' && among(message, i) ? { ...message, content: withMark(message, i) } : message,
    );
    const found: (Span | undefined)[] = messages.map(() => undefined);
    const spans = this.marks(this.template, marked, rendered, (i, span) => {
      found[i] ??= span;
    });
    return spans && found;
  }

  /** How this template takes each role and feature, tried once. */
  get facts(): TemplateFacts {
    this.knownFacts ??= templateFacts(this, this.source);
    return this.knownFacts;
  }

  private knownFacts: TemplateFacts | undefined;

  /**
   * The text before an answer (the generation prompt) and after it (the end of turn), if it is the same around both
   * answers of a trial conversation; otherwise null.
   */
  get frame(): { before: string; behind: string } | null {
    if (this.knownFrame === undefined) this.knownFrame = this.findFrame();
    return this.knownFrame;
  }

  private knownFrame: { before: string; behind: string } | null | undefined;

  private findFrame(): { before: string; behind: string } | null {
    const trial: ChatMessage[] = ['Qone', 'Aone', 'Qtwo', 'Atwo'].map((content, i) => ({
      role: i % 2 === 0 ? 'user' : 'assistant',
      content,
    }));
    try {
      const upTo = (n: number, prompt: boolean) => this.render(trial.slice(0, n), prompt);
      const [asked, askedWithPrompt, answered, whole] = [upTo(1, false), upTo(1, true), upTo(2, false), upTo(4, false)];
      if (!askedWithPrompt.startsWith(asked) || !answered.startsWith(`${askedWithPrompt}Aone`)) return null;
      const before = askedWithPrompt.slice(asked.length);
      const behind = answered.slice(askedWithPrompt.length + 'Aone'.length);
      const same = whole.startsWith(answered) && whole.endsWith(`${before}Atwo${behind}`);
      // Without a generation prompt the start of an answer cannot be recognised.
      return same && before !== '' ? { before, behind } : null;
    } catch {
      return null;
    }
  }

  /** The marked ranges of a rendering; null if it differs from `rendered` in more than the marks. */
  private marks(
    template: Program,
    messages: readonly ChatMessage[],
    rendered: string,
    tell?: (i: number, span: Span) => void,
  ): Span[] | null {
    if (MARKS.test(rendered)) return null;
    let marked: string;
    try {
      marked = this.run(template, messages, false);
    } catch {
      return null;
    }
    const spans: Span[] = [];
    const pieces: string[] = [];
    let length = 0;
    const add = (piece: string) => {
      pieces.push(piece);
      length += piece.length;
    };
    let at = 0;
    for (let open = marked.indexOf(OPEN); open !== -1; open = marked.indexOf(OPEN, at)) {
      const close = marked.indexOf(CLOSE, open);
      if (close === -1) return null;
      add(marked.slice(at, open));
      const { number, end } = numberAt(marked, open + 1);
      const start = length;
      add(marked.slice(end, close));
      if (number !== null) tell?.(number, [start, length]);
      if (length > start) spans.push([start, length]);
      at = close + 1;
    }
    add(marked.slice(at));
    return length === rendered.length && pieces.join('') === rendered ? spans : null;
  }

  private run(template: Program, messages: readonly ChatMessage[], addGenerationPrompt: boolean): string {
    const { given, spliced } = givenMessages(messages, messages.some(needsFacts) ? this.facts : null);
    return splice(this.evaluate(template, given, addGenerationPrompt), spliced);
  }

  /** As the template's own code gets and gives it. Throws bad_model. */
  evaluate(
    template: Program,
    messages: readonly GivenMessage[],
    addGenerationPrompt: boolean,
    tools: unknown[] | null = null,
  ): string {
    let text: string;
    try {
      // transformers defines tools and documents as None.
      const variables = { messages: [...messages], add_generation_prompt: addGenerationPrompt, tools, documents: null };
      text = runTemplate(template, { ...variables, ...this.special });
    } catch (error) {
      if (error instanceof RunawayTemplate) throw runaway(error.message);
      throw badTemplate('The model’s chat template rejects this conversation.', messageOf(error));
    }
    const letters = messages.reduce((sum, { content }) => sum + content.length, 0);
    if (text.length > MAX_RENDERED_CHARS + 4 * letters) throw runaway(`It produced ${text.length} characters.`);
    return text;
  }

  /** Tries messages with fields of their own. Throws bad_model, as render does. */
  try(messages: readonly GivenMessage[], tools: unknown[] | null = null): string {
    return this.evaluate(this.template, messages, false, tools);
  }
}

/** White space stays outside, because templates strip it, and so do thoughts. */
function withMark(message: ChatMessage, i: number): string {
  const { content } = message;
  const core = coreOf(message);
  const start =
    content.length - content.slice(message.role === 'assistant' ? afterThoughts(content) : 0).trimStart().length;
  const number = [...String(i)].map((digit) => String.fromCharCode(DIGITS + Number(digit))).join('');
  return `${content.slice(0, start)}${OPEN}${number}${core}${CLOSE}${content.slice(start + core.length)}`;
}

/** The number that a mark bears, if any, and where its text begins. */
function numberAt(marked: string, from: number): { number: number | null; end: number } {
  let digits = '';
  let end = from;
  for (;;) {
    const digit = marked.charCodeAt(end) - DIGITS;
    if (!(digit >= 0 && digit <= 9)) break;
    digits += digit;
    end++;
  }
  return { number: digits === '' ? null : Number(digits), end };
}

function messageOf(error: unknown): string {
  if (error instanceof RangeError) return 'The template is nested too deeply.';
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}

/** The `where` of errors that affect every conversation; for others it is "chat template". */
export const FAULTY_TEMPLATE = 'the whole chat template';

function runaway(details: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_model',
    message: 'The model’s chat template exceeded its limits and was stopped.',
    where: FAULTY_TEMPLATE,
    action: 'Choose another model, because this one’s template is faulty or malicious.',
    details,
  });
}

function badTemplate(message: string, details: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_model',
    message,
    where: 'chat template',
    action: 'Choose another model, or give this one a chat template that suits the data.',
    details,
  });
}

/**
 * The template with marks at the edges of its `{% generation %}` blocks. The Jinja library removes those tags before
 * parsing. This repeats its preprocessing with marks in their place, so that whitespace control sees the same text.
 * Null if there are no such tags.
 */
function withMarks(source: string): Program | null {
  const tag = /(\s*)\{%(-?)\s*(end)?generation\s*(-?)%\}(\s*)/g;
  if (!tag.test(source)) return null;
  const text = source
    .replace(/\n$/, '')
    .replace(/^[ \t]*(\{[#%-])/gm, '$1')
    .replace(/([#%-]\})\n/g, '$1')
    .replace(tag, (_, before: string, left: string, end: string | undefined, right: string, after: string) =>
      [left ? '' : before, end ? CLOSE : OPEN, right ? '' : after].join(''),
    );
  // tokenize() itself drops one newline at the end.
  return parse(tokenize(text.endsWith('\n') ? `${text}\n` : text));
}

/** A model's template: chat_template.jinja, or else the (default) one in tokenizer_config.json. */
export function templateSource(chatTemplate: string | null, tokenizerConfig: string | null): string | null {
  if (chatTemplate !== null && chatTemplate.trim() !== '') return chatTemplate;
  if (tokenizerConfig === null) return null;
  let config: unknown;
  try {
    config = parseUntrusted(tokenizerConfig.replace(/^\uFEFF/, ''));
  } catch {
    return null;
  }
  const found = (config as { chat_template?: unknown } | null)?.chat_template;
  if (typeof found === 'string') return found.trim() === '' ? null : found;
  if (!Array.isArray(found)) return null;
  const named = found.filter((t): t is { name?: string; template: string } => typeof t?.template === 'string');
  return (named.find((t) => t.name === 'default') ?? named[0])?.template ?? null;
}
