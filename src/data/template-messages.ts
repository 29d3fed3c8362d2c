/** Messages as a chat template's code gets them: thoughts in the field that it reads, and what it would strip set aside. */
import type { ChatMessage } from './types';

/** Templates read other fields too, such as reasoning_content and tool_calls. */
export interface GivenMessage {
  role: string;
  content: string;
  [field: string]: unknown;
}

/** What a template does with something: writes it, leaves it out without a word, or raises an error. */
export type Reception = 'written' | 'dropped' | 'refused';

/** How answers are given to a template. */
export interface AnswerFacts {
  thoughts: {
    /**
     * `field`: in `field` of the message, which this template reads. `inline`: as <think>…</think> before the answer.
     * `spliced`: likewise, but put in after rendering, because the template strips them from every answer.
     */
    how: 'field' | 'inline' | 'spliced';
    field: string | null;
    /** Thoughts of answers that have another question after them. */
    earlier: Reception;
  };
  /** Whether the spaces before the first line of an answer are kept. */
  indents: boolean;
}

/** Stands, with a number between two of them, for text that is put in after rendering. */
const SPLICE = '\uE0F2';
const DIGITS = 0xe0e0;
const SPLICED = /\uE0F2([\uE0E0-\uE0E9]+)\uE0F2/g;

const THOUGHTS = /^\s*<think>([\s\S]*?)<\/think>/;
/** The usual form, which Qwen3's and SmolLM3's templates write. */
export const inThoughts = (thoughts: string) => `<think>\n${thoughts.trim()}\n</think>\n\n`;

/** The thoughts of an answer, wherever they are; empty if there are none. */
export function thoughtsOf({ role, content, thoughts }: ChatMessage): string {
  if (role !== 'assistant') return '';
  return (thoughts?.trim() || THOUGHTS.exec(content)?.[1]?.trim()) ?? '';
}

/**
 * The indentation of a text's first line if it is that of code: a tab, four spaces, or two where more lines follow. A
 * single space before an answer is a habit of completion datasets, and no part of it.
 */
function codeIndent(text: string): string {
  const indent = /^(?:[ \t]*\r?\n)*([ \t]+)\S/.exec(text)?.[1] ?? '';
  if (indent.includes('\t') || indent.length >= 4) return indent;
  return indent.length >= 2 && /\n[ \t]*\S/.test(text.trimStart()) ? indent : '';
}

/** Without the white space around it, except for the first indentation of code. */
export const trimmed = (text: string) => codeIndent(text) + text.trim();

/** Whether givenMessages has to know the template's facts. */
export const needsFacts = (message: ChatMessage) =>
  message.role === 'assistant' && (thoughtsOf(message) !== '' || codeIndent(message.content) !== '');

/** The messages for a template's code, and the texts that `splice` puts into what it gives. */
export function givenMessages(
  messages: readonly ChatMessage[],
  facts: AnswerFacts | null,
): { given: GivenMessage[]; spliced: string[] } {
  const spliced: string[] = [];
  const set = (text: string) => {
    spliced.push(text);
    const number = [...String(spliced.length - 1)].map((digit) => String.fromCharCode(DIGITS + Number(digit)));
    return SPLICE + number.join('') + SPLICE;
  };
  const lastQuestion = messages.findLastIndex(({ role }) => role === 'user');
  const given = messages.map((message, i): GivenMessage => {
    const { role, content, thoughts } = message;
    if (!facts || !needsFacts(message)) return { role, content };
    const { how, field } = facts.thoughts;
    const found = thoughtsOf(message);
    if (found === '' || (how !== 'spliced' && !thoughts?.trim())) {
      return { role, content: facts.indents ? content : indentSetAside(content, set) };
    }
    const answer = thoughts?.trim() ? content : content.replace(THOUGHTS, '').trimStart();
    if (how === 'field' && field !== null) return { role, content: answer, [field]: thoughts };
    const block = inThoughts(found);
    if (how === 'inline') return { role, content: block + answer };
    return { role, content: i > lastQuestion ? set(block) + answer : answer };
  });
  return { given, spliced };
}

function indentSetAside(content: string, set: (text: string) => string): string {
  const indent = codeIndent(content);
  return indent === '' ? content : set(indent) + content.trimStart();
}

/** Puts in what was set aside. */
export function splice(text: string, spliced: readonly string[]): string {
  if (spliced.length === 0) return text;
  return text.replace(SPLICED, (whole, digits: string) => {
    const number = Number([...digits].map((digit) => digit.charCodeAt(0) - DIGITS).join(''));
    return spliced[number] ?? whole;
  });
}
