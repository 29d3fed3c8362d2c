/**
 * Compares GRPO, RLOO and PPO with TRL on given answers and rewards (tests/oracle/make_rollout_fixtures.py): the loss, the gradient
 * norm and every logged metric of ten steps; one body for both backends.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { PromptBatch, PromptExample } from '../../src/data/types';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { loadModel } from '../../src/engine/models';
import type { LanguageModel } from '../../src/engine/models/model';
import { createObjective } from '../../src/engine/objectives';
import { createOptimizer } from '../../src/engine/optim/optimizer';
import { type Attached, attachMethod } from '../../src/engine/run/attach';
import { freshState, recordStep, type TrainSetup } from '../../src/engine/run/loop';
import type { Outside } from '../../src/engine/run/pass';
import { toolsOf } from '../../src/engine/run/prepare';
import { trainedTensors, VALUE_TASK } from '../../src/engine/run/value-model';
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from '../../src/formats/peft';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { ObjectiveSection, TrainingSection } from '../../src/recipe/types';
import { openAdapter } from '../../src/workers/engine/adapters';
import { fixtureBytes, fixtureJson, fixtureTensors } from '../fixture-files';

interface Row {
  prompt: number[];
  answer: number[];
  finished: boolean;
  reward: number;
}

interface Run {
  name: string;
  objective: ObjectiveSection['type'];
  family: string;
  lora: boolean;
  section: Record<string, unknown>;
  /** The value model's head, if it was not saved as an adapter. */
  head?: number[] | null;
  turns: Row[][];
  steps: { loss: number; grad_norm: number; metrics: Record<string, number> }[];
}

interface Meta {
  rows: number;
  end: number;
  pad: number;
  training: Partial<TrainingSection>;
}

export const ROLLOUT_RUNS = [
  ...['grpo-llama-full', 'grpo-llama-lora', 'grpo-gpt2-full', 'grpo-gpt2-lora', 'grpo-llama-sequence'],
  ...['grpo-gpt2-sapo', 'rloo-llama-lora', 'rloo-gpt2-full'],
];
export const PPO_RUNS = ['ppo-llama-full', 'ppo-llama-lora', 'ppo-gpt2-full', 'ppo-gpt2-lora'];

const folderOf = (family: string) => (family === 'llama' ? 'llama/gqa-untied-odd' : `families/${family}`);

async function openBase(family: string): Promise<LanguageModel> {
  const folder = folderOf(family);
  const { source } = await fixtureTensors(`${folder}/model.safetensors`);
  return loadModel(await fixtureJson(`${folder}/config.json`), source);
}

async function openFolder(base: LanguageModel, name: string): Promise<Attached> {
  const files = [ADAPTER_CONFIG, ADAPTER_WEIGHTS].map(async (path) => ({
    path,
    bytes: await fixtureBytes(`rollouts/${name}/${path}`),
  }));
  return openAdapter(base, await Promise.all(files));
}

const full = () => resolveRecipe({ version: 1, method: { type: 'full' } }).method;

async function sidesOf(run: Run, base: LanguageModel): Promise<{ policy: Attached; value: Attached | null }> {
  const ppo = PPO_RUNS.includes(run.name);
  if (run.lora) {
    const value = ppo ? await openFolder(base, `${run.name}-value`) : null;
    return { policy: await openFolder(base, run.name), value };
  }
  const policy = await attachMethod(base, full(), { seed: 0, task: null });
  if (!ppo) return { policy, value: null };
  const values = new Map([['score.weight', { shape: [1, run.head!.length], data: Float32Array.from(run.head!) }]]);
  return { policy, value: await attachMethod(base, full(), { seed: 0, task: VALUE_TASK, head: { values } }) };
}

/** Each prompt once; its answers follow each other in the fixture. */
function promptsOf(rows: Row[], generations: number): PromptBatch {
  const prompts = rows
    .filter((_, i) => i % generations === 0)
    .map(
      ({ prompt }, i): PromptExample => ({
        ...{ kind: 'prompt', row: i + 1, ids: Int32Array.from(prompt), prompt: '', columns: {}, truncatedBy: 0 },
      }),
    );
  return {
    ...{ kind: 'prompt', prompts, targetCount: prompts.length, batchSize: prompts.length, length: 1 },
    ...{ ids: new Int32Array(prompts.length), lengths: new Int32Array(prompts.length) },
  };
}

const TOLERANCE = 1e-3;

function expectNear(actual: number, wanted: number, what: string): void {
  const error = Math.abs(actual - wanted) / Math.max(1, Math.abs(wanted));
  expect(error, `${what}: ${actual}, TRL ${wanted}`).toBeLessThan(TOLERANCE);
}

/** `file` holds the runs of these names. */
export function rolloutTraining(
  backend: string,
  file: string,
  names: readonly string[],
  setUp: () => Promise<void>,
): void {
  describe(`${backend}: steps on given answers are TRL’s`, () => {
    beforeAll(setUp);
    test.each(names)('%s', async (name) => {
      const run = (await fixtureJson<Run[]>(`rollouts/${file}.json`)).find((one) => one.name === name)!;
      const meta = await fixtureJson<Meta>('rollouts/meta.json');
      const base = await openBase(run.family);
      const { policy, value } = await sidesOf(run, base);
      const { model, method } = policy;
      const section = {
        type: run.objective,
        rewards: [],
        top_p: 1,
        top_k: 0,
        ...run.section,
      } as unknown as ObjectiveSection;
      const objective = createObjective(section, { maskTokenId: null, vocabSize: model.vocabSize, task: null });
      const settings: TrainingSection = {
        ...resolveRecipe({ version: 1 }).training,
        ...meta.training,
        ...{ lr_scheduler_type: 'constant', warmup_ratio: 0, model_dropout: false },
        ...{ per_device_train_batch_size: meta.rows, gradient_accumulation_steps: 1 },
      };
      const optimizer = createOptimizer(trainedTensors(method, value), settings);
      let rows: Row[] = [];
      const outside: Outside = {
        score: async () => ({
          ...{ names: ['given'], weights: [1], texts: rows.map(() => '') },
          values: rows.map(({ reward }) => [reward]),
        }),
        show: () => {},
      };
      const batches = { stepsPerEpoch: 1, microBatches: () => [], evaluation: () => [] };
      const setup: TrainSetup = {
        ...{ model, method, objective, value, optimizer, batches, settings, outside },
        ...{ totalSteps: run.steps.length, tokens: { stop: [meta.end], pad: meta.pad } },
      };
      const state = freshState();
      const repeats = run.steps.length / run.turns.length;
      for (const [i, wanted] of run.steps.entries()) {
        rows = run.turns[Math.floor(i / repeats)]!;
        const reported: Record<string, number> = {};
        const at = { step: i, settings, draw: { seed: 0, pass: i }, stopped: () => false };
        const tools = {
          ...toolsOf(setup, { ...at, report: (metrics) => void Object.assign(reported, metrics) }),
          tokens: setup.tokens!,
          generateBatch: async () =>
            rows.map(({ answer, finished }) => ({
              ...{ ids: Int32Array.from(answer), finished, logProbs: new Float32Array(answer.length) },
            })),
        };
        const generations = 'num_generations' in run.section ? Number(run.section.num_generations) : 1;
        const micro = await objective.prepare!(tools, [promptsOf(rows, generations)]);
        const { stats, metrics } = recordStep(setup, state, micro);
        const { loss, gradNorm } = await stats;
        const own = { ...reported, ...(await metrics) };
        expectNear(loss, wanted.loss, `loss of step ${i + 1}`);
        expectNear(gradNorm, wanted.grad_norm, `gradient norm of step ${i + 1}`);
        for (const [metric, expected] of Object.entries(wanted.metrics)) {
          expect(own, `${metric} of step ${i + 1}`).toHaveProperty([metric]);
          expectNear(own[metric]!, expected, `${metric} of step ${i + 1}`);
        }
      }
      optimizer.dispose();
      value?.dispose();
      policy.dispose();
      base.dispose();
      disposeInputs();
    });
  });
}
