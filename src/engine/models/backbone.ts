/** A model put together from what its family loaded: the fields that all families fill in alike. */
import type { DropoutRates } from '../../families/dropout';
import { emptyCache } from './cache';
import type { LanguageModel, LmHead } from './model';
import type { Loader } from './weights';

/** Of a family's config, what the model says of itself. */
interface BackboneConfig {
  model_type: string;
  hidden_size: number;
  vocab_size: number;
  max_position_embeddings: number;
  initializer_range: number;
  dropout: DropoutRates;
}

export interface Backbone
  extends Pick<
    LanguageModel,
    'kind' | 'blockPaths' | 'linears' | 'attentionHeads' | 'parallel' | 'wordEmbeddings' | 'hidden'
  > {
  /** kvHeads·headDim; null for encoders, which keep no keys and values. */
  keyValueWidth: number | null;
  /** Null when the checkpoint has none. */
  lm: LmHead | null;
  /** Names of loaded tensors that are never read. */
  idle?: readonly string[];
}

export function languageModel(c: BackboneConfig, load: Loader, { lm, idle = [], ...parts }: Backbone): LanguageModel {
  const layers = parts.blockPaths.length;
  const { keyValueWidth } = parts;
  return {
    ...parts,
    family: c.model_type,
    layers,
    hiddenSize: c.hidden_size,
    vocabSize: c.vocab_size,
    contextLength: c.max_position_embeddings,
    dropout: c.dropout,
    initializerRange: c.initializer_range,
    parameters: load.parameters,
    tensors: load.tensors.filter(({ name }) => !idle.includes(name)),
    idle: load.tensors.filter(({ name }) => idle.includes(name)),
    ties: [],
    heads: lm ? { lm } : {},
    createCache: keyValueWidth === null ? null : (rows, capacity) => emptyCache(rows, capacity, layers, keyValueWidth),
    dispose: load.dispose,
  };
}
