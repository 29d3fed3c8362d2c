/**
 * Virtual tokens as PEFT's files hold them: the fields of adapter_config.json that method and model decide, and the tensors,
 * `prompt_embeddings` and those of a head beside it.
 */
import type { PrefixMethod, PromptMethod, PTuningMethod } from '../../recipe/types';
import type { LanguageModel } from '../models/model';
import { readFloats } from '../webgpu/backend';
import type { Method } from './method';
import type { NamedTensors } from './tensors';

/** What PEFT's prompt learning has in common. */
export interface PromptFields {
  num_virtual_tokens: number;
  token_dim: number;
  num_transformer_submodules: 1;
  num_attention_heads: number;
  num_layers: number;
}

/** Width and heads as PEFT counts them: of a token for a prompt, of a layer's keys for a prefix. */
export function promptFields(
  model: LanguageModel,
  section: Pick<PromptMethod | PTuningMethod | PrefixMethod, 'type' | 'num_virtual_tokens'>,
): PromptFields {
  const { heads, kvHeads, headDim } = model.attention;
  const prefix = section.type === 'prefix_tuning';
  return {
    num_virtual_tokens: section.num_virtual_tokens,
    token_dim: prefix ? kvHeads * headDim : model.hiddenSize,
    num_transformer_submodules: 1,
    num_attention_heads: prefix ? kvHeads : heads,
    num_layers: model.layers,
  };
}

/** What a file holds of a method: `saved` where it has that, else what is trained. */
export async function savedTensors(method: Method): Promise<NamedTensors> {
  const saved = method.saved?.();
  const tensors: NamedTensors = new Map();
  try {
    for (const [name, tensor] of saved ?? method.trainable) {
      tensors.set(name, { shape: tensor.shape, data: await readFloats(tensor) });
    }
  } finally {
    for (const tensor of saved?.values() ?? []) tensor.dispose();
  }
  return tensors;
}
