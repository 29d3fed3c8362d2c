/** Compares metrics with scikit-learn, scipy, seqeval and rouge_score (tests/oracle/make_metric_fixtures.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  classificationMetrics,
  entitiesOf,
  exactMatch,
  highest,
  normalizeAnswer,
  rougeL,
  tokenMetrics,
} from '../../../src/metrics';

type Metrics = Record<string, number | null>;
type Row = { precision: number; recall: number; f1: number; support: number };
interface Case {
  name: string;
  classes: number;
  scores: number[];
  targets: number[];
  metrics: Metrics;
  confusion?: number[][];
  per_class: Row[];
}
interface EntityCase {
  name: string;
  labels: string[];
  predicted: string[][];
  expected: string[][];
  entities: [string, number, number][][];
  metrics: Metrics;
  types: string[];
  per_class: Row[];
}
interface Fixture {
  single_label: Case[];
  multi_label: Case[];
  regression: Case[];
  entities: EntityCase[];
  texts: { rouge_l: [string, string, number, number, number][]; normalized: [string, string][] };
}
const url = new URL('../../fixtures/metrics/metrics.json', import.meta.url);
const fixture: Fixture = JSON.parse(readFileSync(url, 'utf8'));

function expectMetrics(actual: Record<string, number>, expected: Metrics): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) {
    if (value === null) expect(actual[name], name).toBeNaN();
    else expect(actual[name], name).toBeCloseTo(value, 9);
  }
}

function expectRows(actual: readonly (Row & { label: string })[], names: string[], expected: Row[]): void {
  expect(actual.map(({ label }) => label)).toEqual(names);
  actual.forEach(({ label, ...row }, i) => {
    for (const key of ['precision', 'recall', 'f1', 'support'] as const) {
      expect(row[key], `${label} ${key}`).toBeCloseTo(expected[i]![key], 9);
    }
  });
}

const labelsOf = (classes: number) => Array.from({ length: classes }, (_, i) => `class ${i}`);

describe('one class per row', () => {
  test.each(fixture.single_label.map((c) => [c.name, c] as const))('%s', (_name, c) => {
    const labels = labelsOf(c.classes);
    const targets = Float32Array.from(c.targets);
    const found = classificationMetrics('single_label_classification', labels, Float32Array.from(c.scores), targets);
    expectMetrics(found.metrics, c.metrics);
    expect(found.report!.labels).toEqual(labels);
    expect(found.report!.confusion).toEqual(c.confusion);
    expectRows(found.report!.perClass, labels, c.per_class);
  });

  test('no rows have no accuracy', () => {
    const { metrics } = classificationMetrics(
      'single_label_classification',
      ['a', 'b'],
      new Float32Array(),
      new Float32Array(),
    );
    expect(metrics.accuracy).toBeNaN();
    expect([...highest([], 2)]).toEqual([]);
  });
});

describe('several labels per row', () => {
  test.each(fixture.multi_label.map((c) => [c.name, c] as const))('%s', (_name, c) => {
    const labels = labelsOf(c.classes);
    const targets = Float32Array.from(c.targets);
    const found = classificationMetrics('multi_label_classification', labels, Float32Array.from(c.scores), targets);
    expectMetrics(found.metrics, c.metrics);
    expectRows(found.report!.perClass, labels, c.per_class);
    expect(found.report!.confusion).toEqual([]);
  });
});

describe('regression', () => {
  test.each(fixture.regression.map((c) => [c.name, c] as const))('%s', (_name, c) => {
    const found = classificationMetrics(
      'regression',
      ['score'],
      Float32Array.from(c.scores),
      Float32Array.from(c.targets),
    );
    expectMetrics(found.metrics, c.metrics);
    expect(found.report).toBeNull();
  });
});

describe('entities in texts', () => {
  test.each(fixture.entities.map((c) => [c.name, c] as const))('%s', (_name, c) => {
    expect(c.expected.map((tags) => entitiesOf(tags).map(({ kind, start, end }) => [kind, start, end]))).toEqual(
      c.entities,
    );
    const { metrics, report } = tokenMetrics(c.labels, c.predicted, c.expected);
    expectMetrics(metrics, c.metrics);
    expectRows(report!.perClass, c.types, c.per_class);
    // Every word is counted in the confusion matrix once, right ones on the diagonal.
    const words = c.expected.flat().length;
    expect(report!.confusion.flat().reduce((a, b) => a + b, 0)).toBe(words);
    const right = report!.confusion.reduce((sum, row, i) => sum + row[i]!, 0);
    expect(right / words).toBeCloseTo(c.metrics.accuracy!, 9);
  });

  test('plain tags are scored word by word', () => {
    const { metrics, report } = tokenMetrics(
      ['DET', 'NOUN', 'VERB'],
      [['DET', 'NOUN', 'NOUN'], ['VERB']],
      [['DET', 'NOUN', 'VERB'], ['VERB']],
    );
    expect(metrics.accuracy).toBe(0.75);
    expect(report!.confusion).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 1, 1],
    ]);
    expect(report!.perClass.map(({ label, support }) => [label, support])).toEqual([
      ['DET', 1],
      ['NOUN', 1],
      ['VERB', 2],
    ]);
    expect(metrics.f1_macro).toBeCloseTo((1 + 2 / 3 + 2 / 3) / 3, 12);
  });

  test('tags and words that differ in number are an error', () => {
    expect(() => tokenMetrics(['O', 'B-X'], [['O'], ['O']], [['O'], ['O', 'O']])).toThrow(/number of predicted tags/);
    expect(() => tokenMetrics(['O', 'B-X'], [['O'], ['O']], [['O']])).toThrow(/number of predicted tags/);
  });
});

describe('texts', () => {
  test.each(fixture.texts.rouge_l)('ROUGE-L of %j against %j', (written, expected, precision, recall, f1) => {
    const found = rougeL(written, expected);
    expect(found.precision).toBeCloseTo(precision, 9);
    expect(found.recall).toBeCloseTo(recall, 9);
    expect(found.f1).toBeCloseTo(f1, 9);
  });

  test.each(fixture.texts.normalized)('%j is compared as %j', (text, expected) => {
    expect(normalizeAnswer(text)).toBe(expected);
  });

  test('an answer is right if it equals one of the expected ones', () => {
    expect(exactMatch('The answer!', 'answer')).toBe(1);
    expect(exactMatch('the answers', 'answer')).toBe(0);
    expect(exactMatch('Paris', ['London', 'paris.'])).toBe(1);
    expect(exactMatch('x', [])).toBe(0);
  });
});
