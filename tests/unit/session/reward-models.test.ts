/** Reward models that cannot be used are refused before a run exists, at the reward that names them. */
import { expect, test } from 'vitest';
import type { AdapterFiles } from '../../../src/formats/adapter-format';
import { REWARD_TASK } from '../../../src/objectives/reward';
import { completeRewards, type RewardInput } from '../../../src/rewards';
import { rewardModelFiles } from '../../../src/session/reward-models';
import { saveCheckpoint } from '../../../src/storage/checkpoints';
import { saveRun } from '../../../src/storage/runs';
import { freshDatabase, runOf } from '../storage/helpers';

freshDatabase();

const MODEL = 'builtin:stories';
const recipe = (...given: RewardInput[]) =>
  ({
    objective: { rewards: completeRewards(given) },
    model: { source: MODEL, quantization: 'none' },
  }) as unknown as Parameters<typeof rewardModelFiles>[0];
const judge: AdapterFiles = [{ path: 'adapter_config.json', bytes: new Uint8Array([1]) }];
const opened = async (source: string) => {
  if (source === 'file:judge') return judge;
  throw new Error('not open');
};
const run = (id: string, change: object = {}) =>
  saveRun(
    runOf(id, { recipe: { version: 1, name: id, model: { source: MODEL } } as never, task: REWARD_TASK, ...change }),
  );
const kept = (runId: string) =>
  saveCheckpoint(
    { runId, step: 1, state: {}, createdAt: 1 },
    new Map([['adapter/a', { shape: [1], data: new Float32Array(1) }]]),
    'latest',
  );

test('files go along, runs and other rewards do not', async () => {
  await run('good');
  await kept('good');
  const rewards: RewardInput[] = [
    { type: 'regex', pattern: 'a' },
    { type: 'reward_model', source: 'run:good' },
    { type: 'reward_model', source: 'file:judge' },
  ];
  expect(await rewardModelFiles(recipe(...rewards), opened)).toEqual({ 'file:judge': judge });
  expect(
    await rewardModelFiles({ ...recipe(), objective: { type: 'sft', assistant_only_loss: true } }, opened),
  ).toEqual({});
});

test.each([
  ['file:other', 'The adapter other is not open in this tab.'],
  ['run:nobody', 'There is no run nobody in this browser.'],
  ['run:elsewhere', '“elsewhere” was trained on hf:ORG/NAME, and this run trains builtin:stories.'],
  ['run:writer', '“writer” does not score texts.'],
  ['run:empty', '“empty” ended before anything was saved.'],
])('%s is refused', async (source, message) => {
  await run('elsewhere', { recipe: { version: 1, name: 'elsewhere', model: { source: 'hf:ORG/NAME' } } });
  await run('writer', { task: null });
  await run('empty');
  const rewards: RewardInput[] = [
    { type: 'regex', pattern: 'a' },
    { type: 'reward_model', source },
  ];
  await expect(rewardModelFiles(recipe(...rewards), opened)).rejects.toMatchObject({
    message,
    where: 'objective.rewards.1.source',
  });
});
