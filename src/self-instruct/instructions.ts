/** From a model's answer to new instructions, and the filters that the paper's code has for them. */
import type { InstructionFilter } from './types';

/** A list goes on with the next number after a line break. */
const NEXT = /\n\p{Nd}+\s?\. /u;

/** The instructions in an answer that continues a numbered list: on one line each, and with a capital first letter. */
export function splitInstructions(answer: string): string[] {
  return answer
    .split(NEXT)
    .map((one) => capitalised(one.replace(/\s+/g, ' ').trim()))
    .filter((one) => one !== '');
}

/** Python's capitalize() also makes the rest small, which would cost every name its capital. No filter sees the difference. */
function capitalised(text: string): string {
  const [first = ''] = text;
  return first.toUpperCase() + text.slice(first.length);
}

const LEAST_WORDS = 4;
const MOST_WORDS = 150;
/** Tasks that a model of text cannot do. */
const WORD_LIST = [
  ...['image', 'images', 'graph', 'graphs', 'picture', 'pictures', 'file', 'files', 'map', 'maps'],
  ...['draw', 'plot', 'go to'],
];
/** Whole words; as in Python, letters of every alphabet count. */
const LISTED = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${WORD_LIST.join('|')})(?![\\p{L}\\p{N}_])`, 'iu');
const PROGRAM = 'write a program';
/** Python's string.punctuation. */
const PUNCTUATION = /^[!-/:-@[-`{-~]/;

/** The first filter that an instruction does not pass, without the one that compares it with others; null if it passes all. */
export function refusedBy(instruction: string): Exclude<InstructionFilter, 'cut' | 'similar'> | null {
  const words = instruction.split(/\s+/).filter((word) => word !== '').length;
  if (words < LEAST_WORDS) return 'too_short';
  if (words > MOST_WORDS) return 'too_long';
  if (LISTED.test(instruction)) return 'word_list';
  if (instruction.toLowerCase().startsWith(PROGRAM)) return 'write_a_program';
  if (PUNCTUATION.test(instruction)) return 'punctuation';
  return instruction.codePointAt(0)! > 127 ? 'not_ascii' : null;
}

export interface Cut {
  text: string;
  stopped: boolean;
}

/** An answer up to the first of these texts. */
export function cutAt(answer: string, stops: readonly string[]): Cut {
  const at = stops.map((stop) => answer.indexOf(stop)).filter((index) => index >= 0);
  return at.length === 0 ? { text: answer, stopped: false } : { text: answer.slice(0, Math.min(...at)), stopped: true };
}
