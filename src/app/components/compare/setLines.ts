/**
 * A set of prompts as people write it: a prompt a line, its answer after `=>` or, pasted from a spreadsheet, after a tab; what does
 * not fit on a line is JSON.
 */

import type { KeptPrompt } from '../../../session/comparison-types';
import { parsePromptSet, promptSetText } from '../../../session/prompt-sets';

const ARROW = ' => ';
const plain = (part: string) => !/[\t\r\n]|=>/.test(part) && part.trim() === part && !part.startsWith('{');

export const linesOf = (prompts: readonly KeptPrompt[]): string =>
  prompts
    .map((prompt) => {
      const { text, system, expected } = prompt;
      if (system !== undefined || !plain(text) || (expected !== undefined && !plain(expected))) {
        return promptSetText([prompt]).trimEnd();
      }
      return expected === undefined ? text : text + ARROW + expected;
    })
    .join('\n');

/** Throws bad_data for a line of JSON that is none. */
export function promptsIn(lines: string, name: string): KeptPrompt[] {
  return lines.split(/\r?\n/).flatMap((line): KeptPrompt[] => {
    if (line.trim() === '') return [];
    if (line.trimStart().startsWith('{')) return parsePromptSet(line, name);
    const [, text = '', expected = ''] = /^(.*?)(?:\t|\s=>\s)(.*)$/.exec(line)?.map((part) => part.trim()) ?? [
      '',
      line.trim(),
    ];
    return [{ text, ...(expected === '' ? {} : { expected }) }].filter((one) => one.text !== '');
  });
}
