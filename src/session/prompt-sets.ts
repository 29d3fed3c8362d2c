/**
 * Sets of prompts, kept as JSONL files: one prompt a line, `{"prompt": …, "system": …, "reference": …}`, where the last two
 * may be left out. The same text is what is exported and imported.
 */
import { TabtuneError } from '../base/errors';
import { deleteFile, listFiles, putFile, readFile } from '../storage/files';
import type { KeptPrompt, PromptSet } from './comparison-types';
import { storedName } from './stored-name';

/** Enough for any list that a person reads; a dataset belongs on the Data page. */
export const MOST_PROMPTS = 1000;

/** Names that other tools give to the answer. */
const REFERENCES = ['reference', 'expected', 'answer', 'completion', 'response', 'output'];
const PROMPTS = ['prompt', 'question', 'instruction', 'input', 'text'];

export const promptSetText = (prompts: readonly KeptPrompt[]): string =>
  prompts
    .map(({ text, system, expected }) => `${JSON.stringify({ prompt: text, system, reference: expected })}\n`)
    .join('');

/** A line may also be a JSON string, which is a prompt alone. Throws bad_data with the line. */
export function parsePromptSet(text: string, file: string): KeptPrompt[] {
  const prompts: KeptPrompt[] = [];
  for (const [i, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() !== '') prompts.push(promptIn(line, `${file}, line ${i + 1}`));
  }
  if (prompts.length === 0) throw bad('There is no prompt in this file.', file);
  if (prompts.length > MOST_PROMPTS) {
    throw bad(`This file has ${prompts.length} prompts, and a set holds at most ${MOST_PROMPTS}.`, file);
  }
  return prompts;
}

function promptIn(line: string, where: string): KeptPrompt {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw bad('This line is not JSON.', where);
  }
  if (typeof value === 'string') return checked(value, undefined, undefined, where);
  if (typeof value !== 'object' || value === null) throw bad('This line is neither an object nor a string.', where);
  const fields = value as Record<string, unknown>;
  const of = (names: readonly string[]) =>
    names.map((name) => fields[name]).find((one) => one !== undefined && one !== null);
  return checked(of(PROMPTS), of(['system']), of(REFERENCES), where);
}

function checked(text: unknown, system: unknown, expected: unknown, where: string): KeptPrompt {
  if (typeof text !== 'string' || text.trim() === '') throw bad('This line has no prompt.', where);
  for (const [name, one] of [
    ['system', system],
    ['reference', expected],
  ] as const) {
    if (one !== undefined && typeof one !== 'string') throw bad(`The ${name} of this line is not text.`, where);
  }
  return {
    text,
    ...(typeof system === 'string' && system !== '' ? { system } : {}),
    ...(typeof expected === 'string' ? { expected } : {}),
  };
}

const bad = (message: string, where: string) =>
  new TabtuneError({
    code: 'bad_data',
    message,
    where,
    action: 'Write one prompt a line: {"prompt": "…", "reference": "…"}. The reference may be left out.',
  });

const FOLDER = 'prompts';
const ENDING = '.jsonl';
/** A name that is one part of a path. */
const nameOf = (name: string) => storedName(name.slice(0, 80), 'prompts');
const idOf = (name: string) => `${FOLDER}/${nameOf(name)}${ENDING}`;

export async function listPromptSets(): Promise<PromptSet[]> {
  const sets: PromptSet[] = [];
  for (const { id, name } of await listFiles(FOLDER)) {
    const text = new TextDecoder().decode(await readFile(id));
    // A set without prompts is kept while it is being written.
    sets.push({ name: name.slice(0, -ENDING.length), prompts: text.trim() === '' ? [] : parsePromptSet(text, name) });
  }
  return sets.sort((a, b) => a.name.localeCompare(b.name));
}

export async function savePromptSet({ name, prompts }: PromptSet): Promise<string> {
  await putFile(idOf(name), new TextEncoder().encode(promptSetText(prompts)));
  return nameOf(name);
}

export const deletePromptSet = (name: string): Promise<void> => deleteFile(idOf(name));
