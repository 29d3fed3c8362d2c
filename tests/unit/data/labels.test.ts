/** Labelled and tagged rows: how they are read, which problems are reported, and the class ids. */
import { describe, expect, test } from 'vitest';
import { classify, sortLabels } from '../../../src/data/label-ids';
import { splitExamples } from '../../../src/data/split';
import { codes, errorOf, jsonl, parse } from './helpers';

const labelled = (labels: unknown[]) => jsonl(labels.map((label, i) => ({ text: `text number ${i}`, label })));
const labelsOf = (labels: unknown[], name = 'a.jsonl') =>
  parse(name, labelled(labels)).examples.map((e) => e.kind === 'labelled' && e.labels);

describe('labelled rows', () => {
  test.each<[string, unknown[], unknown[]]>([
    ['words', ['a', ' b ', 'a'], [['a'], ['b'], ['a']]],
    ['integers are classes', [1, 0, 1], [['1'], ['0'], ['1']]],
    ['booleans', [true, false, true], [['true'], ['false'], ['true']]],
    ['lists', [['a', 'b'], [], ['c']], [['a', 'b'], [], ['c']]],
    ['lists of numbers', [[1, 2], [3], [1]], [['1', '2'], ['3'], ['1']]],
    ['a list as JSON text', ['["a", "b"]', '["c"]', '[]'], [['a', 'b'], ['c'], []]],
    ['decimals are numbers', [0.5, 1.25, 0.5], [0.5, 1.25, 0.5]],
    ['one decimal makes all of them numbers', [1, 2.5, 1, 2.5], [1, 2.5, 1, 2.5]],
    ['decimals as strings', ['1.0', '2.50', '1.0'], [1, 2.5, 1]],
    ['integers with a decimal point are classes', ['1.0', '0.0', '1.0'], [['1.0'], ['0.0'], ['1.0']]],
    ['decimals among words are words', ['0.5', 'b', '0.5', 'b'], [['0.5'], ['b'], ['0.5'], ['b']]],
  ])('%s', (_name, labels, expected) => {
    expect(labelsOf(labels)).toEqual(expected);
  });

  test('the spelling of a number is kept for generative models', () => {
    const [example] = parse('a.csv', 'text,label\nsome text here,2.50\nanother text,1.0\n').examples;
    expect(example).toEqual({ kind: 'labelled', row: 1, text: 'some text here', labels: 2.5, written: '2.50' });
  });

  test.each<[string, unknown[], string[]]>([
    ['null', ['a', null, 'b', 'a', 'b'], ['not_text@2']],
    ['an empty string', ['a', '', 'b', 'a', 'b'], ['empty_label@2']],
    ['a list of empty values', [['a'], [null, ''], ['b'], ['a'], ['b']], ['empty_label@2']],
    ['an object', ['a', { x: 1 }, 'b', 'a', 'b'], ['not_text@2']],
    ['a list of objects', [['a'], [{ x: 1 }], ['b'], ['a'], ['b']], ['not_text@2']],
    ['the same label twice', [['a', 'a'], ['b'], ['a'], ['b']], ['repeated_label@1']],
    ['a number among words', ['a', 'b', 'a', 'b', 7, 7], ['mixed_labels@5']],
    ['a word among numbers', [1, 2, 1, 2, 'x', 'x'], ['mixed_labels@5']],
    ['a label that occurs once', ['a', 'b', 'a', 'b', 'c'], ['rare_label']],
  ])('problem: %s', (_name, labels, expected) => {
    const dataset = parse('a.jsonl', labelled(labels));
    expect(codes(dataset)).toEqual(expected);
    for (const { message, action } of dataset.problems) expect(message + action).toMatch(/[.!?]$/);
  });

  test('a missing column is reported by row, and so is a rare label', () => {
    const rows = [{ text: 'a b c', label: 'x' }, { text: 'd e f' }, { text: 'g h i', label: 'y' }];
    expect(codes(parse('a.jsonl', jsonl(rows)))).toEqual(['missing_field@2']);
    const rare = parse('a.jsonl', labelled(['a', 'a', 'b'])).problems[0]!;
    expect(rare.message).toContain('“b” (row 3)');
  });
});

describe('class ids', () => {
  const rows = (labels: (string[] | number)[]) => labels.map((l, i) => ({ row: i + 1, labels: l }));
  const classes = (found: ReturnType<typeof classify>) => found.classes.map((c) => c && [...c]);

  test('are sorted numerically if all labels are numbers, otherwise alphabetically', () => {
    expect(sortLabels(['10', '9', '-1', '9'])).toEqual(['-1', '9', '10']);
    expect(sortLabels(['10', '9', 'a'])).toEqual(['10', '9', 'a']);
    expect(sortLabels(['b', 'B', 'a', 'é'])).toEqual(['B', 'a', 'b', 'é']);
  });

  test('for one class per row', () => {
    const found = classify('f', rows([['pos'], ['neg'], ['pos']]), 'auto', 'label');
    expect(found.task).toEqual({ problemType: 'single_label_classification', labels: ['neg', 'pos'] });
    expect(classes(found)).toEqual([[1], [0], [1]]);
    expect(found.strata).toEqual(['pos', 'neg', 'pos']);
  });

  test('for several classes per row, or none', () => {
    const found = classify('f', rows([['b', 'a'], [], ['c']]), 'auto', 'label');
    expect(found.task).toEqual({ problemType: 'multi_label_classification', labels: ['a', 'b', 'c'] });
    expect(classes(found)).toEqual([
      [1, 1, 0],
      [0, 0, 0],
      [0, 0, 1],
    ]);
  });

  test('for the split, a row with several classes counts as its rarest', () => {
    const found = classify('f', rows([['a', 'b'], ['a'], ['c', 'b'], ['a'], [], ['b', 'a']]), 'auto', 'label');
    expect(found.strata).toEqual(['b', 'a', 'c', 'a', '', 'b']);
  });

  test('for numbers to predict', () => {
    const found = classify('f', rows([0.5, 2]), 'auto', 'score');
    expect(found.task).toEqual({ problemType: 'regression', labels: ['score'] });
    expect(classes(found)).toEqual([[0.5], [2]]);
    expect(found.strata).toBeUndefined();
  });

  test('follow the chosen problem type rather than the data', () => {
    const stars = classify('f', rows([['1'], ['5'], ['bad']]), 'regression', 'stars');
    expect(classes(stars)).toEqual([[1], [5], null]);
    expect(codes(stars)).toEqual(['not_a_number@3']);
    const single = classify('f', rows([['a'], ['a', 'b'], [], ['b']]), 'single_label_classification', 'label');
    expect(classes(single)).toEqual([[0], null, null, [1]]);
    expect(codes(single)).toEqual(['several_labels@2', 'empty_label@3']);
    const multi = classify('f', rows([['a'], ['b']]), 'multi_label_classification', 'label');
    expect(classes(multi)).toEqual([
      [1, 0],
      [0, 1],
    ]);
    const written = [
      { row: 1, labels: 1, written: '1.0' },
      { row: 2, labels: 2.5 },
    ];
    expect(classify('f', written, 'single_label_classification', 'x').task.labels).toEqual(['1.0', '2.5']);
  });

  test('come with a warning if answers are mistaken for classes', () => {
    const found = classify('f', rows(Array.from({ length: 30 }, (_, i) => [`answer ${i}`])), 'auto', 'label');
    expect(codes(found)).toEqual(['many_labels']);
  });

  test('need at least two classes', () => {
    expect(errorOf(() => classify('f', rows([['a'], ['a']]), 'auto', 'l')).message).toContain('nothing to tell apart');
    expect(errorOf(() => classify('f', rows([[], []]), 'auto', 'l')).message).toContain('No row has a label');
    expect(errorOf(() => classify('f', rows([['a']]), 'regression', 'l')).message).toContain('Row 1');
  });
});

describe('a stratified split', () => {
  const split = (strata: string[], share: number, keys = strata.map((_, i) => `text ${i}`), seed = 1) => {
    const { train, validation } = splitExamples(keys, share, seed, true, strata);
    const count = (side: number[]) => {
      const counts: Record<string, number> = {};
      for (const i of side) counts[strata[i]!] = (counts[strata[i]!] ?? 0) + 1;
      return counts;
    };
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual(strata.map((_, i) => i));
    return { train: count(train), validation: count(validation), size: validation.length };
  };
  const of = (counts: Record<string, number>) => Object.entries(counts).flatMap(([c, n]) => Array<string>(n).fill(c));

  test('holds out the same share of every class', () => {
    expect(split(of({ a: 80, b: 20 }), 0.1)).toEqual({ train: { a: 72, b: 18 }, validation: { a: 8, b: 2 }, size: 10 });
    expect(split(of({ a: 50, b: 30, c: 20 }), 0.25).size).toBe(25);
  });

  test('has each class on both sides if possible', () => {
    expect(split(of({ a: 97, b: 2, c: 1 }), 0.1)).toEqual({
      train: { a: 88, b: 1, c: 1 },
      validation: { a: 9, b: 1 },
      size: 10,
    });
    for (let seed = 0; seed < 20; seed++) {
      const found = split(of({ a: 20, b: 3, c: 2, d: 2 }), 0.2, undefined, seed);
      expect(Object.keys(found.validation).sort()).toEqual(['a', 'b', 'c', 'd']);
      expect(Object.keys(found.train).sort()).toEqual(['a', 'b', 'c', 'd']);
      expect(found.size).toBe(5);
    }
  });

  test('keeps the rarest classes in training if there are more classes than held-out examples', () => {
    const found = split(of({ a: 10, b: 8, c: 4, d: 3, e: 2 }), 0.1);
    expect(found.validation).toEqual({ a: 1, b: 1, c: 1 });
  });

  test('keeps copies together even if their labels differ', () => {
    const keys = ['x', 'x', 'y', 'y', ...Array.from({ length: 16 }, (_, i) => `t${i}`)];
    const strata = ['a', 'b', 'a', 'a', ...Array.from({ length: 16 }, (_, i) => (i % 2 ? 'a' : 'b'))];
    for (let seed = 0; seed < 20; seed++) {
      const { validation } = splitExamples(keys, 0.3, seed, true, strata);
      const held = new Set(validation.map((i) => keys[i]));
      expect(keys.every((key, i) => held.has(key) === validation.includes(i))).toBe(true);
    }
  });

  test('holds out the last of each class without shuffling', () => {
    const strata = ['a', 'b', 'a', 'b', 'a', 'b', 'a', 'a', 'a', 'a'];
    const keys = strata.map((_, i) => `t${i}`);
    expect(splitExamples(keys, 0.2, 1, false, strata).validation).toEqual([5, 9]);
  });
});

describe('tagged rows', () => {
  const row = { tokens: ['EU', 'rejects', 'German', 'call'], ner_tags: ['B-ORG', 'O', 'B-MISC', 'O'] };

  test.each<[string, Record<string, unknown>, Record<string, string>]>([
    ['tokens and ner_tags', row, { tokens: 'tokens', tags: 'ner_tags' }],
    ['ner_tags among other tags', { pos_tags: [1, 2, 3, 4], ...row }, { tokens: 'tokens', tags: 'ner_tags' }],
    ['words and labels', { words: ['a', 'b'], labels: ['X', 'Y'] }, { tokens: 'words', tags: 'labels' }],
    ['tokens with their text', { text: 'EU rejects', ...row }, { tokens: 'tokens', tags: 'ner_tags' }],
  ])('%s', (_name, value, mapping) => {
    const dataset = parse('a.jsonl', jsonl([value, value]));
    expect(dataset).toMatchObject({ format: 'tagged', mapping });
    expect(dataset.detected).toMatch(/^Words with tags/);
  });

  test('a text with one label is not a tagged row', () => {
    const value = { text: 'EU rejects', label: 'news', tokens: ['EU', 'rejects'], pos_tags: [1, 2] };
    expect(parse('a.jsonl', jsonl([value, value])).format).toBe('labelled');
  });

  test('numeric tags become names, and JSON text in CSV cells is read', () => {
    const numbers = parse('a.jsonl', jsonl(Array(2).fill({ tokens: ['a', 'b'], tags: [0, 3] })));
    expect(numbers.examples[0]).toEqual({ kind: 'tagged', row: 1, tokens: ['a', 'b'], tags: ['0', '3'] });
    const csv = parse('a.csv', 'tokens,tags\n"[""a"", ""b""]","[""O"", ""B-X""]"\n');
    expect(csv.examples[0]).toMatchObject({ tokens: ['a', 'b'], tags: ['O', 'B-X'] });
  });

  const tagged = (rows: [unknown, unknown][]) =>
    parse('a.jsonl', jsonl(rows.map(([tokens, tags]) => ({ tokens, tags }))), { format: 'tagged' });
  const good: [unknown, unknown] = [
    ['A', 'b', 'C', 'D'],
    ['B-X', 'O', 'B-X', 'I-X'],
  ];
  const other: [unknown, unknown] = [
    ['E', 'f', 'G'],
    ['B-X', 'O', 'B-X'],
  ];

  test.each<[string, [unknown, unknown], string[]]>([
    ['lists of different lengths', [['a', 'b'], ['O']], ['unequal_lengths@3']],
    ['a string instead of a list', ['a b', ['O', 'O']], ['not_a_list@3']],
    ['empty lists', [[], []], ['empty_text@3']],
    [
      'a word without a tag',
      [
        ['a', 'b'],
        ['O', null],
      ],
      ['missing_tag@3'],
    ],
    [
      'an empty word',
      [
        ['a', ''],
        ['O', 'O'],
      ],
      ['empty_word@3'],
    ],
    [
      'I- without B-',
      [
        ['a', 'b'],
        ['O', 'I-X'],
      ],
      ['orphan_inside@3'],
    ],
    [
      'I- of another type',
      [
        ['a', 'b', 'c'],
        ['B-X', 'I-Y', 'I-Y'],
      ],
      ['orphan_inside@3'],
    ],
    [
      'a tag that occurs once',
      [
        ['a', 'b'],
        ['O', 'B-Y'],
      ],
      ['rare_label'],
    ],
    [
      'a number among words',
      [
        ['a', 'b'],
        ['7', '7'],
      ],
      ['mixed_labels@3'],
    ],
  ])('problem: %s', (_name, bad, expected) => {
    const more: [unknown, unknown] = [
      ['H', 'i'],
      ['B-X', 'I-X'],
    ];
    const dataset = tagged([good, other, bad, more]);
    expect(codes(dataset)).toEqual(expected);
    const dropped = dataset.problems[0]!.dropped;
    expect(dataset.examples).toHaveLength(dropped ? 3 : 4);
  });

  test('IOB1 is reported once', () => {
    const dataset = tagged([
      [
        ['A', 'b', 'C', 'D'],
        ['I-X', 'O', 'I-X', 'B-X'],
      ],
      [
        ['E', 'f', 'G'],
        ['I-X', 'I-X', 'O'],
      ],
      [
        ['E', 'f', 'G'],
        ['O', 'I-X', 'O'],
      ],
      [['Z'], ['O']],
      [
        ['B', 'b'],
        ['I-X', 'B-X'],
      ],
    ]);
    expect(codes(dataset)).toEqual(['iob1_tags']);
  });
});

describe('CoNLL files', () => {
  const text = `-DOCSTART- -X- O O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
German JJ B-NP B-MISC

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER
`;

  test.each(['train.txt', 'train.conll', 'train', 'train.bio'])('are detected in %s', (name) => {
    const dataset = parse(name, text);
    expect(dataset).toMatchObject({ format: 'tagged', fileType: 'text', totalRows: 2 });
    expect(dataset.detected).toContain('CoNLL');
    expect(dataset.examples).toEqual([
      { kind: 'tagged', row: 1, tokens: ['EU', 'rejects', 'German'], tags: ['B-ORG', 'O', 'B-MISC'] },
      { kind: 'tagged', row: 2, tokens: ['Peter', 'Blackburn'], tags: ['B-PER', 'I-PER'] },
    ]);
  });

  test('may have tab-separated columns, comments and Windows line ends', () => {
    const tabs = '# id 1\r\nNew York\tB-LOC\r\n#\tO\r\n\r\n# id 2\r\nhere\tO\r\nParis\tB-LOC\r\n';
    expect(parse('a.tsv', tabs).examples).toEqual([
      { kind: 'tagged', row: 1, tokens: ['New York', '#'], tags: ['B-LOC', 'O'] },
      { kind: 'tagged', row: 2, tokens: ['here', 'Paris'], tags: ['O', 'B-LOC'] },
    ]);
  });

  test('may have plain tags if the file name or a person says so', () => {
    const pos = 'The DET\ncat NOUN\nsleeps VERB\n\nDogs NOUN\nbark VERB\n';
    expect(parse('a.conll', pos).format).toBe('tagged');
    expect(parse('a.txt', pos, { format: 'tagged' }).format).toBe('tagged');
    expect(parse('a.txt', pos).format).toBe('text');
    expect(parse('a.conll', pos, { format: 'text' }).format).toBe('text');
  });

  test('lose a sentence for a line without a tag', () => {
    const dataset = parse('a.conll', 'EU B-ORG\nsays O\n\nhalf\nline O\n\nUN B-ORG\nsays O\n');
    expect(codes(dataset)).toEqual(['missing_tag@2']);
    expect(dataset.problems[0]!.message).toContain('“half”');
    expect(dataset.examples.map((e) => e.row)).toEqual([1, 3]);
  });

  test.each([
    ['prose', 'O sole mio.\n\nThis is a text.\nIt goes on O\n'],
    ['a poem with two words per line', 'Roses red\nViolets blue\n\nSugar sweet\nSo you\n'],
  ])('%s stays text', (_name, prose) => {
    expect(parse('a.txt', prose).format).toBe('text');
  });
});
