import { vi } from 'vitest';
import type { ParsedDataset } from '../../../src/data/types';
import type { HubModel } from '../../../src/hub/descriptions';
import { defaultRecipe } from '../../../src/recipe/defaults';
import type { ModelInfo, Session, TestDrive, TrainEvent } from '../../../src/session/api';
import type { AskedColumn, Comparison } from '../../../src/session/comparison-types';
import type { SelfInstruct } from '../../../src/session/self-instruct-types';
import type { RunRecord } from '../../../src/storage/types';

// The preferences and the recipe are kept in localStorage, which Node does not have.
const kept = new Map<string, string>();
const localStorage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => kept.set(key, value),
  removeItem: (key: string) => kept.delete(key),
};
vi.stubGlobal('window', { localStorage });

export const model: ModelInfo = {
  source: 'builtin:stories',
  title: 'Stories 2M',
  architecture: 'llama',
  kind: 'decoder',
  parameters: 2_000_000,
  bytes: 4_000_000,
  dtype: 'BF16',
  vocabSize: 2048,
  contextLength: 512,
  hiddenSize: 192,
  layers: 4,
  licence: 'MIT',
  linearModules: ['q_proj'],
  hasChatTemplate: true,
  templateGaps: [],
};

export function runRecord(change: Partial<RunRecord> = {}): RunRecord {
  return {
    id: 'run-1',
    name: 'pirate-chat',
    createdAt: 1,
    updatedAt: 1,
    recipe: defaultRecipe(),
    status: 'completed',
    step: 3,
    totalSteps: 3,
    trainableParameters: 10,
    totalParameters: 100,
    initialEvalLoss: 3,
    bestEvalLoss: 2,
    bestStep: 3,
    finalLoss: 1.9,
    error: null,
    ...change,
  };
}

export function testDrive(change: Partial<TestDrive> = {}): TestDrive {
  return {
    ...{ secondsPerStep: 2, tokensPerSecond: 100, gpuBytes: 5e6, gradNorm: 1.5, finite: true },
    ...{ lossBefore: 3, lossAfter: 2.9, quicker: null },
    learned: { examples: 90, masked: 0, endless: 0 },
    ...change,
  };
}

export function hubModel(change: Partial<HubModel> = {}): HubModel {
  return {
    id: 'org/tiny',
    revision: 'main',
    commit: 'abc',
    url: 'https://huggingface.co/org/tiny/tree/abc',
    licence: 'mit',
    licenceUrl: null,
    downloads: 1,
    gated: false,
    private: false,
    access: 'granted',
    facts: null,
    choices: [],
    problem: null,
    ...change,
  };
}

/** Each column says which model it is, and at what strength. */
/** Keeps nothing, and has written enough. */
const fakeSelfInstruct = (): SelfInstruct => ({
  stored: async () => null,
  keep: async () => {},
  discard: async () => {},
  readSeeds: async () => [],
  run: async () => 'enough',
});

export function fakeComparison(parts: Partial<Comparison> = {}): Comparison {
  return {
    votes: async () => [],
    saveVotes: async () => {},
    kept: async () => [],
    split: async () => ({
      dataset: 'data.jsonl',
      heldOut: [{ row: 2, text: 'held out', expected: 'yes' }],
      trained: [{ row: 1, text: 'trained', expected: 'no' }],
      heldOutTotal: 1,
      trainedTotal: 1,
      doubt: null,
    }),
    fewShot: async (_prompt, shots) => ({ shots: [...shots], tokens: 10, text: 'examples' }),
    answer: vi.fn(async (columns: readonly AskedColumn[], _prompt, _options, onText) => {
      const answers = columns.map(({ model, strength }) => ({ text: `${model} ${strength}` }));
      for (const [i, { text }] of answers.entries()) onText(i, text);
      return { answers, inTurn: false };
    }),
    classify: vi.fn(async (columns: readonly AskedColumn[]) => ({
      answers: columns.map(({ model }) => ({ text: '', scores: [{ label: model, probability: 1 }] })),
      inTurn: false,
    })),
    measure: vi.fn(async (model) => ({
      loss: model === 'base' ? 2 : 1,
      perplexity: null,
      losses: Float32Array.of(model === 'base' ? 2 : 1),
      rows: [2],
      metrics: {},
      answers: null,
    })),
    forgetting: vi.fn(async () => ({ before: 1, after: 1.1, from: 'now' as const })),
    changes: vi.fn(async () => []),
    promptSets: vi.fn(async () => []),
    savePromptSet: vi.fn(async ({ name }) => name),
    readPromptSet: async (file) => ({ name: file.name, prompts: [] }),
    deletePromptSet: vi.fn(async () => {}),
    ...parts,
  };
}

export const parsedFake = (name: string): ParsedDataset => ({
  name,
  fileType: 'jsonl',
  format: 'prompt_completion',
  detected: 'Prompt and completion.',
  columns: ['prompt', 'completion'],
  mapping: { prompt: 'prompt', completion: 'completion' },
  uses: [],
  examples: [{ kind: 'prompt_completion', row: 1, prompt: 'a', completion: 'b' }],
  problems: [],
  totalRows: 1,
  leftOut: 0,
});

/** Every call answers at once with something plausible; a test replaces the calls that it is about. */
export function fakeSession(parts: Partial<Session> = {}): Session & { emit: (event: TrainEvent) => void } {
  const listeners = new Set<(event: TrainEvent) => void>();
  return {
    tryReward: async (_reward, answers) => answers.map(() => 1),
    device: async () => ({
      available: true,
      vendor: '',
      architecture: '',
      description: '',
      software: true,
      features: [],
      subgroupSizes: null,
      limits: {},
      maxBufferSize: 1,
      maxStorageBufferBindingSize: 1,
      problem: null,
    }),
    keptKernels: vi.fn(async () => ({ asked: 'auto' as const, choices: null })),
    measureKernels: vi.fn(async () => ({ asked: 'auto' as const, choices: null })),
    chooseKernels: vi.fn(async () => ({ asked: 'auto' as const, choices: null })),
    openModel: vi.fn(async (source: string) => ({ ...model, source })),
    importModel: async () => 'file:own',
    augmentPreview: vi.fn(async () => ({ made: [], examples: 0 })),
    augmentDataset: vi.fn(async () => 'file:own augmented.jsonl'),
    nearDuplicates: vi.fn(async () => [{ kept: 1, others: [{ row: 2, similarity: 0.9 }] }]),
    leaks: vi.fn(async () => [{ row: 2, of: 1, how: 'exact' as const }]),
    exampleLosses: vi.fn(async () => ({ rows: [1, 2], losses: Float32Array.of(1, 2), adapter: null })),
    tokenLosses: vi.fn(async (_recipe, row: number) => ({
      row,
      base: Float32Array.of(Number.NaN, 2),
      tuned: null,
      adapter: null,
    })),
    openDataset: vi.fn(async (section) => parsedFake(section.source)),
    importDataset: async (file) => `file:${file.name}`,
    addDataset: vi.fn(async (file) => ({ source: `file:${file.name}`, dataset: parsedFake(file.name) })),
    ownDatasets: vi.fn(async () => []),
    editDataset: vi.fn(),
    undoEdit: vi.fn(),
    redoEdit: vi.fn(),
    resetDataset: vi.fn(),
    tokenize: vi.fn(async () => ({
      train: [],
      validation: [],
      rows: { train: new Int32Array(), validation: new Int32Array() },
      maxLength: 8,
      problems: [],
      task: null,
      byExample: { rows: new Int32Array(0), tokens: new Int32Array(0), sides: new Uint8Array(0) },
      stats: {
        examples: 1,
        trainExamples: 1,
        validationExamples: 0,
        tokens: 4,
        targetTokens: 2,
        longest: 4,
        percentile95: 4,
        truncated: 0,
        histogram: [],
        duplicates: 0,
      },
    })),
    viewTokens: vi.fn(async (_, row) => ({ row, rendered: '', tokens: [] })),
    forecast: vi.fn(async () => ({
      trainableParameters: 10,
      totalParameters: 100,
      memory: { weights: 1, adapter: 1, optimizer: 1, activations: 1, logits: 1 },
      totalBytes: 5,
      totalSteps: 3,
      tokens: 12,
      seconds: null,
      blockers: [],
    })),
    testDrive: vi.fn(async () => testDrive()),
    findRate: vi.fn(async () => ({ points: [], diverged: false, suggested: null })),
    train: vi.fn(async () => runRecord()),
    resumeRun: vi.fn(async () => runRecord()),
    saveRun: vi.fn(async () => {}),
    pause: vi.fn(async () => {}),
    resume: vi.fn(async () => {}),
    stop: vi.fn(async () => {}),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    runs: vi.fn(async () => []),
    runMetrics: async () => [],
    runSamples: async () => [],
    labelRun: vi.fn(async (id, change) => runRecord({ id, ...change })),
    deleteRun: vi.fn(async () => {}),
    openRun: vi.fn(async () => runRecord()),
    importAdapter: async () => ({ name: 'mine', trainableParameters: 10 }),
    generate: vi.fn(async (_prompt, options, onText) => {
      const text = options.adapterStrength === 0 ? 'base' : 'tuned';
      onText(text);
      return text;
    }),
    embed: async () => [],
    listAdapters: async () => [],
    activateAdapter: async () => {},
    removeAdapter: async () => {},
    classify: async () => [],
    comparison: async () => fakeComparison(),
    selfInstruct: async () => fakeSelfInstruct(),
    exportAs: async (id) => ({ id, fileName: 'pirate-chat.zip', files: [], bytes: 0, notes: [], proof: null }),
    hubSettings: () => ({ endpoint: 'https://huggingface.co', token: null }),
    setHubSettings: vi.fn(async () => {}),
    shelf: vi.fn(async () => []),
    searchHub: vi.fn(async () => []),
    describeModel: vi.fn(async () => hubModel()),
    watchDownloads: () => () => {},
    download: vi.fn(async () => {}),
    pauseDownload: vi.fn(async () => {}),
    cancelDownload: vi.fn(async () => {}),
    pushing: vi.fn(),
    persist: vi.fn(async () => true),
    storage: async () => ({ usage: 0, quota: 1, persisted: false, items: [] }),
    deleteStored: async () => {},
    workersClosed: async () => true,
    eraseEverything: async () => {},
    close: () => {},
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    ...parts,
  };
}
