/** The whole model for llama.cpp and everything built on it, as one file. */

import { leavesModel, methodOf } from '../../methods';
import type { Export, Exported } from '../export';
import { mergeRefusal } from '../merged';
import { ggufFileName } from './file-name';
import { notForLlamaCpp } from './refusals';
import { GGUF_FILE_TYPES, type GgufFileType } from './types';

type GgufId = `gguf-${GgufFileType}`;

/** The most useful first. */
const texts: [GgufFileType, string][] = [
  ['q8_0', 'About one byte per weight, and answers as before. Almost always right.'],
  ['q4_k_m', 'About half of that, with the most sensitive weights in more bits. For large models and small machines.'],
  ['f16', 'Two bytes per weight: no loss that could be noticed. Also best for further quantisation.'],
  ['bf16', 'Two bytes per weight with the range of float32, as most models are published.'],
  ['f32', 'Four bytes per weight: no rounding at all.'],
  ['q4_0', 'The simplest four bits: for old versions and for phones that are fast with it.'],
];

export const ggufModels: readonly Export<GgufId>[] = texts.map(([type, text]) => ({
  id: `gguf-${type}`,
  group: 'model',
  variant: { of: 'gguf', name: GGUF_FILE_TYPES[type].label, text },
  label: (exported) => (isModel(exported) ? 'GGUF model' : 'Merged GGUF model'),
  forWhom: 'llama.cpp, Ollama, LM Studio, KoboldCpp',
  contents: (exported) =>
    `**${isModel(exported) ? 'The model' : 'The merged model'}** with its tokeniser and chat template in one GGUF file: \`llama-cli -m FILE\` runs it.`,
  refusal: (exported) => notForLlamaCpp(exported) ?? mergeRefusal(exported.method),
  fileName: (name) => ggufFileName(name, type),
  writer: async () => (await import('./write-model')).ggufModelWriter(type),
}));

const isModel = ({ method }: Exported) => leavesModel(methodOf(method));
