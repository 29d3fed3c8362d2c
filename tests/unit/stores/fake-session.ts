import { vi } from 'vitest';
import type { HubModel } from '../../../src/hub/descriptions';
import { defaultRecipe } from '../../../src/recipe/defaults';
import type { ModelInfo, Session, TrainEvent } from '../../../src/session/api';
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

/** Every call answers at once with something plausible; a test replaces the calls that it is about. */
export function fakeSession(parts: Partial<Session> = {}): Session & { emit: (event: TrainEvent) => void } {
  const listeners = new Set<(event: TrainEvent) => void>();
  return {
    device: async () => ({
      available: true,
      vendor: '',
      architecture: '',
      description: '',
      software: true,
      features: [],
      limits: {},
      maxBufferSize: 1,
      maxStorageBufferBindingSize: 1,
      problem: null,
    }),
    openModel: vi.fn(async (source: string) => ({ ...model, source })),
    importModel: async () => 'file:own',
    openDataset: vi.fn(async (section) => ({
      name: section.source,
      fileType: 'jsonl' as const,
      format: 'prompt_completion' as const,
      detected: 'Prompt and completion.',
      columns: ['prompt', 'completion'],
      mapping: { prompt: 'prompt', completion: 'completion' },
      uses: [],
      examples: [{ kind: 'prompt_completion' as const, row: 1, prompt: 'a', completion: 'b' }],
      problems: [],
      totalRows: 1,
      leftOut: 0,
    })),
    importDataset: async (file) => `file:${file.name}`,
    editDataset: vi.fn(),
    tokenize: vi.fn(async () => ({
      train: [],
      validation: [],
      maxLength: 8,
      problems: [],
      task: null,
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
    train: vi.fn(async () => runRecord()),
    resumeRun: vi.fn(async () => runRecord()),
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
    exportAdapter: async () => ({ name: 'pirate-chat', files: [], notes: [] }),
    exportMerged: async () => ({
      name: 'pirate-chat-merged',
      files: [],
      bytes: 0,
      maxLogitDifference: 1e-6,
      notes: [],
    }),
    hubSettings: () => ({ endpoint: 'https://huggingface.co', token: null }),
    setHubSettings: vi.fn(async () => {}),
    shelf: vi.fn(async () => []),
    searchHub: vi.fn(async () => []),
    describeModel: vi.fn(async () => hubModel()),
    watchDownloads: () => () => {},
    download: vi.fn(async () => {}),
    pauseDownload: vi.fn(async () => {}),
    cancelDownload: vi.fn(async () => {}),
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
