/** Shared by prompt tuning, P-tuning and prefix tuning: their fields in PEFT's configs, sizes and sentences. */
import type { AdapterModel } from '../formats/adapter-format';
import type { Sizes } from './method';

interface VirtualTokens {
  num_virtual_tokens: number;
}

export function sizesOf<S extends VirtualTokens>(stops: readonly [number, number, number, number, number]): Sizes<S> {
  return {
    stops: stops.map((num_virtual_tokens) => ({ num_virtual_tokens })) as unknown as Sizes<S>['stops'],
    words: ({ num_virtual_tokens }) => `${num_virtual_tokens} virtual tokens`,
  };
}

export const embeddingsSentence = ({ num_virtual_tokens }: VirtualTokens): string =>
  `Embeddings of ${num_virtual_tokens} virtual tokens before every text; the model is frozen.`;

/** The fields of PEFT's PromptLearningConfig for a model. */
export const promptLearning = ({ num_virtual_tokens }: VirtualTokens, model: AdapterModel) => ({
  num_virtual_tokens,
  token_dim: model.hiddenSize,
  num_transformer_submodules: 1,
  num_attention_heads: model.heads.query,
  num_layers: model.layers,
});
