/**
 * Chat templates: Jinja programs that come with a model and say how a conversation is written for it. They are
 * strangers' code: capped in size and in output here, and run only in a worker that is killed on a deadline.
 */
import { parse, tokenize } from '@huggingface/jinja';
import { TabtuneError } from '../base/errors';
import { type Program, parseTemplate, RunawayTemplate, runTemplate } from './jinja';
import type { SpecialTokens } from './tokenizer';
import { MAX_TEMPLATE_BYTES } from './tokenizer-files';
import type { ChatMessage } from './types';

/** Looking for tags takes the square of such a run's length. */
const LONG_SPACE = /\s{1000}/;
/** Beside what the conversation itself has. */
const MAX_RENDERED_CHARS = 2 ** 20;

/** Private-use letters that mark places in the output. */
const OPEN = '\uE0F0';
const CLOSE = '\uE0F1';

/** A half-open range of UTF-16 positions in a rendered text. */
export type Span = [start: number, end: number];

/**
 * For models that were never taught to chat and bring no template. Plain words, since such a model has no special
 * tokens for roles; EOS ends an answer. The space after "Assistant:" belongs to the answer, as BPE vocabularies join
 * a space to the word behind it.
 */
export const PLAIN_CHAT_TEMPLATE =
  "{% for message in messages %}{% if not loop.first %}{{ '\\n\\n' }}{% endif %}" +
  "{% if message.role == 'assistant' %}{{ 'Assistant: ' + message.content }}{% if eos_token %}{{ eos_token }}{% endif %}" +
  "{% elif message.role == 'user' %}{{ 'User: ' + message.content }}" +
  "{% elif message.role == 'tool' %}{{ 'Tool: ' + message.content }}" +
  '{% else %}{{ message.content }}{% endif %}{% endfor %}' +
  "{% if add_generation_prompt %}{{ '\\n\\nAssistant:' }}{% endif %}";

export class ChatTemplate {
  private readonly template: Program;
  private readonly marked: Program | null;

  /** Throws bad_model when the template is too large or not Jinja. */
  constructor(
    source: string,
    private readonly special: SpecialTokens,
  ) {
    const bytes = new TextEncoder().encode(source).length;
    if (bytes > MAX_TEMPLATE_BYTES) {
      throw badTemplate(
        'This model’s chat template is too large to be trusted.',
        `${bytes} bytes, the limit is ${MAX_TEMPLATE_BYTES}`,
      );
    }
    if (LONG_SPACE.test(source)) {
      throw badTemplate('This model’s chat template cannot be read.', 'It has a thousand spaces in a row.');
    }
    try {
      this.template = parseTemplate(source);
      this.marked = withMarks(source);
    } catch (error) {
      throw badTemplate('This model’s chat template cannot be read.', messageOf(error));
    }
  }

  /**
   * The conversation as the model reads it; with `addGenerationPrompt`, up to where its answer begins.
   * Throws bad_model with the template's own words when it refuses the conversation (`raise_exception`).
   */
  render(messages: readonly ChatMessage[], addGenerationPrompt: boolean): string {
    return this.run(this.template, messages, addGenerationPrompt);
  }

  /**
   * The ranges inside `{% generation %}` blocks of the rendered conversation, one for each block; null when the
   * template has no such blocks (most have none) or when marking them changes the text.
   */
  generationSpans(messages: readonly ChatMessage[], rendered: string): Span[] | null {
    return this.marked && this.marks(this.marked, messages, rendered);
  }

  /** The ranges of the texts of the messages at `indices`; null when marking them changes the text around them. */
  contentSpans(messages: readonly ChatMessage[], indices: readonly number[], rendered: string): Span[] | null {
    const marked = messages.map((m, i) => (indices.includes(i) ? { ...m, content: OPEN + m.content + CLOSE } : m));
    return this.marks(this.template, marked, rendered);
  }

  /**
   * What stands before an answer (the generation prompt) and behind it (the end of turn), where a trial conversation
   * has the same around both of its answers; else null.
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
      // Without a generation prompt there is nothing to recognise an answer's beginning by.
      return same && before !== '' ? { before, behind } : null;
    } catch {
      return null;
    }
  }

  /** Marked ranges of a rendering that is `rendered` but for the marks. */
  private marks(template: Program, messages: readonly ChatMessage[], rendered: string): Span[] | null {
    if (rendered.includes(OPEN) || rendered.includes(CLOSE)) return null;
    let marked: string;
    try {
      marked = this.run(template, messages, false);
    } catch {
      return null;
    }
    const spans: Span[] = [];
    let plain = '';
    let at = 0;
    for (let open = marked.indexOf(OPEN); open !== -1; open = marked.indexOf(OPEN, at)) {
      const close = marked.indexOf(CLOSE, open);
      if (close === -1) return null;
      plain += marked.slice(at, open);
      const start = plain.length;
      plain += marked.slice(open + 1, close);
      if (plain.length > start) spans.push([start, plain.length]);
      at = close + 1;
    }
    return plain + marked.slice(at) === rendered ? spans : null;
  }

  private run(template: Program, messages: readonly ChatMessage[], addGenerationPrompt: boolean): string {
    let text: string;
    try {
      text = runTemplate(template, {
        messages: messages.map(({ role, content }) => ({ role, content })),
        add_generation_prompt: addGenerationPrompt,
        // As transformers passes them: defined, but none.
        tools: null,
        documents: null,
        ...this.special,
      });
    } catch (error) {
      if (error instanceof RunawayTemplate) throw runaway(error.message);
      throw badTemplate('The model’s chat template refuses this conversation.', messageOf(error));
    }
    const letters = messages.reduce((sum, { content }) => sum + content.length, 0);
    if (text.length > MAX_RENDERED_CHARS + 4 * letters) throw runaway(`It writes ${text.length} letters.`);
    return text;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof RangeError) return 'The template is nested too deeply.';
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}

/** Where the error concerns the template whatever the conversation; else "chat template". */
export const FAULTY_TEMPLATE = 'the whole chat template';

function runaway(details: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_model',
    message: 'The model’s chat template runs away, and was stopped.',
    where: FAULTY_TEMPLATE,
    action: 'Choose another model: this one’s template is faulty or malicious.',
    details,
  });
}

function badTemplate(message: string, details: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_model',
    message,
    where: 'chat template',
    action: 'Choose another model, or a template that fits the data.',
    details,
  });
}

/**
 * The template with marks at the edges of its `{% generation %}` blocks. The Jinja library removes those tags before
 * parsing; the same preprocessing is done here with the marks left in their place, so that whitespace control sees
 * the same text. Null when there are no such tags.
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
  // tokenize() drops one newline at the end by itself.
  return parse(tokenize(text.endsWith('\n') ? `${text}\n` : text));
}

/** The template of a model's files: chat_template.jinja, else tokenizer_config.json's, by name where it has several. */
export function templateSource(chatTemplate: string | null, tokenizerConfig: string | null): string | null {
  if (chatTemplate !== null && chatTemplate.trim() !== '') return chatTemplate;
  if (tokenizerConfig === null) return null;
  let config: unknown;
  try {
    config = JSON.parse(tokenizerConfig.replace(/^\uFEFF/, ''));
  } catch {
    return null;
  }
  const found = (config as { chat_template?: unknown } | null)?.chat_template;
  if (typeof found === 'string') return found.trim() === '' ? null : found;
  if (!Array.isArray(found)) return null;
  const named = found.filter((t): t is { name?: string; template: string } => typeof t?.template === 'string');
  return (named.find((t) => t.name === 'default') ?? named[0])?.template ?? null;
}
