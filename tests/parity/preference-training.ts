/**
 * Ten steps of TRL's trainers (tests/fixtures/preferences/training.json, by tests/oracle/make_preference_loss_fixtures.py): every figure
 * that they log, under its name. One body for both backends.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { createBatchSource } from '../../src/data/batches';
import type { TokenizedExample } from '../../src/data/types';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { createFull } from '../../src/engine/methods/full';
import type { Method } from '../../src/engine/methods/method';
import { loadModel } from '../../src/engine/models';
import type { LanguageModel } from '../../src/engine/models/model';
import { createObjective } from '../../src/engine/objectives';
import { createOptimizer } from '../../src/engine/optim/optimizer';
import { freshState, recordStep } from '../../src/engine/run/loop';
import { defaultSection, objectiveOf } from '../../src/objectives';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { ObjectiveSection, ObjectiveType, TrainingSection } from '../../src/recipe/types';
import { fixtureJson, fixtureTensors } from '../fixture-files';
import { openAdapter } from './adapter';

interface Run {
  objective: ObjectiveType;
  family: 'llama' | 'gpt2';
  trained: 'new' | 'continued' | 'full';
  fields: Record<string, unknown>;
  /** By TRL's name; null where a step did not log it. */
  steps: Record<string, (number | null)[]>;
}

interface Fixture {
  training: Partial<TrainingSection>;
  rows: Record<'prompt' | 'chosen' | 'rejected', number[]>[];
  good: boolean[];
  runs: Run[];
}

const FOLDERS = {
  llama: { base: 'llama/gqa-untied-odd', adapter: 'llama/gqa-untied-odd/adapter_init' },
  gpt2: { base: 'families/gpt2', adapter: 'families/gpt2/adapter' },
};

/** The cases of the fixture, for tests that run some of them. */
export const PREFERENCE_RUNS = 24;

function examplesOf({ rows, good }: Fixture, objective: ObjectiveType): TokenizedExample[] {
  return rows.map(({ prompt, chosen, rejected }, i): TokenizedExample => {
    const whole = (answer: number[]) => Int32Array.from([...prompt, ...answer]);
    const own = { row: i + 1, promptLength: prompt.length, truncatedBy: 0 };
    return objective === 'kto'
      ? { kind: 'judged', ...own, ids: whole(good[i] ? chosen : rejected), good: good[i]! }
      : { kind: 'pair', ...own, ids: whole(chosen), rejected: whole(rejected), margin: 0 };
  });
}

async function methodsOf(
  { family, trained }: Run,
  model: LanguageModel,
): Promise<{ method: Method; reference: Method | null }> {
  if (trained === 'full') return { method: createFull(model), reference: null };
  const { adapter } = FOLDERS[family];
  // As a new LoRA starts: B is zero, and the reference is the base.
  const asNew = (name: string, values: Float32Array) => void (name.includes('lora_B') && values.fill(0));
  const method = await openAdapter(adapter, model, {}, trained === 'new' ? asNew : undefined);
  return { method, reference: trained === 'continued' ? await openAdapter(adapter, model) : null };
}

/** TRL's names for what a step reports otherwise. TRL's KTO does not count the tokens of mismatched answers, which are read as well. */
const BESIDES = ['loss', 'grad_norm', 'learning_rate', 'num_tokens'];

export function preferenceTraining(backend: string, cases: readonly number[], setUp: () => Promise<void>): void {
  describe(`${backend}: ten steps of TRL`, () => {
    beforeAll(setUp);
    test.each(cases)('run %i', async (number) => {
      const fixture = await fixtureJson<Fixture>('preferences/training.json');
      expect(fixture.runs).toHaveLength(PREFERENCE_RUNS);
      const run = fixture.runs[number]!;
      const { base } = FOLDERS[run.family];
      const { source } = await fixtureTensors(`${base}/model.safetensors`);
      const model = await loadModel(await fixtureJson(`${base}/config.json`), source);
      const { method, reference } = await methodsOf(run, model);
      const section = { ...defaultSection(objectiveOf({ type: run.objective })), ...run.fields } as ObjectiveSection;
      const objective = createObjective(section, { maskTokenId: null, vocabSize: model.vocabSize, task: null });
      const settings: TrainingSection = {
        ...resolveRecipe({ version: 1 }).training,
        ...fixture.training,
        ...{ lr_scheduler_type: 'linear', warmup_ratio: 0, model_dropout: false },
      };
      const optimizer = createOptimizer(method.trainable, settings, { rate: method.rate });
      const batches = createBatchSource(examplesOf(fixture, run.objective), [], {
        batchSize: settings.per_device_train_batch_size,
        accumulation: settings.gradient_accumulation_steps,
        ...{ even: false, shuffle: false, seed: settings.seed, padTokenId: 0, bucket: 1 },
      });
      const totalSteps = run.steps.loss!.length;
      const setup = { model, method, reference, objective, optimizer, batches, settings, totalSteps };
      const state = freshState();
      const own: Record<string, number | undefined>[] = [];
      while (state.step < totalSteps) {
        const { stats, metrics, learningRate } = recordStep(setup, state);
        const { loss, gradNorm } = await stats;
        own.push({
          ...(await metrics),
          loss,
          grad_norm: gradNorm,
          learning_rate: learningRate,
          num_tokens: state.tokens,
        });
      }
      const reported = Object.keys(own[0]!).filter((name) => !BESIDES.includes(name));
      expect(reported.length).toBeGreaterThan(8);
      for (const [name, wanted] of Object.entries(run.steps)) {
        if (name === 'num_tokens' && run.objective === 'kto') continue;
        const size = Math.max(...wanted.map((value) => Math.abs(value ?? 0)));
        for (const [step, value] of wanted.entries()) {
          const given = own[step]![name];
          if (value === null) expect(given, `${name} of step ${step}`).toBeUndefined();
          else
            expect(Math.abs(given! - value), `${name} of step ${step}: ${given}, TRL ${value}`).toBeLessThanOrEqual(
              1e-3 * size + 1e-5,
            );
        }
      }
      optimizer.dispose();
      reference?.dispose();
      method.dispose();
      model.dispose();
      disposeInputs();
    });
  });
}
