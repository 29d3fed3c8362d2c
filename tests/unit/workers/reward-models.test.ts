/** Reward models trained here or read from a folder, opened on one base beside what trains there. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PairExample, PromptExample, TaskData, TokenizedExample } from '../../../src/data/types';
import { rewardScores } from '../../../src/engine/classification/reward-scores';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { inference } from '../../../src/engine/methods/method';
import type { LanguageModel } from '../../../src/engine/models/model';
import type { ShownRollout } from '../../../src/engine/objectives/objective';
import type { AdapterFiles } from '../../../src/formats/adapter-format';
import { REWARD_TASK } from '../../../src/objectives/reward';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';
import { kindOf } from '../../../src/session/loaded-adapters';
import { saveRun } from '../../../src/storage/runs';
import { adapterFiles } from '../../../src/workers/engine/adapter-files';
import { headOptions, type OpenAdapter } from '../../../src/workers/engine/adapters';
import type { EngineEvent, TrainJob } from '../../../src/workers/engine/api';
import { RewardModels } from '../../../src/workers/engine/reward-models';
import { RunControl } from '../../../src/workers/engine/run-control';
import { runTraining } from '../../../src/workers/engine/train';
import { fixtureBytes } from '../../fixture-files';
import { openBase } from '../../parity/reward-models';
import { runOf } from '../storage/helpers';

let base: LanguageModel;
let reward: OpenAdapter;
let files: AdapterFiles;
const MODEL = 'builtin:tiny';
const EOS = 2;

const text = (start: number, step: number, length: number) =>
  Int32Array.from({ length }, (_, i) => 6 + ((start + i * step) % 50));
/** Counting on is better than counting in threes. */
const pairs: PairExample[] = Array.from({ length: 24 }, (_, i) => ({
  kind: 'pair',
  row: i + 1,
  ids: text(i * 5, 1, 5 + (i % 4)),
  rejected: text(i * 5, 3, 5 + (i % 3)),
  promptLength: 0,
  margin: 0,
  truncatedBy: 0,
}));

function jobOf(name: string, input: Partial<RecipeInput>, task: TaskData | null, train: TokenizedExample[]): TrainJob {
  const recipe = resolveRecipe({
    version: 1,
    model: { source: MODEL },
    ...input,
    training: { max_steps: 24, per_device_train_batch_size: 8, gradient_accumulation_steps: 1, learning_rate: 2e-2 },
  });
  return {
    run: { ...runOf(name), recipe, task },
    recipe,
    train: train.slice(0, -8),
    validation: train.slice(-8),
    ...{
      maxLength: 16,
      samplePrompts: [],
      stopTokenIds: [EOS],
      padTokenId: EOS,
      maskTokenId: null,
      task,
      baseText: [],
    },
    ...{ initText: new Int32Array(), initAdapter: null, checkpointing: false, together: 1, resume: false },
  };
}

async function trained(job: TrainJob): Promise<OpenAdapter> {
  const finished = await runTraining(base, {}, job, new RunControl(), () => {});
  await saveRun(finished.run);
  return finished.open;
}

const rewardJob = jobOf('judge', { objective: { type: 'reward' }, method: { type: 'lora', r: 4 } }, REWARD_TASK, pairs);
const options = () => ({ base, head: {}, model: MODEL, files: { 'file:judge': files }, padTokenId: EOS });
const prompt: PromptExample = { kind: 'prompt', row: 1, ids: text(3, 1, 4), truncatedBy: 0, prompt: '', columns: {} };
const answers = [text(7, 1, 5), text(7, 3, 3), Int32Array.of(...text(7, 1, 4), EOS), Int32Array.of(EOS)].map((ids) => ({
  prompt,
  ids,
}));

beforeAll(async () => {
  await tf.setBackend('cpu');
  base = await openBase('llama');
  reward = await trained(rewardJob);
  files = await adapterFiles(reward, { name: 'tiny', revision: null });
});
afterAll(() => {
  reward.dispose();
  base.dispose();
  disposeInputs();
});

test('it has learned to tell the pairs apart', async () => {
  const hooks = reward.method.hooks(inference());
  const chosen = await rewardScores(
    reward.model,
    hooks,
    pairs.map(({ ids }) => ids),
  );
  const rejected = await rewardScores(
    reward.model,
    hooks,
    pairs.map(({ rejected }) => rejected),
  );
  expect(chosen.filter((score, i) => score > rejected[i]!).length).toBeGreaterThan(20);
});

test('a run and its exported folder give the same scores: of the prompt with the answer, without the end that pads', async () => {
  const alive = tf.memory().numTensors;
  const models = await RewardModels.open([`run:${rewardJob.run.id}`, 'file:judge', 'file:judge'], options());
  const scores = await models.scores(`run:${rewardJob.run.id}`, answers);
  expect(await models.scores('file:judge', answers)).toEqual(scores);
  const sequences = answers.map(({ ids }) => Int32Array.of(...prompt.ids, ...[...ids].filter((id) => id !== EOS)));
  expect(await rewardScores(reward.model, reward.method.hooks(inference()), sequences)).toEqual(scores);
  models.dispose();
  disposeInputs();
  expect(tf.memory().numTensors).toBeLessThanOrEqual(alive);
});

test('a policy that trains all of its weights on the same base moves no score', async () => {
  const models = await RewardModels.open(['file:judge'], options());
  const before = await models.scores('file:judge', answers);
  const texts = pairs.map(({ ids, row }): TokenizedExample => {
    return { kind: 'next_token', row, ids, labels: ids.slice(), starts: null, truncatedBy: 0 };
  });
  const policy = await trained(jobOf('policy', { method: { type: 'full' } }, null, texts));
  expect(await models.scores('file:judge', answers)).toEqual(before);
  policy.dispose();
  models.dispose();
});

test('a run that learns from rewards is judged by it, in whole answers', async () => {
  const source = `run:${rewardJob.run.id}`;
  const objective = {
    type: 'rloo' as const,
    ...{ num_generations: 2, max_completion_length: 4 },
    rewards: [{ type: 'reward_model' as const, source, weight: 0.5, name: 'judge' }],
  };
  const prompts = pairs.map(({ ids, row }): PromptExample => {
    return { kind: 'prompt', row, ids: ids.slice(0, 3), truncatedBy: 0, prompt: '', columns: {} };
  });
  const job = jobOf('learner', { objective, method: { type: 'lora', r: 4 } }, null, prompts);
  job.recipe.training.max_steps = 2;
  const shown: ShownRollout[] = [];
  const asked: Extract<EngineEvent, { type: 'score' }>[] = [];
  const control = new RunControl();
  const finished = await runTraining(base, {}, job, control, (event) => {
    if (event.type === 'rollouts') shown.push(...event.rollouts);
    if (event.type !== 'score') return;
    asked.push(event);
    const texts = event.answers.map(({ ids }) => [...ids].join(' '));
    queueMicrotask(() => control.questions.answer(event.id, { texts, values: [null] }));
  });
  finished.open.dispose();
  expect(asked.length).toBeGreaterThan(0);
  expect(shown.length).toBeGreaterThan(0);
  const { row, text, rewards, reward: sum } = shown[0]!;
  const own = prompts.find((one) => one.row === row)!.ids;
  const answer = text.split(' ').map(Number);
  const [wanted] = await rewardScores(reward.model, reward.method.hooks(inference()), [
    Int32Array.of(...own, ...(answer.at(-1) === EOS ? answer.slice(0, -1) : answer)),
  ]);
  expect(rewards.judge).toBeCloseTo(wanted!, 4);
  expect(sum).toBeCloseTo(0.5 * wanted!, 4);
  disposeInputs();
});

test('its folder says what it is', () => {
  expect(kindOf({ files }).objective).toBe('reward');
  const json = (name: string) =>
    JSON.parse(new TextDecoder().decode(files.find(({ path }) => path.endsWith(name))!.bytes));
  expect(json('adapter_config.json')).toMatchObject({ task_type: 'SEQ_CLS', modules_to_save: ['classifier', 'score'] });
  expect(json('labels.json')).toEqual({ problem_type: 'regression', id2label: { 0: 'reward' } });
});

test('a folder that TRL’s trainer left gives one number', async () => {
  const own = ['adapter_config.json', 'adapter_model.safetensors'].map(async (path) => ({
    path,
    bytes: await fixtureBytes(`reward-models/llama-lora/${path}`),
  }));
  const models = await RewardModels.open(['file:trl'], { ...options(), files: { 'file:trl': await Promise.all(own) } });
  const scores = await models.scores('file:trl', answers);
  expect(scores).toHaveLength(answers.length);
  expect(new Set(scores).size).toBeGreaterThan(1);
  models.dispose();
});

test('a checkpoint’s own head for one number is where a reward model begins, whatever its label is called', () => {
  const values = new Map([['score.weight', { shape: [1, 2], data: Float32Array.of(1, 2) }]]);
  const own = (labels: string[], problemType: TaskData['problemType'] = 'regression') =>
    headOptions(REWARD_TASK, undefined, { stored: { task: { problemType, labels }, values } })?.values?.size;
  expect(own(['LABEL_0'])).toBe(1);
  expect(own(['a', 'b'], 'single_label_classification')).toBe(0);
});

describe('refused, with nothing left open', () => {
  test.each([
    ['run:nobody', {}, 'There is no run nobody in this browser.'],
    ['file:other', {}, 'The adapter other is not open in this tab.'],
    [`run:${rewardJob.run.id}`, { model: 'hf:ORG/OTHER' }, '“judge” was trained on builtin:tiny'],
  ] as const)('%s', async (source, changes, message) => {
    const alive = tf.memory().numTensors;
    await expect(RewardModels.open(['file:judge', source], { ...options(), ...changes })).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(alive);
  });

  test('a model that gives no single number', async () => {
    const job = jobOf('writer', { method: { type: 'lora', r: 4 } }, null, [
      ...pairs.map(({ ids, row }): TokenizedExample => {
        return { kind: 'next_token', row, ids, labels: ids.slice(), starts: null, truncatedBy: 0 };
      }),
    ]);
    (await trained(job)).dispose();
    await expect(RewardModels.open([`run:${job.run.id}`], options())).rejects.toThrow(
      'A reward model gives one number for a text, and this one has no head.',
    );
  });
});
