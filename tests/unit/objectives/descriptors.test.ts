/** What objectives say of data and metrics: complete, consistent, and nothing that no reader could use. */
import { describe, expect, test } from 'vitest';
import type { TaskData } from '../../../src/base/task';
import type { Batch } from '../../../src/data/types';
import { defaultSection, objectiveOf, objectives } from '../../../src/objectives';
import { BASE_TEXT_LOSS } from '../../../src/objectives/metrics';
import type { BatchScores } from '../../../src/objectives/objective';

const rows = (batchSize: number, length: number) => ({
  batchSize,
  length,
  ids: new Int32Array(batchSize * length),
  lengths: new Int32Array(batchSize).fill(length),
});

/** Two batches, so that they have to be joined. */
const textScores = (targets: number[][], values: number[][], width: number): BatchScores[] =>
  targets.map((own, i) => ({
    batch: {
      kind: 'text_targets',
      ...rows(own.length / width, 2),
      targetCount: own.length / width,
      targets: Float32Array.from(own),
      width,
    } satisfies Batch,
    values: Float32Array.from(values[i]!),
  }));

const texts = objectiveOf({ type: 'sequence_classification' });
const words = objectiveOf({ type: 'token_classification' });

const measured: [string, typeof texts, TaskData, BatchScores[]][] = [
  [
    'one class per text',
    texts,
    { problemType: 'single_label_classification', labels: ['a', 'b'] },
    textScores(
      [[0, 1], [1]],
      [
        [2, 1, 0, 3],
        [5, 4],
      ],
      1,
    ),
  ],
  [
    'several labels per text',
    texts,
    { problemType: 'multi_label_classification', labels: ['a', 'b'] },
    textScores(
      [
        [0, 1, 1, 1],
        [1, 0],
      ],
      [
        [-1, 2, 3, -1],
        [1, -2],
      ],
      2,
    ),
  ],
  ['numbers', texts, { problemType: 'regression', labels: ['stars'] }, textScores([[0.5, 1], [3]], [[0.5, 2], [4]], 1)],
  ...[
    ['O', 'B-x', 'I-x'],
    ['noun', 'verb', 'other'],
  ].map((labels): (typeof measured)[number] => [
    `words tagged ${labels.join(', ')}`,
    words,
    { problemType: 'token_classification', labels },
    [
      {
        batch: { kind: 'token_labels', ...rows(2, 3), targetCount: 4, labels: Int32Array.of(-100, 1, 2, -100, 0, 1) },
        values: Float32Array.of(9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 9, 0, 9, 0, 0, 9, 0, 0),
      },
    ],
  ]),
];

describe('metrics', () => {
  test.each(measured)('of %s are described', (_name, objective, task, scores) => {
    const { metrics } = objective.measure!(task, scores);
    const described = objective.metrics.map(({ name }) => name);
    expect(Object.keys(metrics).length).toBeGreaterThan(0);
    expect(described).toEqual(expect.arrayContaining(Object.keys(metrics)));
  });

  test('what is described, something measures', () => {
    for (const objective of [texts, words]) {
      const given = measured.flatMap(([, own, task, scores]) =>
        own === objective ? Object.keys(objective.measure!(task, scores).metrics) : [],
      );
      const missing = objective.metrics.filter(({ name }) => !given.includes(name)).map(({ name }) => name);
      expect(missing).toEqual([]);
    }
  });

  test('values: accuracy over both batches, errors of numbers, F1 of entities', () => {
    const of = (i: number) => {
      const [, objective, task, scores] = measured[i]!;
      return objective.measure!(task, scores);
    };
    expect(of(0).metrics.accuracy).toBeCloseTo(2 / 3);
    expect(of(0).report!.confusion).toEqual([
      [1, 0],
      [1, 1],
    ]);
    expect(of(1).metrics.accuracy).toBeCloseTo(2 / 3);
    expect(of(2)).toMatchObject({ metrics: { mae: 2 / 3, mse: 2 / 3 }, report: null });
    // The entity of the first text is found, that of the second is not; 3 of 4 words are right.
    expect(of(3).metrics).toMatchObject({ precision: 1, recall: 0.5, f1: 2 / 3, accuracy: 0.75 });
    expect(of(4).metrics.accuracy).toBe(0.75);
  });

  test.each(objectives.map((objective) => [objective.type, objective] as const))(
    '%s: names, sentences',
    (_type, own) => {
      const names = own.metrics.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(names).not.toContain(BASE_TEXT_LOSS.name);
      for (const sentence of [own.loss, ...own.metrics.map(({ help }) => help)]) expect(sentence).toMatch(/^\S.*\.$/);
      // The scores of pairs are measured with their loss.
      expect(own.measure !== undefined).toBe(own.labels !== null && own.task === undefined);
    },
  );
});

describe('data', () => {
  test.each(objectives.map((objective) => [objective.type, objective] as const))('%s', (_type, objective) => {
    const data = objective.data(defaultSection(objective));
    expect(data.pack !== undefined).toBe(objective.packs);
    // Others need an answer or a text, which every dataset has.
    if (objective.labels !== null || objective.answerTokens || objective.compares) expect(data.needs).toBeDefined();
  });
});
