import { describe, expect, it } from 'vitest';
import {
  type Augmentation,
  type AugmentOptions,
  augment,
  augmentations,
  augmentedLines,
} from '../../../src/data/augment';
import type { Example } from '../../../src/data/types';
import { parse } from './helpers';

const labelled = (row: number, text: string, label = 'late'): Example => ({
  kind: 'labelled',
  row,
  text,
  labels: [label],
});
const options = (changes: Partial<AugmentOptions> = {}): AugmentOptions => ({
  ...{ kinds: augmentations, share: 0.1, copies: 1, seed: 42 },
  ...changes,
});
const TEXT = 'My parcel was meant to come on Monday, and today is Thursday. Where is it?';
const made = (kind: Augmentation, changes: Partial<AugmentOptions> = {}, text = TEXT) =>
  augment(labelled(1, text), options({ kinds: [kind], copies: 5, ...changes })).map(({ after }) => after);
const words = (text: string) => text.split(/\s+/);

describe('augmentation', () => {
  it('swaps words: the same words in another order', () => {
    for (const text of made('swap')) expect(words(text).sort()).toEqual(words(TEXT).sort());
    expect(made('swap').length).toBe(5);
  });

  it('leaves out as many words as the share says, at least one, and never nearly all', () => {
    for (const text of made('delete', { share: 0.2 })) expect(words(text).length).toBe(words(TEXT).length - 3);
    for (const text of made('delete', { share: 0.5 }, 'one two three')) expect(words(text).length).toBe(2);
    expect(made('delete', {}, 'one two')).toEqual([]);
    for (const text of made('delete')) expect(text).not.toMatch(/ {2}|^ | $/);
  });

  it('makes typing mistakes in words, and keeps the spaces', () => {
    const spaced = 'line one\nline  two is longer';
    for (const text of made('typos', {}, spaced)) {
      expect(text.match(/\s+/g)).toEqual(spaced.match(/\s+/g));
      const changed = words(text).filter((word, i) => word !== words(spaced)[i]);
      expect(changed.length).toBe(1);
    }
  });

  it('changes case and signs: the same letters', () => {
    const letters = (text: string) => text.toLowerCase().replace(/[^a-z]/g, '');
    for (const text of made('case')) expect(letters(text)).toBe(letters(TEXT));
  });

  it('is decided by the seed, the row and the copy, and never repeats itself', () => {
    const all = augment(labelled(1, TEXT), options({ copies: 10 }));
    expect(augment(labelled(1, TEXT), options({ copies: 10 }))).toEqual(all);
    expect(new Set([TEXT, ...all.map(({ after }) => after)]).size).toBe(all.length + 1);
    expect(augment(labelled(1, TEXT), options({ copies: 10, seed: 43 }))).not.toEqual(all);
    // Fewer copies are the first of more.
    expect(augment(labelled(1, TEXT), options({ copies: 3 }))).toEqual(all.slice(0, 3));
  });

  it('changes prompts and never answers, and nothing of a conversation', () => {
    const pair: Example = { kind: 'prompt_completion', row: 3, prompt: TEXT, completion: 'It is late.' };
    expect(augment(pair, options())[0]).toMatchObject({ row: 3, before: TEXT });
    expect(augment({ kind: 'text', row: 1, text: TEXT }, options())).toEqual([]);
  });

  it('writes a dataset that keeps the split, with new rows on the training side only', () => {
    const examples = [
      labelled(1, TEXT),
      labelled(2, 'The lamp is broken and the box was open.', 'broken'),
      labelled(5, 'Held out, never changed by anyone', 'late'),
    ];
    const lines = [...augmentedLines(examples, new Set([5]), options({ copies: 2 }))];
    const rows = lines.map((line) => JSON.parse(line));
    expect(rows.filter(({ split }) => split === 'validation')).toEqual([
      {
        text: 'Held out, never changed by anyone',
        label: 'late',
        split: 'validation',
        augmented_from_row: null,
        augmentation: null,
      },
    ]);
    const fresh = rows.filter(({ augmentation }) => augmentation !== null);
    expect(fresh.map(({ augmented_from_row }) => augmented_from_row)).toEqual([1, 1, 2, 2]);
    expect(fresh.every(({ split }) => split === 'train')).toBe(true);
    expect(fresh.map(({ label }) => label)).toEqual(['late', 'late', 'broken', 'broken']);
    // Read again, the file's own split is used.
    const dataset = parse('a.jsonl', lines.join('\n'));
    expect(dataset.format).toBe('labelled');
    expect(dataset.examples.map(({ split }) => split)).toEqual(rows.map(({ split }) => split));
  });

  it('writes several labels as lists again', () => {
    const several: Example[] = [
      { kind: 'labelled', row: 1, text: TEXT, labels: ['late', 'angry'] },
      { kind: 'labelled', row: 2, text: 'All is well with it.', labels: ['fine'] },
    ];
    const rows = [...augmentedLines(several, new Set(), options({ copies: 0 }))].map((line) => JSON.parse(line));
    expect(rows.map(({ label }) => label)).toEqual([['late', 'angry'], ['fine']]);
  });
});
