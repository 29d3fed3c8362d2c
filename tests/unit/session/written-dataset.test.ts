/** The dataset that a model wrote is one of the person's own: read, changed and learned like any other. */
import { expect, it } from 'vitest';
import { readingOf } from '../../../src/recipe/sections';
import {
  datasetLines,
  datasetRows,
  newDraft,
  RougePool,
  seedTasks,
  withClassification,
  withInstances,
  withInstructions,
} from '../../../src/self-instruct';
import { readFile } from '../../../src/storage/files';
import { freshStages, open } from './fresh-stage';
import { recipe } from './stage';

freshStages();

function written() {
  const draft = newDraft(seedTasks);
  const pool = new RougePool(seedTasks.map(({ instruction }) => instruction));
  const text = ' Name five birds that live near lakes.\n10. Invent a greeting for travellers.';
  let next = withInstructions(draft, pool, { text, cut: false }, 'Stories 2M');
  const answers = ['Output: Ducks and swans.', 'Example 1\nInput: at dawn\nOutput: Good morning, wanderer.'];
  for (const [i, answer] of answers.entries()) {
    next = withInstances(withClassification(next, i, false), i, { text: answer, cut: false });
  }
  return next;
}

it('has every row as a prompt and an answer, and keeps where they came from when one is changed', async () => {
  await open.session.openModel('builtin:stories');
  const draft = written();
  const rows = datasetRows(draft);
  const file = new File([datasetLines(draft)], 'Written by Stories 2M.jsonl');
  const { source, dataset } = await open.session.addDataset(file, readingOf(recipe().dataset));
  expect(dataset.examples).toHaveLength(rows.length);
  expect(dataset.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(dataset.examples.at(-1)).toMatchObject({
    messages: [
      { role: 'user', content: expect.stringMatching(/^Invent a greeting for travellers\.\s+at dawn$/) },
      { role: 'assistant', content: 'Good morning, wanderer.' },
    ],
  });
  const { train, validation } = await open.session.tokenize(recipe({ dataset: { source } }));
  expect(train.length + validation.length).toBe(rows.length);

  const row = rows.length;
  await open.session.editDataset(source, { kind: 'cells', row, fields: { output: 'Good evening.' } });
  const lines = new TextDecoder()
    .decode(await readFile('dataset/Written by Stories 2M.jsonl'))
    .trim()
    .split('\n');
  expect(JSON.parse(lines.at(-1)!)).toEqual({ ...rows.at(-1), output: 'Good evening.' });
  expect(rows.at(-1)).toMatchObject({ source: 'machine', round: 1, model: 'Stories 2M', seed: 42 });
  expect(JSON.parse(lines[0]!)).toMatchObject({ source: 'seed', round: null, model: null });
});
