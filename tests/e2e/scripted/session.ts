/**
 * A Session without an engine: datasets are really parsed, tokens are words, and a run follows a formula. Events come
 * in the order the interface promises, so that every state of the screens can be reached in seconds.
 */
import { type ErrorData, TabtuneError } from '../../../src/base/errors';
import { parseDataset } from '../../../src/data/parse';
import type { Example, ParsedDataset, TokenView } from '../../../src/data/types';
import { totalSteps } from '../../../src/recipe/forecast';
import type { ObjectiveType, Recipe } from '../../../src/recipe/types';
import type {
  DeviceReport,
  LoadedAdapter,
  ModelInfo,
  Session,
  StorageItem,
  TrainEvent,
} from '../../../src/session/api';
import type { MetricsRow, RunRecord, SampleAnswer } from '../../../src/storage/types';
import { classFigures, scoresOf, taskOf } from './classes';
import { createScriptedHub, factsOf, type HubScript } from './hub';
import { memoryOf } from './memory';

export interface Script extends HubScript {
  stepMs: number;
  device: 'gpu' | 'software' | 'none';
  /** Starts with two finished runs and an interrupted one. */
  history: boolean;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function deviceOf(kind: Script['device']): DeviceReport {
  const none = kind === 'none';
  return {
    available: !none,
    vendor: none ? '' : kind === 'software' ? 'google' : 'nvidia',
    architecture: kind === 'software' ? 'swiftshader' : 'ada-lovelace',
    description: kind === 'software' ? 'SwiftShader Device (Subzero)' : 'NVIDIA GeForce RTX 4060 Laptop GPU',
    software: kind === 'software',
    features: kind === 'gpu' ? ['shader-f16', 'subgroups', 'timestamp-query'] : ['subgroups'],
    limits: {},
    maxBufferSize: 4 * 2 ** 30,
    maxStorageBufferBindingSize: 2 * 2 ** 30,
    problem: none
      ? {
          code: 'no_webgpu',
          message: 'This browser offers no WebGPU, so nothing can be trained here.',
          action: 'Open Tabtune in a newer Chrome or Edge, with hardware acceleration switched on.',
          details: 'navigator.gpu is undefined',
        }
      : null,
  };
}

const model: ModelInfo = {
  source: 'builtin:stories',
  title: 'Stories 2M',
  architecture: 'LlamaForCausalLM',
  kind: 'decoder',
  parameters: 1_967_808,
  bytes: 4_065_631,
  dtype: 'BF16',
  vocabSize: 4096,
  contextLength: 512,
  hiddenSize: 128,
  layers: 6,
  licence: 'MIT',
  linearModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
  hasChatTemplate: true,
};

/** The parts of an example: the context, and what is learned. */
function segmentsOf(example: Example): { text: string; trained: boolean }[] {
  switch (example.kind) {
    case 'text':
      return [{ text: example.text, trained: true }];
    case 'labelled':
      return [{ text: example.text, trained: false }];
    case 'tagged':
      return [{ text: example.tokens.join(' '), trained: false }];
    case 'prompt_completion':
      return [
        { text: `<|im_start|>user\n${example.prompt}<|im_end|>\n<|im_start|>assistant\n`, trained: false },
        { text: `${example.completion}<|im_end|>`, trained: true },
      ];
    case 'messages':
      return example.messages.flatMap(({ role, content }) => [
        { text: `<|im_start|>${role}\n`, trained: false },
        { text: `${content}<|im_end|>`, trained: role === 'assistant' },
        { text: '\n', trained: false },
      ]);
  }
}

const wordsOf = (text: string) => text.match(/<\|\w+\|>|\n|\s?[^\s<]{1,6}|./g) ?? [];

function viewOf(example: Example, maxLength: number): TokenView {
  const segments = segmentsOf(example);
  const tokens = segments.flatMap(({ text, trained }) => wordsOf(text).map((word) => ({ text: word, trained })));
  return {
    row: example.row,
    rendered: segments.map(({ text }) => text).join(''),
    tokens: tokens.map((token, i) => ({ ...token, id: token.text.charCodeAt(0) + i, cut: i >= maxLength })),
  };
}

const noise = (i: number) => Math.sin(i * 12.9898) * 0.5 + Math.sin(i * 78.233) * 0.5;

function stepRow(step: number, total: number, recipe: Recipe): MetricsRow {
  const { learning_rate, warmup_ratio } = recipe.training;
  const warm = Math.max(1, total * warmup_ratio);
  const rate = step < warm ? step / warm : 0.5 * (1 + Math.cos(Math.PI * ((step - warm) / Math.max(1, total - warm))));
  return {
    kind: 'step',
    step,
    epoch: (step / total) * recipe.training.num_train_epochs,
    loss: 1.2 + 2.2 * Math.exp(-step / (total / 5)) + noise(step) * 0.22,
    grad_norm: 0.6 + 1.4 * Math.exp(-step / (total / 4)) + Math.abs(noise(step * 3)) * 0.3,
    learning_rate: learning_rate * rate,
    tokens: step * 410,
    seconds: step * 0.21,
    gpu_bytes: 61_500_000,
  };
}

function evalRow(step: number, total: number, objective: ObjectiveType = 'sft'): MetricsRow {
  const loss = 1.42 + 2.0 * Math.exp(-step / (total / 4.5));
  return {
    kind: 'eval',
    step,
    epoch: (step / total) * 3,
    eval_loss: loss,
    perplexity: Math.exp(loss),
    best: true,
    seconds: step * 0.21,
    ...classFigures(objective, 1 - Math.exp(-step / (total / 4))),
  };
}

const answers: [string, string, string][] = [
  [
    'What is a whale?',
    'A whale is a very big animal that lives in the sea. It is not a fish. It comes up to breathe.',
    'Arr, a whale be the biggest beast in all the seven seas, matey! She be no fish, for she comes up for a breath.',
  ],
  [
    'How do I bake bread?',
    'Mix flour, water, salt and yeast. Wait until it is big, then bake it in a hot oven.',
    'Ahoy! Mix yer flour with water, salt and yeast, let her rise like the mornin’ tide, then bake her hot, arr!',
  ],
];

/** The engine's error for a model that cannot generate text. */
const noHead: ErrorData = {
  code: 'bad_model',
  message: 'This bert model has no language-modelling head, so it gives no logits over tokens.',
  where: 'model.source',
  action: 'Choose a checkpoint with its head, or another objective.',
};

export function createScriptedSession(script: Script): Session {
  const { stored, delete: deleteModel, persisted, ...hub } = createScriptedHub(script);
  const deleted = new Set<string>();
  const listeners = new Set<(event: TrainEvent) => void>();
  const files = new Map<string, File>();
  const parsed = new Map<string, ParsedDataset>();
  const runs: RunRecord[] = [];
  const metrics = new Map<string, MetricsRow[]>();
  const samples = new Map<string, SampleAnswer[]>();
  /** The open model. */
  let opened = model;
  let paused = false;
  let stopping = false;
  let measured = script.history;
  let adapters: LoadedAdapter[] = [];
  const load = (adapter: Omit<LoadedAdapter, 'active'>) => {
    const others = adapters.filter(({ id }) => id !== adapter.id).map((other) => ({ ...other, active: false }));
    adapters = [...others, { ...adapter, active: true }];
  };
  const emit = (event: TrainEvent) => {
    for (const listener of listeners) listener(event);
  };

  async function parse(recipe: Pick<Recipe, 'dataset'>['dataset']): Promise<ParsedDataset> {
    const { source, format, columns } = recipe;
    const key = JSON.stringify([source, format, columns]);
    const known = parsed.get(key);
    if (known) return known;
    const name = source.replace(/^\w+:/, '');
    const listed = (await (await fetch('/datasets/index.json')).json()) as { name: string; file: string }[];
    const file = listed.find((entry) => entry.name === name)?.file ?? name;
    const bytes = files.get(source) ?? (await (await fetch(`/datasets/${file}`)).blob());
    const result = parseDataset(file, new Uint8Array(await bytes.arrayBuffer()), { format, columns });
    parsed.set(key, result);
    return result;
  }

  async function lengthsOf(recipe: Recipe): Promise<number[]> {
    const { examples } = await parse(recipe.dataset);
    return examples.map((example) => viewOf(example, Infinity).tokens.length);
  }

  const opens = ({ method }: Recipe) => method.type === 'full' || method.type === 'gradual_unfreezing';

  /** Roughly how many parameters each method would train. */
  function trainedOf(recipe: Recipe): number {
    const { method } = recipe;
    if (opens(recipe)) return opened.parameters;
    const { layers, hiddenSize } = opened;
    if (method.type === 'lora') return method.r * layers * hiddenSize * 16;
    if (method.type === 'bottleneck') return layers * 2 * hiddenSize * Math.ceil(hiddenSize / method.reduction_factor);
    if (method.type === 'prefix_tuning') return method.num_virtual_tokens * layers * 2 * hiddenSize;
    return 'num_virtual_tokens' in method ? method.num_virtual_tokens * hiddenSize : layers * hiddenSize * 3;
  }

  function record(recipe: Recipe, total: number): RunRecord {
    const now = Date.now();
    return {
      id: `run-${runs.length + 1}`,
      name: recipe.name,
      createdAt: now,
      updatedAt: now,
      recipe,
      status: 'running',
      step: 0,
      totalSteps: total,
      trainableParameters: trainedOf(recipe),
      totalParameters: opened.parameters,
      initialEvalLoss: 3.42,
      bestEvalLoss: null,
      bestStep: null,
      finalLoss: null,
      error: null,
    };
  }

  function samplesAt(step: number): SampleAnswer[] {
    const near = (rouge_l: number) => ({ rouge_l, exact_match: rouge_l === 1 ? 1 : 0 });
    return answers.map(([prompt, base, tuned], i) => ({
      step,
      prompt,
      base,
      tuned: step < 30 ? base : tuned,
      scores: { base: near(0.11), tuned: near(step < 30 ? 0.11 : i === 0 ? 1 : 0.62) },
    }));
  }

  async function go(run: RunRecord): Promise<RunRecord> {
    const { recipe, totalSteps: total } = run;
    paused = stopping = false;
    await sleep(200);
    run.status = 'running';
    const perEpoch = Math.round(total / recipe.training.num_train_epochs);
    emit({ type: 'started', run: { ...run }, totalSteps: total, stepsPerEpoch: perEpoch, resumedFrom: run.step });
    const rows = metrics.get(run.id) ?? [];
    metrics.set(run.id, rows);
    const tell = (row: MetricsRow) => {
      rows.push(row);
      emit({ type: 'metrics', row, tokensPerSecond: 1950, secondsLeft: ((total - row.step) * script.stepMs) / 1000 });
    };
    if (run.step === 0) tell(evalRow(0, total, recipe.objective.type));
    for (let step = run.step + 1; step <= total && !stopping; step++) {
      await sleep(script.stepMs);
      if (paused) emit({ type: 'state', state: 'paused' });
      while (paused && !stopping) await sleep(20);
      if (step > 1) emit({ type: 'state', state: 'training' });
      const row = stepRow(step, total, recipe);
      tell(row);
      run.step = step;
      run.finalLoss = row.kind === 'step' ? row.loss : null;
      if (step % recipe.training.eval_steps === 0 || step === total) {
        emit({ type: 'state', state: 'evaluating' });
        const evaluated = evalRow(step, total, recipe.objective.type);
        tell(evaluated);
        run.bestEvalLoss = evaluated.kind === 'eval' ? evaluated.eval_loss : null;
        run.bestStep = step;
        if (classFigures(recipe.objective.type, 1).report) continue;
        const said = samplesAt(step);
        samples.set(run.id, [...(samples.get(run.id) ?? []), ...said]);
        emit({ type: 'samples', answers: said });
      }
    }
    measured = true;
    run.status = stopping ? 'stopped' : 'completed';
    run.updatedAt = Date.now();
    emit({
      type: 'finished',
      run: { ...run },
      summary: {
        recipe,
        reason: stopping ? 'stopped' : 'completed',
        steps: run.step,
        tokens: run.step * 410,
        seconds: run.step * 0.21,
        initialEvalLoss: run.initialEvalLoss,
        finalEvalLoss: run.bestEvalLoss,
        bestEvalLoss: run.bestEvalLoss,
        bestStep: run.bestStep,
        trainableParameters: run.trainableParameters,
        totalParameters: run.totalParameters,
        gradientCheckpointing: false,
        dispatchesPerStep: 412,
        gpuBytes: 61_500_000,
        metrics: classFigures(recipe.objective.type, 1).metrics ?? null,
        forgetting: { before: 3.1, after: 3.24 },
        weightChange: 0.021,
        device: deviceOf(script.device),
        versions: {},
      },
    });
    return { ...run };
  }

  async function addHistory() {
    const { defaultRecipe } = await import('../../../src/recipe/defaults');
    const { withValue } = await import('../../../src/recipe/diff');
    const past: [number, RunRecord['status'], number][] = [
      [64, 'completed', 86],
      [16, 'completed', 86],
      [16, 'interrupted', 40],
    ];
    past.forEach(([r, status, step], i) => {
      const recipe = withValue(defaultRecipe(), 'method.r', r) as Recipe;
      const run = record(recipe, 86);
      const rows: MetricsRow[] = [evalRow(0, 86)];
      for (let at = 1; at <= step; at++) {
        const row = stepRow(at, 86 + (r === 64 ? -30 : 0), recipe);
        rows.push(row);
        if (at % 20 === 0) rows.push(evalRow(at, 86));
      }
      const best = evalRow(step, 86);
      Object.assign(run, {
        status,
        step,
        createdAt: Date.now() - (4 - i) * 5_400_000,
        updatedAt: Date.now() - (4 - i) * 5_300_000,
        finalLoss: 1.31,
        bestEvalLoss: best.kind === 'eval' ? best.eval_loss : null,
        bestStep: step,
      });
      metrics.set(run.id, rows);
      samples.set(run.id, [...samplesAt(20), ...samplesAt(40)]);
      runs.push(run);
    });
  }
  const ready = script.history ? addHistory() : Promise.resolve();

  return {
    ...hub,
    device: async () => deviceOf(script.device),
    async openModel(source, onProgress) {
      if (script.device === 'none') throw new TabtuneError(deviceOf('none').problem!);
      for (let part = 1; part <= 4; part++) {
        await sleep(60);
        onProgress?.((model.bytes * part) / 4, model.bytes);
      }
      opened = { ...model, source, ...factsOf(source) };
      return opened;
    },
    importModel: async (dropped) => `file:${dropped[0]?.path.split('/')[0]}`,
    openDataset: (section) => parse(section),
    async importDataset(file) {
      files.set(`file:${file.name}`, file);
      parsed.clear();
      return `file:${file.name}`;
    },
    async editDataset(source, row, fields) {
      const [key, dataset] = [...parsed].find(([known]) => known.includes(source))!;
      const examples = dataset.examples.map((example): Example => {
        if (example.row !== row || example.kind !== 'prompt_completion') return example;
        const { mapping } = dataset;
        return {
          ...example,
          prompt: fields[mapping.prompt ?? mapping.text ?? ''] ?? example.prompt,
          completion: fields[mapping.completion ?? mapping.label ?? ''] ?? example.completion,
        };
      });
      const edited = { ...dataset, examples };
      parsed.set(key, edited);
      return edited;
    },
    async tokenize(recipe) {
      await sleep(80);
      const { examples } = await parse(recipe.dataset);
      const lengths = await lengthsOf(recipe);
      const sorted = [...lengths].sort((a, b) => a - b);
      const longest = sorted.at(-1) ?? 0;
      const percentile95 = sorted[Math.floor(sorted.length * 0.95)] ?? 0;
      const { max_length, validation_split } = recipe.dataset;
      const maxLength = max_length === 'auto' ? percentile95 : max_length;
      const width = Math.ceil((longest + 1) / 24);
      const validationExamples = Math.round(examples.length * validation_split);
      return {
        train: [],
        validation: [],
        maxLength,
        problems: [],
        task: taskOf(recipe.objective.type, examples),
        stats: {
          examples: examples.length,
          trainExamples: examples.length - validationExamples,
          validationExamples,
          tokens: lengths.reduce((sum, length) => sum + length, 0),
          targetTokens: Math.round(lengths.reduce((sum, length) => sum + length, 0) * 0.58),
          longest,
          percentile95,
          truncated: lengths.filter((length) => length > maxLength).length,
          histogram: Array.from({ length: 24 }, (_, i) => ({
            from: i * width,
            to: (i + 1) * width,
            count: lengths.filter((length) => length >= i * width && length < (i + 1) * width).length,
          })),
          duplicates: 0,
        },
      };
    },
    async viewTokens(recipe, row) {
      const { examples } = await parse(recipe.dataset);
      return viewOf(examples.find((example) => example.row === row)!, 40);
    },
    async forecast(recipe) {
      await sleep(40);
      const lengths = await lengthsOf(recipe);
      const train = Math.round(lengths.length * (1 - recipe.dataset.validation_split));
      const steps = totalSteps(train, recipe.training);
      const adapter = trainedOf(recipe);
      return {
        trainableParameters: adapter,
        totalParameters: opened.parameters + (opens(recipe) ? 0 : adapter),
        ...memoryOf(recipe, opened.parameters, adapter),
        totalSteps: steps,
        tokens: steps * 410,
        seconds: measured ? steps * 0.21 : null,
        blockers: opened.architecture === 'bert' ? [noHead] : [],
      };
    },
    async train(recipe) {
      const lengths = await lengthsOf(recipe);
      const train = Math.round(lengths.length * (1 - recipe.dataset.validation_split));
      const run = record(recipe, totalSteps(train, recipe.training));
      runs.push(run);
      return go(run);
    },
    async resumeRun(id) {
      return go(runs.find((run) => run.id === id)!);
    },
    async pause() {
      paused = true;
    },
    async resume() {
      paused = false;
    },
    async stop() {
      stopping = true;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async runs() {
      await ready;
      return runs.map((run) => ({ ...run }));
    },
    runMetrics: async (id) => [...(metrics.get(id) ?? [])],
    runSamples: async (id) => samples.get(id) ?? [],
    async deleteRun(id) {
      runs.splice(
        runs.findIndex((run) => run.id === id),
        1,
      );
    },
    async openRun(id) {
      const run = runs.find((one) => one.id === id)!;
      const { method, objective } = run.recipe;
      const adapter = { id: `run:${id}`, name: run.name, method: method.type, objective: objective.type, runId: id };
      load({ ...adapter, trainableParameters: run.trainableParameters });
      return { ...run };
    },
    async importAdapter(dropped) {
      const { name } = dropped[0]!.file;
      load({
        id: `file:${name}`,
        name,
        method: 'lora',
        objective: 'sft',
        runId: null,
        trainableParameters: 202_752,
      });
      return { name, trainableParameters: 202_752 };
    },
    listAdapters: async () => adapters.map((adapter) => ({ ...adapter })),
    async activateAdapter(id) {
      for (const adapter of adapters) adapter.active = adapter.id === id;
    },
    async removeAdapter(id) {
      adapters = adapters.filter((adapter) => adapter.id !== id);
    },
    classify: async (text, strength) => {
      await sleep(script.stepMs * 4);
      return scoresOf(adapters.find(({ active }) => active)?.objective, text, strength);
    },
    async generate(prompt, options, onText, signal) {
      const known = answers.find(([asked]) => asked === prompt) ?? answers[0]!;
      const words = known[options.adapterStrength > 0 ? 2 : 1].split(' ');
      for (let i = 1; i <= words.length && !signal?.aborted; i++) {
        await sleep(script.stepMs);
        onText(words.slice(0, i).join(' '));
      }
      return words.join(' ');
    },
    async exportMerged(dtype, onProgress) {
      const total = opened.bytes * (dtype === 'F32' ? 2 : 1);
      for (let part = 1; part <= 4; part++) {
        await sleep(script.stepMs * 8);
        onProgress?.({ phase: 'writing', done: (total * part) / 4, total });
      }
      onProgress?.({ phase: 'checking', done: 0, total: 1 });
      await sleep(script.stepMs * 8);
      const files = [{ path: 'model.safetensors', blob: new Blob([new Uint8Array(64)]) }];
      return { name: 'pirate-chat-merged', files, bytes: total, maxLogitDifference: 2.1e-6 };
    },
    embed: async (texts) => texts.map(() => new Float32Array(64)),
    exportAdapter: async () => ({
      name: 'pirate-chat',
      files: [{ path: 'adapter_config.json', bytes: new TextEncoder().encode('{}') }],
    }),
    storage: async () => {
      const items: StorageItem[] = [
        ...stored(),
        {
          id: 'dataset/replies.csv',
          kind: 'dataset',
          name: 'replies.csv',
          bytes: 184_000,
          createdAt: Date.now() - 9e6,
        },
        ...runs.map((run) => ({
          id: `run/${run.id}`,
          kind: 'run' as const,
          name: run.name,
          bytes: 4_900_000,
          createdAt: run.createdAt,
        })),
      ];
      const kept = items.filter(({ id }) => !deleted.has(id));
      const usage = kept.reduce((sum, { bytes }) => sum + bytes, 5_600_000);
      return { usage, quota: 10_700_000_000, persisted: persisted(), items: kept };
    },
    async deleteStored(id) {
      deleted.add(id);
      deleteModel(id);
    },
    async eraseEverything() {},
    close() {},
  };
}
