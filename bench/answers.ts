/**
 * Steps that learn from answers. A DPO step (LoRA r 8, the reference computed in the same step) beside two SFT steps that see the
 * same tokens: the better answers in one, the others in the other. And a GRPO step split into its parts: writing the answers,
 * scoring them with rewards that are computed from text, and the update. The built-in model's shapes and SmolLM2-135M's, with random
 * weights in bf16; the fastest of a few.
 */
import { pairBatch } from '../src/data/preference-batches';
import type { Batch, PairBatch, PromptExample } from '../src/data/types';
import { disposeInputs } from '../src/engine/kernels/inputs';
import { createLora } from '../src/engine/methods/lora';
import { loadModel } from '../src/engine/models';
import type { LanguageModel } from '../src/engine/models/model';
import { createObjective } from '../src/engine/objectives';
import { createOptimizer } from '../src/engine/optim/optimizer';
import { freshState, recordStep, type TrainSetup, type TrainState } from '../src/engine/run/loop';
import type { Outside } from '../src/engine/run/pass';
import { prepareBatches } from '../src/engine/run/prepare';
import { trimMemory } from '../src/engine/webgpu/dispatch';
import { resolveRecipe } from '../src/recipe/defaults';
import type { RecipeInput } from '../src/recipe/types';
import { completeRewards, rewardOf, rewardsOf } from '../src/rewards';
import { LORA } from './precision';
import { llamaConfig, type Shape } from './random-llama';
import { randomWeights } from './random-weights';

interface Contender {
  name: string;
  shape: Shape;
  /** Pairs of a DPO step: two rows each. */
  pairs: number;
  /** Tokens that a GRPO step's answers have. */
  written: number;
  /** After a first one, which compiles shaders. */
  runs: number;
}

const CONTENDERS: Contender[] = [
  {
    name: 'built-in bf16',
    shape: { hidden: 192, layers: 4, heads: 6, kvHeads: 2, intermediate: 512, vocab: 2048 },
    ...{ pairs: 4, written: 32, runs: 10 },
  },
  {
    name: 'smollm2-135m bf16',
    shape: { hidden: 576, layers: 30, heads: 9, kvHeads: 3, intermediate: 1536, vocab: 49152 },
    ...{ pairs: 1, written: 16, runs: 3 },
  },
];
/** Of a pair's sequences; the first half is the prompt. */
const LENGTH = 64;
const PROMPT = LENGTH / 2;
/** A GRPO step answers two prompts four times each. */
const PROMPTS = 2;
const GENERATIONS = 4;

export interface DpoRow {
  name: string;
  ours_ms: number;
  /** Two SFT steps of half the sequences each. */
  two_sft_ms: number;
  /** ours / two SFT steps. */
  to_two_sft: number;
}

/** `ours_ms` is the sum of the parts. */
export interface GrpoRow {
  name: string;
  ours_ms: number;
  rollout_ms: number;
  reward_ms: number;
  update_ms: number;
}

const dpoName = ({ name, pairs }: Contender) => `dpo-step ${name} ${pairs} pairs t${LENGTH} r${LORA.r}`;
const grpoName = ({ name, written }: Contender) =>
  `grpo-step ${name} ${PROMPTS}x${GENERATIONS} answers of ${written} r${LORA.r}`;

export const answerRows = CONTENDERS.flatMap((one) => [dpoName(one), grpoName(one)]);

const tokens = (length: number, seed: number, vocab: number) =>
  Int32Array.from({ length }, (_, i) => (i * 37 + seed * 11 + 3) % vocab);

function pairsOf(count: number, vocab: number): PairBatch {
  const prompt = (row: number) => tokens(PROMPT, row, vocab);
  const sequence = (row: number, of: number) =>
    Int32Array.from([...prompt(row), ...tokens(LENGTH - PROMPT, 100 + 2 * row + of, vocab)]);
  const examples = Array.from({ length: count }, (_, i) => ({
    ...{ kind: 'pair' as const, row: i + 1, ids: sequence(i, 0), rejected: sequence(i, 1) },
    ...{ promptLength: PROMPT, margin: 0, truncatedBy: 0 },
  }));
  return pairBatch(examples, 0, LENGTH);
}

/** The better answers of the pairs, or the others, as written answers to learn. */
function sideOf({ pairs, length, ids, labels, lengths }: PairBatch, side: 0 | 1): Batch {
  const from = side * pairs;
  const cut = (values: Int32Array) => values.slice(from * length, (from + pairs) * length);
  return {
    ...{ kind: 'next_token', batchSize: pairs, length, ids: cut(ids), labels: cut(labels), starts: null },
    ...{ lengths: lengths.slice(from, from + pairs), targetCount: pairs * (LENGTH - PROMPT) },
  };
}

/** A run of this objective on the model; `use` gets it. */
async function withRun<T>(
  model: LanguageModel,
  objective: RecipeInput['objective'],
  batchSize: number,
  use: (setup: TrainSetup, rewards: ReturnType<typeof rewardsOf>) => Promise<T>,
): Promise<T> {
  const recipe = resolveRecipe({
    version: 1,
    objective,
    training: {
      ...{ learning_rate: 1e-5, lr_scheduler_type: 'constant', max_grad_norm: 1, gradient_accumulation_steps: 1 },
      per_device_train_batch_size: batchSize,
    },
  });
  const method = createLora(model, LORA, 42);
  const optimizer = createOptimizer(method.trainable, recipe.training);
  try {
    return await use(
      {
        ...{ model, method, optimizer, settings: recipe.training, totalSteps: 100 },
        objective: createObjective(recipe.objective, { maskTokenId: null, vocabSize: model.vocabSize, task: null }),
        batches: { stepsPerEpoch: 100, microBatches: () => [], evaluation: () => [] },
        // Nothing ends an answer: all are as long as they may be.
        tokens: { stop: [], pad: 0 },
      },
      rewardsOf(recipe.objective),
    );
  } finally {
    optimizer.dispose();
    method.dispose();
  }
}

/** How long some steps after each other take. */
async function timed(setup: TrainSetup, state: TrainState, steps: readonly Batch[]): Promise<number> {
  const start = performance.now();
  for (const batch of steps) {
    const { finite } = await recordStep(setup, state, [batch]).stats;
    if (!finite) throw new Error(`A step of ${batch.kind} batches was not finite.`);
  }
  return performance.now() - start;
}

/** The two take turns, so that a machine that is busy for a while slows down both. */
async function measureDpo(model: LanguageModel, contender: Contender): Promise<DpoRow> {
  const { pairs, shape, runs } = contender;
  const batch = pairsOf(pairs, shape.vocab);
  const sides = [sideOf(batch, 0), sideOf(batch, 1)];
  return withRun(model, { type: 'sft' }, pairs, (sft) =>
    withRun(model, { type: 'dpo' }, pairs, async (dpo) => {
      const states = { sft: freshState(), dpo: freshState() };
      let [two_sft_ms, ours_ms] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let i = 0; i <= runs; i++) {
        const times = [await timed(sft, states.sft, sides), await timed(dpo, states.dpo, [batch])] as const;
        if (i === 0) continue;
        two_sft_ms = Math.min(two_sft_ms, times[0]);
        ours_ms = Math.min(ours_ms, times[1]);
      }
      return { name: dpoName(contender), ours_ms, two_sft_ms, to_two_sft: ours_ms / two_sft_ms };
    }),
  );
}

/** The words of answers are their tokens: random weights write nothing else. */
const textOf = (ids: Int32Array) => Array.from(ids, (id) => `w${id}`).join(' ');

async function measureGrpo(model: LanguageModel, contender: Contender): Promise<GrpoRow> {
  const { written, shape, runs } = contender;
  const prompts = Array.from({ length: PROMPTS }, (_, i): PromptExample => {
    const ids = tokens(PROMPT, i, shape.vocab);
    return { kind: 'prompt', row: i + 1, ids, prompt: textOf(ids), columns: {}, truncatedBy: 0 };
  });
  const batch: Batch = {
    ...{ kind: 'prompt', prompts, batchSize: PROMPTS, length: PROMPT, targetCount: PROMPTS },
    ids: Int32Array.from(prompts.flatMap(({ ids }) => [...ids])),
    lengths: new Int32Array(PROMPTS).fill(PROMPT),
  };
  const objective: RecipeInput['objective'] = {
    type: 'grpo',
    rewards: completeRewards([
      { type: 'contains', words: ['w7', 'w11'] },
      { type: 'length', unit: 'characters', min: 1, max: 1, slope: 1000 },
    ]),
    ...{ num_generations: GENERATIONS, max_completion_length: written },
  };
  return withRun(model, objective, PROMPTS * GENERATIONS, async (setup, rewards) => {
    const scorers = await Promise.all(rewards.map((reward) => rewardOf(reward).scorer!(reward)));
    let scoring = 0;
    const outside: Outside = {
      async score(answers) {
        const start = performance.now();
        const texts = answers.map(({ ids }) => textOf(ids));
        const values = answers.map(({ prompt, ids, finished }, i) => {
          const answer = { prompt: prompt.prompt, completion: texts[i]!, columns: {}, finished, tokens: ids };
          return scorers.map((score) => score(answer));
        });
        scoring = performance.now() - start;
        return { names: rewards.map(({ name }) => name), weights: rewards.map(({ weight }) => weight), values, texts };
      },
      show: () => {},
    };
    const state = freshState();
    let best: GrpoRow | null = null;
    for (let i = 0; i <= runs; i++) {
      const start = performance.now();
      const micro = await prepareBatches({ ...setup, outside }, [batch], {
        ...{ step: state.step, settings: setup.settings, draw: { seed: 42, pass: state.pass } },
        ...{ stopped: () => false, report: () => {} },
      });
      const written = performance.now();
      const { finite } = await recordStep(setup, state, micro).stats;
      if (!finite) throw new Error('A step of answers was not finite.');
      const update_ms = performance.now() - written;
      const rollout_ms = written - start - scoring;
      const ours_ms = rollout_ms + scoring + update_ms;
      if (i > 0 && (!best || ours_ms < best.ours_ms)) {
        best = { name: grpoName(contender), ours_ms, rollout_ms, reward_ms: scoring, update_ms };
      }
    }
    return best!;
  });
}

/** Measures the rows with these names. */
export async function measureAnswers(wanted: string[], say: (text: string) => void): Promise<(DpoRow | GrpoRow)[]> {
  const rows: (DpoRow | GrpoRow)[] = [];
  for (const contender of CONTENDERS) {
    const [dpo, grpo] = [wanted.includes(dpoName(contender)), wanted.includes(grpoName(contender))];
    if (!dpo && !grpo) continue;
    disposeInputs();
    trimMemory();
    const weights = randomWeights(contender.shape, (tensor) => (tensor.includes('norm') ? 'F32' : 'BF16'));
    const model = await loadModel(llamaConfig(contender.shape), weights);
    if (dpo) rows.push(await measureDpo(model, contender));
    if (grpo) rows.push(await measureGrpo(model, contender));
    for (const row of rows.slice(-2)) say(`${row.name}: ${row.ours_ms.toFixed(1)} ms`);
    model.dispose();
  }
  return rows;
}
