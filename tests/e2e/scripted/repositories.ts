/** The repositories on the scripted Hub: invented ones that look real. */
import type { ModelInfo } from '../../../src/session/api';

interface Repository {
  id: string;
  title: string;
  description: string;
  licence: string;
  parameters: number;
  architecture: string;
  downloads: number;
  gated?: boolean;
  layers: number;
  hiddenSize: number;
  gguf?: [string, number][];
  problem?: string;
}

/** Those on the shelf. */
export const repositories: Repository[] = [
  {
    id: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    title: 'SmolLM2 135M Instruct',
    description: 'The smallest model that holds a conversation. Good for first tries and narrow tasks.',
    licence: 'apache-2.0',
    parameters: 134_515_008,
    architecture: 'llama',
    downloads: 612_430,
    layers: 30,
    hiddenSize: 576,
    gguf: [
      ['smollm2-135m-instruct-q4_k_m.gguf', 105_454_432],
      ['smollm2-135m-instruct-q8_0.gguf', 144_811_360],
    ],
  },
  {
    id: 'Qwen/Qwen3-0.6B',
    title: 'Qwen3 0.6B',
    description: 'Many languages, thinks before it answers if it is asked to.',
    licence: 'apache-2.0',
    parameters: 596_049_920,
    architecture: 'qwen3',
    downloads: 4_310_000,
    layers: 28,
    hiddenSize: 1024,
  },
  {
    id: 'google/gemma-3-1b-it',
    title: 'Gemma 3 1B',
    description: 'Writes well in 140 languages.',
    licence: 'gemma',
    parameters: 999_885_952,
    architecture: 'gemma3_text',
    downloads: 2_100_400,
    gated: true,
    layers: 26,
    hiddenSize: 1152,
  },
  {
    id: 'microsoft/Phi-4-mini-instruct',
    title: 'Phi-4 mini',
    description: 'Reasons well for its size, in English first.',
    licence: 'mit',
    parameters: 3_836_021_760,
    architecture: 'phi3',
    downloads: 310_900,
    layers: 32,
    hiddenSize: 3072,
  },
];
const others: Repository[] = [
  {
    id: 'sentence-transformers/all-MiniLM-L6-v2',
    title: 'all MiniLM L6 v2',
    description: '',
    licence: 'apache-2.0',
    parameters: 22_713_216,
    architecture: 'bert',
    downloads: 120_400_000,
    layers: 6,
    hiddenSize: 384,
  },
  {
    id: 'state-spaces/mamba-130m-hf',
    title: 'mamba 130m',
    description: '',
    licence: 'apache-2.0',
    parameters: 129_135_360,
    architecture: 'mamba',
    downloads: 48_120,
    layers: 24,
    hiddenSize: 768,
    problem: 'Its architecture, mamba, is not one that Tabtune reads.',
  },
];
export const all = [...repositories, ...others];

/** The result of opening a Hub source. */
export function factsOf(source: string): Partial<ModelInfo> {
  const repository = all.find(({ id }) => source.startsWith(`hf:${id}`));
  if (!repository) return {};
  const { title, architecture, parameters, layers, hiddenSize, licence } = repository;
  const gguf = source.endsWith('.gguf');
  return {
    title,
    architecture,
    parameters,
    layers,
    hiddenSize,
    licence,
    bytes: parameters * (gguf ? 0.6 : 2),
    dtype: gguf ? 'Q4_K_M' : 'BF16',
    contextLength: 8192,
    vocabSize: 49_152,
  };
}
