import { describe, expect, it } from 'vitest';
import { parseJsonText } from '../../../src/data/json-text';
import { readLiteral } from '../../../src/data/literal';
import { spelling } from '../../../src/data/spellings';

const value = (text: string, options = {}) => {
  const found = readLiteral(text, options);
  return found.kind === 'value' ? found.value : found.kind;
};

describe('literal lists and dictionaries', () => {
  it.each<[string, unknown]>([
    ['["a", "b"]', ['a', 'b']],
    ["['a', 'b']", ['a', 'b']],
    ["  ['a']\n", ['a']],
    ['[]', []],
    ['{}', {}],
    ["[{'role': 'user', 'content': \"it's\"}]", [{ role: 'user', content: "it's" }]],
    ["{'a': None, 'b': True, 'c': [False]}", { a: null, b: true, c: [false] }],
    ["['it\\'s', 'a\\nb', 'caf\\xe9', '\\u4f60', '\\U0001f600']", ["it's", 'a\nb', 'café', '你', '😀']],
    ["['B-PER' 'I-PER' 'O']", ['B-PER', 'I-PER', 'O']],
    ["['a' 'b'\n 'c']", ['a', 'b', 'c']],
    ['[1 0 0]', [1, 0, 0]],
    ['[1. 0. 1.]', [1, 0, 1]],
    ['[0.5, nan]', [0.5, null]],
    ["array(['a', 'b'], dtype='<U5')", ['a', 'b']],
    ["{'x': array([1, 2]), 'y': np.float64(0.5)}", { x: [1, 2], y: 0.5 }],
    ["[list(['a', 'b']) list(['c'])]", [['a', 'b'], ['c']]],
    ['tensor([1, 0])', [1, 0]],
    ["('a', 'b')", ['a', 'b']],
    ["('a',)", ['a']],
    ["{'a', 'b'}", ['a', 'b']],
    [
      "[('a', 1), ('b', 2)]",
      [
        ['a', 1],
        ['b', 2],
      ],
    ],
    ["{1: 'a', (2, 3): 'b'}", { '1': 'a', '[2,3]': 'b' }],
    ["[u'a', b'b']", ['a', 'b']],
    ['[1152921504606846977, 5]', ['1152921504606846977', 5]],
    ['["a", "b",]', ['a', 'b']],
    ["{'__proto__': 1}", JSON.parse('{"__proto__": 1}')],
  ])('reads %s', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  it.each([
    '',
    'plain text',
    '[Music] and then it starts',
    '[applause]',
    '{name}, your order {id} is on its way',
    '{{ user }}',
    '[1] Smith et al.',
    '[1]: https://example.org',
    '["Yes"] she said',
    '["Go on," he said, and then left',
    "['Tis the season",
    '[[Paris]] is the capital',
    '(1) First, open the door',
    '("quoted")',
    '[x for x in range(3)]',
    '[sport, news]',
    '- [ ] to do',
    '[link](https://example.org)',
    'list of things (a, b)',
  ])('leaves %j as text', (text) => {
    expect(readLiteral(text)).toEqual({ kind: 'none' });
  });

  it.each<[string, RegExp]>([
    ["[{'role': 'user', 'content': 'it's'}]", /comma|not a value/],
    ["[{'role': 'user', 'content': 'cut of", /never closed/],
    ["['a', 'b', 'c", /never closed/],
    ["['a', 'b'", /ends before/],
    ['[0 1 2 ... 7 8 9]', /shortened/],
    ["{'a': <object at 0x7f>}", /not a value/],
    ["{'a': 1} and more", /more text/],
    ["{'when': datetime.datetime(2024, 1, 1)}", /not a value/],
  ])('refuses %j', (text, what) => {
    const found = readLiteral(text);
    expect(found).toMatchObject({ kind: 'broken', what: expect.stringMatching(what) });
  });

  it('refuses what is nested too deeply, without running out of stack', () => {
    const deep = `${'['.repeat(5000)}"a"${']'.repeat(5000)}`;
    expect(readLiteral(deep).kind).toBe('broken');
    expect(readLiteral(deep.replaceAll('"', "'")).kind).toBe('broken');
    expect(readLiteral('{"a":'.repeat(100_000)).kind).toBe('broken');
  });

  it('reads bare words only where they are asked for', () => {
    expect(value('[sport, world news]', { bareWords: true })).toEqual(['sport', 'world news']);
    expect(value('[2024-01-02, a]', { bareWords: true })).toEqual(['2024-01-02', 'a']);
    expect(value('[see] below', { bareWords: true })).toBe('none');
  });

  it('takes time in proportion to the text', () => {
    const long = `[${"'a word', ".repeat(300_000)}'b']`;
    const started = performance.now();
    expect((value(long) as unknown[]).length).toBe(300_001);
    expect(readLiteral('['.repeat(2_000_000)).kind).not.toBe('value');
    expect(readLiteral(`{'a${' '.repeat(2_000_000)}`).kind).not.toBe('value');
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('numbers in JSON', () => {
  it('keep their digits', () => {
    const row = parseJsonText(
      '{"big": 1152921504606846977, "half": 0.50, "one": 1.0, "e": 1e3, "n": 7, "neg": -0}',
    ) as Record<string, unknown>;
    expect(row).toEqual({ big: '1152921504606846977', half: 0.5, one: 1, e: 1000, n: 7, neg: -0 });
    expect(['half', 'one', 'e', 'n', 'big'].map((key) => spelling(row, key))).toEqual([
      '0.50',
      '1.0',
      '1e3',
      undefined,
      undefined,
    ]);
  });

  it('throws as JSON.parse does', () => {
    expect(() => parseJsonText('{"a": 1,}')).toThrow(SyntaxError);
  });
});
