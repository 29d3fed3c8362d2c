/** What a reward model learns from: whole pairs, up to the token at which transformers reads a score. */
import { describe, expect, test } from 'vitest';
import type { Example, PairExample } from '../../../src/data/types';
import { defaultSection, objectiveOf, objectiveOfTask } from '../../../src/objectives';
import { REWARD_TASK } from '../../../src/objectives/reward';
import { checkRecipe, resolveRecipe } from '../../../src/recipe/defaults';
import { allOf, apiWith, baseFiles, codes, STORIES, section, tokenizerFiles } from '../data/helpers';
import { modelOf, prepared } from '../data/preference-helpers';

const objective = objectiveOf({ type: 'reward' });
const data = objective.data(defaultSection(objective));

const pair = (row: number, prompt: string, chosen: string, rejected: string, margin?: number): Example => ({
  kind: 'pair',
  ...{ row, prompt, chosen, rejected },
  ...(margin !== undefined && { margin }),
});

/** A base model whose padding token is that of the given name, or the end token if there is none. */
function baseWith(pad: string | undefined) {
  const files = baseFiles();
  const { pad_token: _, ...config } = JSON.parse(files.tokenizerConfig!);
  const map = JSON.parse(files.specialTokensMap ?? '{}');
  delete map.pad_token;
  return modelOf({
    ...files,
    tokenizerConfig: JSON.stringify({ ...config, ...(pad && { pad_token: pad }) }),
    specialTokensMap: JSON.stringify(map),
  });
}

describe('the end of a text', () => {
  const examples = [pair(1, 'Who?', ' A cat.', ' I do not know.')];

  test('is read where another token pads', () => {
    const model = baseWith('<|endoftext|>');
    const { eosTokenId, padTokenId } = model.tokenizer;
    expect(padTokenId).not.toBe(eosTokenId);
    const [one] = allOf('pair', prepared(model, data, examples).train);
    expect(one!.ids.at(-1)).toBe(eosTokenId);
    expect(one!.rejected.at(-1)).toBe(eosTokenId);
  });

  test('is not read where it pads too, because transformers takes the last token that is not padding', () => {
    const model = baseWith(undefined);
    const { eosTokenId, padTokenId } = model.tokenizer;
    expect(padTokenId).toBe(eosTokenId);
    const [one] = allOf('pair', prepared(model, data, examples).train);
    const [whole] = allOf('pair', prepared(baseWith('<|endoftext|>'), data, examples).train);
    const without = ({ ids, rejected }: PairExample) => [[...ids.slice(0, -1)], [...rejected.slice(0, -1)]];
    expect([[...one!.ids], [...one!.rejected]]).toEqual(without(whole!));
  });
});

test('pairs above the limit are left out with their rows, and margins and the task reach the run', () => {
  const model = modelOf(tokenizerFiles(STORIES));
  const examples = [pair(1, 'Who?', ' A cat.'.repeat(20), ' No.'), pair(2, 'Who?', ' A cat.', ' No.', 0.75)];
  const { train, problems, task, stats } = prepared(model, data, examples, { max_length: 60 });
  expect(allOf('pair', train).map(({ row, margin }) => [row, margin])).toEqual([[2, 0.75]]);
  expect(codes({ problems })).toEqual(['pair_too_long@1']);
  expect(task).toEqual(REWARD_TASK);
  expect(stats.targetTokens).toBe(2);
});

test('a head with its label belongs to it, and another number to predict does not', () => {
  expect(objectiveOfTask(REWARD_TASK, 'decoder')).toBe(objective);
  for (const labels of [['stars'], ['LABEL_0']]) {
    expect(objectiveOfTask({ problemType: 'regression', labels }, 'decoder').type).toBe('sequence_classification');
  }
});

test('TRL’s rate, no dropout, and no label smoothing', () => {
  const recipe = resolveRecipe({ version: 1, objective: { type: 'reward' } });
  expect(recipe.training).toMatchObject({ learning_rate: 1e-4, model_dropout: false });
  expect(recipe.objective).toEqual({ type: 'reward', center_rewards_coefficient: 0 });
  const smoothed = { version: 1, objective: { type: 'reward' }, training: { label_smoothing_factor: 0.1 } };
  expect(checkRecipe(smoothed).problems.map(({ where }) => where)).toEqual(['training.label_smoothing_factor']);
});

describe('an answer that a person asks about is read as the pairs are', () => {
  const rows = [{ prompt: 'Who are you?', chosen: ' A cat.', rejected: ' I do not know.' }];
  const turns = [
    {
      prompt: [{ role: 'user', content: 'Who are you?' }],
      chosen: [{ role: 'assistant', content: 'A cat.' }],
      rejected: [{ role: 'assistant', content: 'I do not know.' }],
    },
  ];
  test.each([
    ['a chat model', tokenizerFiles(STORIES), turns, 'A cat.'],
    ['a chat model, plain pairs', tokenizerFiles(STORIES), rows, ' A cat.'],
    ['a base model', baseFiles(), rows, ' A cat.'],
    ['a base model, chats', baseFiles(), turns, 'A cat.'],
  ] as const)('%s', (_name, files, written, answer) => {
    const api = apiWith(files, 'pairs.jsonl', written.map((row) => JSON.stringify(row)).join('\n'));
    const objectiveSection = { type: 'reward', center_rewards_coefficient: 0 } as const;
    const { train } = api.tokenize(section({ validation_split: 0 }), objectiveSection, 64, 1);
    const [one] = allOf('pair', train);
    expect([...api.encodeAnswer('Who are you?', answer, 64)]).toEqual([...one!.ids]);
    expect(() => api.encodeAnswer('Who are you?', answer, 5)).toThrow('the model reads at most 5');
  });
});
