import { type SafetensorsTensor, writeSafetensors } from '../../../src/formats/safetensors';
import { droppedModelFolder } from '../../../src/hub/folder';
import type { ModelFolder } from '../../../src/hub/types';

export const config = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 12,
  hidden_size: 8,
  intermediate_size: 10,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 4,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
};

/** The tensors that transformers saves for that config, written by hand rather than taken from the code under test. */
const SHAPES: Record<string, number[]> = {
  'model.embed_tokens.weight': [12, 8],
  'model.norm.weight': [8],
};
for (const layer of ['model.layers.0', 'model.layers.1']) {
  Object.assign(SHAPES, {
    [`${layer}.self_attn.q_proj.weight`]: [8, 8],
    [`${layer}.self_attn.k_proj.weight`]: [4, 8],
    [`${layer}.self_attn.v_proj.weight`]: [4, 8],
    [`${layer}.self_attn.o_proj.weight`]: [8, 8],
    [`${layer}.mlp.gate_proj.weight`]: [10, 8],
    [`${layer}.mlp.up_proj.weight`]: [10, 8],
    [`${layer}.mlp.down_proj.weight`]: [8, 10],
    [`${layer}.input_layernorm.weight`]: [8],
    [`${layer}.post_attention_layernorm.weight`]: [8],
  });
}

export { SHAPES };

export function tensor(name: string, shape: number[], dtype: 'F32' | 'BF16' | 'F16' = 'BF16'): SafetensorsTensor {
  const count = shape.reduce((product, n) => product * n, 1);
  const data = dtype === 'F32' ? Float32Array.from({ length: count }, (_, i) => i) : new Uint16Array(count).fill(1);
  return { name, dtype, shape, data };
}

/** `changes` by tensor name: a different shape, or null to leave the tensor out. */
export function weights(changes: Record<string, number[] | null> = {}, dtype: 'F32' | 'BF16' | 'F16' = 'BF16') {
  const shapes = Object.entries({ ...SHAPES, ...changes });
  return writeSafetensors(shapes.flatMap(([name, shape]) => (shape ? [tensor(name, shape, dtype)] : [])));
}

export type Files = Record<string, string | Uint8Array | null>;

export function modelFiles(changes: Files = {}): { path: string; file: Blob }[] {
  const all: Files = {
    'config.json': JSON.stringify(config),
    'tokenizer.json': '{"model":{}}',
    'tokenizer_config.json': '{}',
    'model.safetensors': weights(),
    ...changes,
  };
  return Object.entries(all).flatMap(([path, content]) =>
    content === null ? [] : [{ path, file: new Blob([content as BlobPart]) }],
  );
}

export const folderOf = (changes: Files = {}): ModelFolder => droppedModelFolder('file:tiny', modelFiles(changes));
export const configWith = (change: Record<string, unknown>): Files => ({
  'config.json': JSON.stringify({ ...config, ...change }),
});
