/** Two answers to one prompt and a column that says which is better. Only the better one is learned; ties are left out. */
import { type Choice, TabtuneError } from '../base/errors';
import type { ColumnSet, Mapping } from './column-set';
import { type ColumnProfile, wordsOf } from './columns';
import { parts, plainName } from './parts';
import { nameList } from './problems';
import { field, numberIn } from './raw-table';

const SIDES: Record<string, 0 | 1> = {
  a: 0,
  b: 1,
  '1': 0,
  '2': 1,
  '0': 0,
  left: 0,
  right: 1,
  first: 0,
  second: 1,
  one: 0,
  two: 1,
};
const PAIRS = [
  ['a', 'b'],
  ['0', '1'],
  ['1', '2'],
  ['left', 'right'],
  ['first', 'second'],
  ['one', 'two'],
];
const ANSWERS = new Set(
  [...parts.completion.names, ...parts.messages.names, 'model', 'generation', 'candidate', 'sol'].map(plainName),
);
const TIE = /tie|both|neither|equal|same|draw|none|unsure|^0\.5$/i;

interface Two {
  sides: readonly [ColumnProfile, ColumnProfile];
  ends: readonly [string, string];
}

/** response_a and response_b, answer1 and answer2, model_a_response and its like. */
function twoOf(profiles: readonly ColumnProfile[], isStem: (stem: string) => boolean): Two | null {
  const split = profiles.map((p) => {
    const words = wordsOf(p.name.replace(/([a-z])([12])$/i, '$1 $2'));
    return { p, words };
  });
  const found: Two[] = [];
  for (const [a, b] of PAIRS) {
    for (const { p, words } of split) {
      const at = words.lastIndexOf(a!);
      if (at === -1) continue;
      const rest = words.filter((_, i) => i !== at);
      if (rest.length === 0 || !isStem(rest.join(''))) continue;
      const other = split.find(
        ({ words: w }) =>
          w[at] === b && w.length === words.length && rest.every((x, i) => w.filter((_, j) => j !== at)[i] === x),
      );
      // Three or more are choices.
      const third = { b: 'c', '1': '2', '2': '3', second: 'third', two: 'three' }[b!];
      const more = split.some(({ words: w }) => w[at] === third && w.length === words.length && w[0] === words[0]);
      if (other && !more) found.push({ sides: [p, other.p], ends: [a!, b!] });
    }
  }
  // Beside the answers stand the names of the models that gave them.
  const size = ({ sides: [p] }: Two) => (p.turns > 0.5 ? Number.POSITIVE_INFINITY : p.meanLength);
  return found.length === 0 ? null : found.reduce((a, b) => (size(b) > size(a) ? b : a));
}

const isAnswerStem = (stem: string) =>
  ANSWERS.has(stem) || [...ANSWERS].some((name) => name.length > 4 && stem.includes(name));

/**
 * The two answers and the column that judges them. Throws a question if there are two answers and nothing that says which
 * is better. Null if there are no two.
 */
export function findTwoAnswers(name: string, columns: ColumnSet): Mapping | null {
  if (columns.isGiven('completion') || columns.isGiven('output') || columns.isGiven('answers')) return null;
  const free = columns.free.filter((p) => p.turns > 0.5 || p.textual);
  const two = twoOf(free, isAnswerStem);
  if (!two) return null;
  const [a, b] = two.sides;
  const answers = { 'answers.a': a.name, 'answers.b': b.name };
  const others = columns.all.filter((p) => p !== a && p !== b && p.filled > 0);
  const winner = others.find(
    (p) =>
      (parts.winner.names.includes(p.key) ||
        p.words.some((word) => /^(winner|preference|preferred|better|best|choice|vote)$/.test(word))) &&
      p.values !== null &&
      [...p.values.keys()].every((value) => sideOf(value, two.ends, [a.name, b.name]) !== null),
  );
  if (winner) return { ...answers, winner: winner.name };
  const scores = twoOf(
    others.filter((p) => p.numeric),
    (stem) => /score|rating|reward|votes|elo|rank/.test(stem),
  );
  if (scores) return { ...answers, 'score.a': scores.sides[0].name, 'score.b': scores.sides[1].name };
  throw new TabtuneError({
    code: 'bad_data',
    message: `Each row has two answers, ${nameList([a.name, b.name])}, and no column that says which is better.`,
    where: name,
    action: 'Choose the answer to learn, say which is better, or map the column that names the better one as “winner”.',
    choices: [
      ...[a, b].map((p) => ({
        label: `Learn “${p.name}”`,
        set: { 'dataset.columns': { ...columns.given, completion: p.name } },
      })),
      ...comparisons(columns.given, a.name, b.name),
    ],
  });
}

/** Answers to the question which of two columns holds the better answers. */
export const comparisons = (given: Readonly<Record<string, string>>, a: string, b: string): Choice[] =>
  [
    [a, b],
    [b, a],
  ].map(([chosen, rejected]) => ({
    label: `Compare them: “${chosen}” is better`,
    set: { 'dataset.columns': { ...given, chosen: chosen!, rejected: rejected! } },
  }));

/** 0 or 1 for the better answer, 'tie', or null for a value that is none of these. */
function sideOf(value: unknown, ends: readonly string[], names: readonly string[]): 0 | 1 | 'tie' | null {
  const text = String(value ?? '').trim();
  if (text === '') return 'tie';
  const at = names.findIndex((name) => plainName(name) === plainName(text));
  if (at !== -1) return at as 0 | 1;
  const words = wordsOf(text.replace(/([a-z])([12])$/i, '$1 $2'));
  const own = words.findLast((word) => ends.includes(word));
  if (own !== undefined) return ends.indexOf(own) as 0 | 1;
  if (TIE.test(text)) return 'tie';
  // "a" beside answer_1 and answer_2; 0 beside response_a is of unclear meaning.
  const last = words.at(-1) ?? '';
  return /^(a|b|left|right|first|second)$/.test(last) ? SIDES[last]! : null;
}

/** The column of a row's better answer; null for a tie. */
export function betterOf(value: Record<string, unknown>, mapping: Mapping): string | null {
  const names = [mapping['answers.a']!, mapping['answers.b']!];
  if (mapping.winner === undefined) {
    const [a, b] = [numberIn(value, mapping['score.a']), numberIn(value, mapping['score.b'])];
    if (!Number.isFinite(a) || !Number.isFinite(b) || a === b) return null;
    const lowerIsBetter = /rank/i.test(mapping['score.a']!);
    return a > b !== lowerIsBetter ? names[0]! : names[1]!;
  }
  const ends = endsOf(names[0]!, names[1]!);
  const side = sideOf(field(value, mapping.winner), ends, names);
  return side === 0 || side === 1 ? names[side]! : null;
}

function endsOf(a: string, b: string): readonly string[] {
  const [x, y] = [a, b].map((name) => wordsOf(name.replace(/([a-z])([12])$/i, '$1 $2')));
  const at = x!.findIndex((word, i) => word !== y![i]);
  return [x![at] ?? '', y![at] ?? ''];
}
