/** What is measured: three models' shapes as published, and what is left of them on a CPU. */
import published from './models.json';

/** The fields of a config.json that the families read. */
export interface ModelShape {
  name: string;
  config: Record<string, unknown>;
  /** How its weights are stored, by the name of the row. `nf4` is quantised while loading. */
  formats: readonly ('bf16' | 'q4_k' | 'nf4')[];
}

const config = (name: keyof typeof published): Record<string, unknown> => published[name].config;

/** On a CPU: the same widths, a few layers and a small vocabulary. */
const reduced = (name: keyof typeof published, layers: number): Pick<ModelShape, 'name' | 'config'> => ({
  name: `${name}, ${layers === 1 ? '1 layer' : `${layers} layers`}`,
  config: { ...config(name), num_hidden_layers: layers, vocab_size: 2048 },
});

export interface Plan {
  reduced: boolean;
  models: ModelShape[];
  /** Texts a batch and tokens a text, of the steps. */
  steps: readonly (readonly [batch: number, length: number])[];
  /** Steps that are timed of each. */
  samples: number;
  /** Tokens of the prompts. */
  prompts: readonly number[];
  /** Tokens that are written after each. */
  answer: number;
  products: { rows: readonly number[]; weights: readonly (readonly [n: number, k: number])[] };
  /** Bytes that are copied for the bandwidth. */
  copyBytes: number;
  /** Milliseconds that a sample of a floor or a product takes at least. */
  sampleMs: number;
  sustained: { seconds: number; windowSeconds: number; batch: number; length: number };
  /** After so many seconds nothing new begins. */
  deadline: number;
}

export const cardPlan: Plan = {
  reduced: false,
  models: [
    { name: 'SmolLM2-135M', config: config('SmolLM2-135M'), formats: ['bf16', 'nf4'] },
    { name: 'Qwen3-0.6B', config: config('Qwen3-0.6B'), formats: ['bf16', 'q4_k'] },
    { name: 'Llama-3.2-1B', config: config('Llama-3.2-1B'), formats: ['bf16', 'q4_k'] },
  ],
  steps: [
    [1, 128],
    [4, 256],
    [8, 512],
  ],
  samples: 5,
  prompts: [128, 1024],
  answer: 32,
  products: {
    rows: [1, 64, 256, 1024],
    weights: [
      [576, 576],
      [1536, 576],
      [1024, 1024],
      [3072, 1024],
      [2048, 2048],
      [8192, 2048],
    ],
  },
  copyBytes: 2 ** 28,
  sampleMs: 20,
  sustained: { seconds: 60, windowSeconds: 5, batch: 4, length: 256 },
  deadline: 180,
};

export const cpuPlan: Plan = {
  reduced: true,
  models: [
    { ...reduced('SmolLM2-135M', 2), formats: ['bf16', 'nf4'] },
    { ...reduced('Qwen3-0.6B', 1), formats: ['bf16', 'q4_k'] },
    { ...reduced('Llama-3.2-1B', 1), formats: ['bf16', 'q4_k'] },
  ],
  steps: [[1, 16]],
  samples: 3,
  prompts: [16],
  answer: 8,
  products: {
    rows: [1, 16],
    weights: [
      [576, 576],
      [768, 256],
    ],
  },
  copyBytes: 2 ** 24,
  sampleMs: 20,
  sustained: { seconds: 15, windowSeconds: 5, batch: 1, length: 16 },
  deadline: 180,
};

/** One small run, the same on every device. */
export const fingerprintConfig = config('fingerprint');
