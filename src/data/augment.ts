/**
 * New training examples from old ones, by changes that a text survives: random swap and random deletion of words ("EDA", Wei and
 * Zou, 2019), typing mistakes ("Synthetic and natural noise", Belinkov and Bisk, 2018), and case and signs. What is answered or
 * labelled stays as it is. Everything is a function of (seed, example, copy).
 */
import { Stream, uniform } from '../base/random';
import type { Example } from './types';

export const augmentations = ['swap', 'delete', 'typos', 'case'] as const;
export type Augmentation = (typeof augmentations)[number];

export interface AugmentOptions {
  /** One of them is drawn for each copy. */
  kinds: readonly Augmentation[];
  /** Share of the words that are changed; at least one of a text is. */
  share: number;
  /** New examples for each old one. */
  copies: number;
  seed: number;
}

export interface Augmented {
  /** Example.row of the old one. */
  row: number;
  kind: Augmentation;
  before: string;
  after: string;
}

/** Random numbers of one copy of one example. */
function drawer(seed: number, row: number, copy: number) {
  let counter = 0;
  return (n: number) => Math.floor(uniform(seed, Stream.augment, (copy * 2 ** 20 + counter++) >>> 0, row) * n);
}
type Draw = ReturnType<typeof drawer>;

/** Neighbours on a keyboard; a letter that is none is doubled instead. */
const NEAR: Record<string, string> = Object.fromEntries(
  ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'].flatMap((row) =>
    [...row].map((letter, i) => [letter, (row[i - 1] ?? '') + (row[i + 1] ?? '')]),
  ),
);

function mistyped(word: string, draw: Draw): string {
  const letters = [...word];
  const at = draw(letters.length);
  const letter = letters[at]!;
  switch (draw(4)) {
    case 0:
      if (letters.length > 1) {
        const other = at === letters.length - 1 ? at - 1 : at + 1;
        [letters[at], letters[other]] = [letters[other]!, letter];
      }
      break;
    case 1:
      if (letters.length > 2) letters.splice(at, 1);
      break;
    case 2:
      letters.splice(at, 0, letter);
      break;
    default: {
      const near = NEAR[letter.toLowerCase()];
      letters[at] = near ? near[draw(near.length)]! : letter + letter;
    }
  }
  return letters.join('');
}

/** A text with some of its words changed; spaces and line breaks stay. Null if it has too few words for that. */
export function augmentText(text: string, kind: Augmentation, share: number, draw: Draw): string | null {
  // Words at even places, what is between them at odd ones.
  const parts = text.split(/(\s+)/);
  const words = parts.flatMap((part, i) => (i % 2 === 0 && part !== '' ? [i] : []));
  const changes = Math.max(1, Math.round(share * words.length));
  const any = () => words[draw(words.length)]!;
  switch (kind) {
    case 'swap': {
      if (words.length < 2) return null;
      for (let n = 0; n < changes; n++) {
        const [a, b] = [any(), any()];
        [parts[a], parts[b]] = [parts[b]!, parts[a]!];
      }
      break;
    }
    case 'delete': {
      if (words.length < 3) return null;
      const gone = new Set<number>();
      while (gone.size < Math.min(changes, words.length - 2)) gone.add(any());
      for (const at of gone) {
        parts[at] = '';
        // With the space before it, or after the first word.
        if (at > 0) parts[at - 1] = '';
        else if (parts.length > 1) parts[1] = '';
      }
      break;
    }
    case 'typos': {
      if (words.length === 0) return null;
      for (let n = 0; n < changes; n++) {
        const at = any();
        parts[at] = mistyped(parts[at]!, draw);
      }
      break;
    }
    case 'case': {
      const plain = text.replace(/[.,;:!?…]+(?=\s|$)/gu, '');
      const ways = [text.toLowerCase(), plain, plain.toLowerCase(), text.toUpperCase()].filter((way) => way !== text);
      return ways.length === 0 ? null : ways[draw(ways.length)]!;
    }
  }
  const changed = parts.join('');
  return changed === text ? null : changed;
}

/** What is changed of an example: what is read, never what is learned. Null for kinds that have no such text. */
export function augmentable(example: Example): string | null {
  if (example.kind === 'labelled') return example.text;
  return example.kind === 'prompt_completion' ? example.prompt : null;
}

/** Up to `copies` new texts of an example, each different from it and from each other. */
export function augment(example: Example, { kinds, share, copies, seed }: AugmentOptions): Augmented[] {
  const before = augmentable(example);
  if (before === null || kinds.length === 0) return [];
  const seen = new Set([before]);
  const made: Augmented[] = [];
  for (let copy = 0; copy < copies; copy++) {
    const draw = drawer(seed, example.row, copy);
    // Another try, since swapping a word with itself changes nothing.
    for (let attempt = 0; attempt < 8; attempt++) {
      const kind = kinds[draw(kinds.length)]!;
      const after = augmentText(before, kind, share, draw);
      if (after === null || after.trim() === '' || seen.has(after)) continue;
      seen.add(after);
      made.push({ row: example.row, kind, before, after });
      break;
    }
  }
  return made;
}

/**
 * The lines of a JSON Lines file: every example with its side of the split, and the new ones behind the example that they are
 * made of, always on the training side, with where they are from.
 */
export function* augmentedLines(
  examples: readonly Example[],
  heldOut: ReadonlySet<number>,
  options: AugmentOptions,
): Generator<string> {
  const several = examples.some(
    ({ kind, ...rest }) =>
      kind === 'labelled' && 'labels' in rest && Array.isArray(rest.labels) && rest.labels.length !== 1,
  );
  for (const example of examples) {
    const split = heldOut.has(example.row) ? 'validation' : 'train';
    const columns =
      example.kind === 'labelled'
        ? (text: string) => ({ text, label: labelIn(example, several) })
        : example.kind === 'prompt_completion'
          ? (prompt: string) => ({ prompt, completion: example.completion })
          : null;
    const before = augmentable(example);
    if (columns === null || before === null) continue;
    yield JSON.stringify({ ...columns(before), split, augmented_from_row: null, augmentation: null });
    if (split === 'validation') continue;
    for (const { after, kind, row } of augment(example, options)) {
      yield JSON.stringify({ ...columns(after), split, augmented_from_row: row, augmentation: kind });
    }
  }
}

/** As the column is read again: a list if any row has several labels. */
function labelIn(example: Extract<Example, { kind: 'labelled' }>, several: boolean): string | string[] | number {
  if (typeof example.labels === 'number') return example.labels;
  return several ? example.labels : (example.labels[0] ?? '');
}
