/** Rewards as a recipe has them: names, fields, what is refused. */
import { expect, test } from 'vitest';
import { impossibleRewards, rewardFields, rewardSchemaProblems } from '../../../src/recipe/reward-schema';
import { fieldProblems, problem } from '../../../src/recipe/schema';
import { completeRewards, type RewardInput, rewards } from '../../../src/rewards';

const wrong = (value: unknown) =>
  rewardSchemaProblems('objective.rewards', value, problem, fieldProblems).map(({ where, message }) => [
    where.replace('objective.rewards', ''),
    message,
  ]);
const refused = (value: RewardInput[]) =>
  impossibleRewards('objective.rewards', completeRewards(value), problem).map(({ where, message }) => [
    where.replace('objective.rewards', ''),
    message,
  ]);

test('what is left out is the default, and each has a name of its own', () => {
  const made = completeRewards([
    { type: 'regex', pattern: 'a' },
    { type: 'regex', pattern: 'b', weight: -0.5 },
    { type: 'regex', name: 'regex_2' },
  ]);
  expect(made).toEqual([
    { type: 'regex', weight: 1, name: 'regex', pattern: 'a', flags: 's', match: 'anywhere' },
    { type: 'regex', weight: -0.5, name: 'regex_3', pattern: 'b', flags: 's', match: 'anywhere' },
    { type: 'regex', weight: 1, name: 'regex_2', pattern: '', flags: 's', match: 'anywhere' },
  ]);
  expect(wrong(made)).toEqual([]);
  expect(completeRewards(made)).toEqual(made);
});

test.each(rewards.map(({ type }) => type))('the defaults of %s are allowed by its fields', (type) => {
  expect(wrong(completeRewards([{ type }]))).toEqual([]);
  for (const [key, { label, help }] of Object.entries(rewardFields(type))) {
    expect(label.length, key).toBeGreaterThan(0);
    expect(help.length, key).toBeGreaterThan(0);
  }
});

test('a wrong reward is refused at its field', () => {
  expect(wrong('regex')).toEqual([['', 'must be a list of rewards.']]);
  expect(wrong([3])).toEqual([['.0', 'must be an object with a type.']]);
  expect(wrong([{}])).toEqual([['.0.type', 'is missing.']]);
  expect(wrong([{ type: 'regx' }])[0]![0]).toBe('.0.type');
  expect(wrong([{ type: 'regex' }, { type: 'regex', patern: 'a' }])).toEqual([['.1.patern', 'is not a known field.']]);
  expect(wrong([{ type: 'regex', pattern: 3 }])).toEqual([['.0.pattern', 'must be text, not 3.']]);
  expect(wrong([{ type: 'regex', weight: 'much' }])[0]![0]).toBe('.0.weight');
  expect(wrong([{ type: 'regex', name: 'a b' }])[0]![0]).toBe('.0.name');
  expect(
    wrong([
      { type: 'regex', name: 'a' },
      { type: 'length', name: 'a' },
    ]),
  ).toEqual([['.1.name', 'is a, as another reward’s.']]);
  expect(wrong([{ type: 'contains', words: 'sun' }])).toEqual([['.0.words', 'must be a list of texts, not "sun".']]);
  expect(wrong([JSON.parse('{"type":"regex","__proto__":{}}')])[0]![0]).toBe('.0.__proto__');
});

test('a recipe without rewards is refused with a sentence', () => {
  expect(refused([])).toEqual([['', 'is empty, so no answer would be better than another.']]);
  expect(refused([{ type: 'length', weight: 0 }])).toEqual([
    ['', 'all have weight 0, so no answer would be better than another.'],
  ]);
  expect(refused([{ type: 'length' }, { type: 'regex', pattern: '(' }])[0]![0]).toBe('.1.pattern');
  expect(refused([{ type: 'regex', pattern: 'a', flags: 'g' }])[0]![0]).toBe('.0.flags');
  expect(refused([{ type: 'length', min: 5, max: 4 }])).toEqual([['.0.min', 'is 5, above max, which is 4.']]);
  expect(refused([{ type: 'contains' }])[0]![0]).toBe('.0.words');
  expect(refused([{ type: 'avoids' }])[0]![0]).toBe('.0.words');
  expect(refused([{ type: 'json_valid', schema: '{' }])[0]![0]).toBe('.0.schema');
  expect(refused([{ type: 'json_valid', schema: '[]' }])[0]![0]).toBe('.0.schema');
  expect(refused([{ type: 'reward_model' }])[0]![0]).toBe('.0.source');
  expect(refused([{ type: 'reward_model', source: 'run:1' }])).toEqual([]);
  expect(refused([{ type: 'think_format', answer_tag: '<a>' }])[0]![0]).toBe('.0.answer_tag');
  expect(refused([{ type: 'javascript', code: '1 + 1' }])[0]![0]).toBe('.0.code');
  expect(refused([{ type: 'javascript' }])).toEqual([]);
});
