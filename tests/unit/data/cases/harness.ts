/**
 * Tests of reading by input and expectation, without the parsers' own words: a file, and what a person who knows it would say
 * is asked and answered in it. A case passes if the file is read right, asked about, or refused for the cause, as far as
 * the case allows each; anything else is a silent wrong read.
 */
import { expect, test } from 'vitest';
import { TabtuneError } from '../../../../src/base/errors';
import { preferenceParts, shownTurns } from '../../../../src/data/preference-parts';
import type { Example, ParsedDataset } from '../../../../src/data/types';
import { settingsOf } from '../../../../src/inspect/options';
import { readingOf } from '../../../../src/recipe/sections';
import type { DatasetSection } from '../../../../src/recipe/types';
import { createDataApi } from '../../../../src/workers/data/service';

/**
 * s: system, u: user or prompt, a: learned answer, -a: an answer that is only read, th: learned thoughts, t: tool, x: plain text,
 * c: text to classify, l: its labels (joined by “ + ”), w: words, g: their tags, +a: the better of two answers, ~a: the worse,
 * !a: a bad answer, k: a prompt's further columns.
 */
export type Role = 's' | 'u' | 'a' | '-a' | 'th' | 't' | 'x' | 'c' | 'l' | 'w' | 'g' | '+a' | '~a' | '!a' | 'k';
/** The text itself, or several texts that must all be in it, in any order. */
export type Turn = readonly [Role, string | readonly string[]];
export type Rows = readonly (readonly Turn[])[];

/** One way in which a case may end. */
export type Ending =
  | { gives: Rows; says?: RegExp }
  | { asks: RegExp; then?: Rows }
  | { refuses: RegExp }
  /** Whatever is read: a warning names the doubt, and nothing of `never` is learned. */
  | { says: RegExp; never?: readonly string[] };

export interface Case {
  name: string;
  file: string;
  content: string | Uint8Array;
  /** Fields of the recipe's dataset, as text. */
  given?: Record<string, string>;
  ends: Ending | readonly Ending[];
}

export const gives = (rows: Rows, says?: RegExp): Ending => (says ? { gives: rows, says } : { gives: rows });
export const asks = (what: RegExp, then?: Rows): Ending => (then ? { asks: what, then } : { asks: what });
export const refuses = (why: RegExp): Ending => ({ refuses: why });
export const says = (what: RegExp, never: readonly string[] = []): Ending => ({ says: what, never });

export const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
export const pairs = (count: number, prompt: (i: number) => string, answer: (i: number) => string): Rows =>
  times(count, (i) => [
    ['u', prompt(i)],
    ['a', answer(i)],
  ]);
/** Prompts with a better and a worse answer each. */
export const compared = (
  count: number,
  prompt: (i: number) => string,
  better: (i: number) => string,
  worse: (i: number) => string,
): Rows =>
  times(count, (i) => [
    ['u', prompt(i)],
    ['+a', better(i)],
    ['~a', worse(i)],
  ]);
export const lines = (...rows: readonly string[]): string => `${rows.join('\n')}\n`;
export const jsonLines = (rows: readonly unknown[]): string => lines(...rows.map((row) => JSON.stringify(row)));

export type Outcome = { dataset: ParsedDataset; error: null } | { dataset: null; error: TabtuneError };

const bytesOf = (content: string | Uint8Array): ArrayBuffer =>
  (typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content)).buffer as ArrayBuffer;

/** Reads a file as the data worker does. Anything thrown that is no TabtuneError is a bug and fails the test. */
export async function read(
  file: string,
  content: string | Uint8Array,
  given: Record<string, string> = {},
  changes: Partial<DatasetSection> = {},
): Promise<Outcome> {
  try {
    const section = { ...settingsOf(file, given).dataset, ...changes };
    return { dataset: await createDataApi().parse(file, bytesOf(content), readingOf(section)), error: null };
  } catch (error) {
    if (error instanceof TabtuneError && error.code !== 'internal') return { dataset: null, error };
    throw error;
  }
}

const PREFERENCE_ROLES = { prompt: 'u', chosen: '+a', rejected: '~a', completion: 'a' } as const;

function preferenceTurns(example: Parameters<typeof preferenceParts>[0]): [Role, string][] {
  return preferenceParts(example).map(({ part, turns }) => [PREFERENCE_ROLES[part], shownTurns(turns)]);
}

/** An example as the turns of the notation above. */
export function turnsOf(example: Example): [Role, string][] {
  switch (example.kind) {
    case 'messages':
      return example.messages.flatMap((message) => {
        const { role, content, train } = message;
        if (role !== 'assistant') return [[({ system: 's', user: 'u', tool: 't' } as const)[role], content]];
        const written = /^<think>\n?([\s\S]*?)\n?<\/think>\s*([\s\S]*)$/.exec(content);
        const thoughts = (message as { thoughts?: string }).thoughts ?? written?.[1];
        const answer: [Role, string] = [train === false ? '-a' : 'a', written?.[2] ?? content];
        return thoughts ? [['th', thoughts], answer] : [answer];
      });
    case 'prompt_completion':
      return [
        ['u', example.prompt],
        ['a', example.completion],
      ];
    case 'text':
      return [['x', example.text]];
    case 'labelled': {
      const { labels } = example;
      return [
        ['c', example.text],
        ['l', typeof labels === 'number' ? String(labels) : labels.join(' + ')],
      ];
    }
    case 'tagged':
      return [
        ['w', example.tokens.join(' ')],
        ['g', example.tags.join(' ')],
      ];
    case 'pair':
      return preferenceTurns(example);
    case 'judged':
      return preferenceTurns(example).map(([role, text]) => [role === 'a' && !example.good ? '!a' : role, text]);
    case 'prompt':
      return [...preferenceTurns(example), ['k', JSON.stringify(example.columns)]];
  }
  example satisfies never;
}

export function fits(found: readonly [Role, string][], wanted: readonly Turn[]): boolean {
  return (
    found.length === wanted.length &&
    wanted.every(([role, text], i) => {
      const [foundRole, foundText] = found[i]!;
      if (role !== foundRole) return false;
      return typeof text === 'string' ? text === foundText : text.every((part) => foundText.includes(part));
    })
  );
}

export const isRead = ({ examples }: ParsedDataset, rows: Rows): boolean =>
  examples.length === rows.length && rows.every((row, i) => fits(turnsOf(examples[i]!), row));

/** All that is told about a dataset. */
export function said(dataset: ParsedDataset): string {
  const { detected, problems } = dataset;
  const uses = (dataset as { uses?: unknown }).uses;
  return [detected, JSON.stringify(uses ?? ''), ...problems.map((p) => `${p.message} ${p.action}`)].join('\n');
}

const learned = ({ examples }: ParsedDataset): string =>
  examples
    .flatMap(turnsOf)
    .filter(([role]) => ['a', 'th', 'x', 'l', 'g'].includes(role))
    .map(([, text]) => text)
    .join('\n');

/** The fields that an answer sets, as changes of the dataset's section. */
export function sectionOf(set: Record<string, unknown>): Partial<DatasetSection> {
  return Object.fromEntries(
    Object.entries(set)
      .filter(([path]) => path.startsWith('dataset.'))
      .map(([path, value]) => [path.slice('dataset.'.length), value]),
  ) as Partial<DatasetSection>;
}

async function endsSo(ending: Ending, outcome: Outcome, { file, content, given }: Case): Promise<boolean> {
  const { dataset, error } = outcome;
  if ('gives' in ending) {
    return dataset !== null && isRead(dataset, ending.gives) && (!ending.says || ending.says.test(said(dataset)));
  }
  if ('refuses' in ending) return error !== null && !error.choices?.length && ending.refuses.test(whole(error));
  if ('says' in ending) {
    const text = dataset && learned(dataset);
    return text !== null && ending.says.test(said(dataset!)) && !ending.never?.some((word) => text.includes(word));
  }
  if (!error?.choices?.length || !ending.asks.test(whole(error))) return false;
  if (!ending.then) return true;
  for (const { set } of error.choices) {
    const answered = await read(file, content, given, sectionOf(set));
    if (answered.dataset && isRead(answered.dataset, ending.then)) return true;
  }
  return false;
}

const whole = (error: TabtuneError): string => `${error.toLine()} ${error.details ?? ''}`;

/** What came, in a form that a person can judge. */
function shown({ dataset, error }: Outcome) {
  if (error) return { error: error.toLine(), details: error.details };
  const { examples, totalRows } = dataset;
  return { examples: examples.slice(0, 4).map(turnsOf), count: examples.length, totalRows, said: said(dataset) };
}

const asText = (ending: Ending): string =>
  JSON.stringify(ending, (key, value) =>
    value instanceof RegExp
      ? String(value)
      : key === 'gives' || key === 'then'
        ? [value.length, ...value.slice(0, 3)]
        : value,
  );

export function check(cases: readonly Case[]): void {
  for (const one of cases) {
    test(one.name, async () => {
      const outcome = await read(one.file, one.content, one.given);
      const endings = [one.ends].flat() as Ending[];
      for (const ending of endings) if (await endsSo(ending, outcome, one)) return;
      expect.fail(`came: ${JSON.stringify(shown(outcome))}\nmay be: ${endings.map(asText).join('\nor: ')}`);
    });
  }
}
