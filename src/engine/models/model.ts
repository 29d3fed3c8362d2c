/** What every model family offers to methods, objectives and generation. Hidden states are [B·T, d]. */
import type * as tf from '@tensorflow/tfjs-core';
import type { TaskData } from '../../data/types';
import { familyNamed, type Tie } from '../../families';
import type { DropoutRates } from '../../families/dropout';
import type { TaskKind } from '../../families/heads';
import type { LiveInts } from '../kernels/inputs';
import type { Hooks, LinearModule, Weight } from '../types';

/** How a tensor may be stored in a file: safetensors' names, and GGUF's for quantised formats. */
export type StoredType = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q4_K' | 'Q5_K' | 'Q6_K';

/** Where a family reads its tensors from; names and shapes are those of the Hugging Face checkpoint. */
export interface WeightSource {
  /** Undefined if there is no such tensor. `transposed`: a Conv1D stored like a linear, [out, in]. */
  info(name: string): { dtype: StoredType; shape: number[]; transposed?: boolean } | undefined;
  /** Little-endian bytes as stored, of rows [from, to) of the first dimension; the whole tensor when left out. */
  read(name: string, from?: number, to?: number): Promise<ArrayBuffer>;
}

/** Keys and values of the tokens so far, of several rows of text. A token is stored at the place that its position names. */
export interface KeyValueCache {
  rows: number;
  /** Tokens that each row can hold, virtual ones included. */
  capacity: number;
  /** One pair per layer, [rows·capacity, kvHeads·headDim]. */
  layers: { k: tf.Tensor; v: tf.Tensor }[];
}

interface InputTokens {
  /** int32 [B·T] */
  ids: tf.Tensor;
  /** int32 [B·T], positions of the tokens in their text. */
  positions: tf.Tensor;
  /** int32 [B·T, 2]: the keys [first, end) of its row that a token attends to. */
  visible: tf.Tensor;
  batch: number;
  length: number;
}

/** Padded rows of text, each seen whole. */
export interface TextInput extends InputTokens {
  kind: 'text';
  /** int32 [B·T], token types (BERT); null means zeros. */
  types: tf.Tensor | null;
  /**
   * Whose hidden states come back. `text`: those of the text's own tokens. `from_first`: of as many positions, but
   * counted from the first of all, which is a virtual token's when a prompt precedes the text: what a head for whole
   * texts reads (PEFT's pooler does).
   */
  states: 'text' | 'from_first';
}

/**
 * Rows of text whose keys and values are kept. Rows that continue have positions that go on where the cache ends, virtual
 * tokens counted, and `visible` counts within their row of the cache. Padding is what sees nothing, as in any input.
 */
export interface CachedInput extends InputTokens {
  kind: 'cached';
  cache: KeyValueCache;
  /**
   * For texts that begin: which of them goes to which row of the cache; one may go to several. Null: row i continues row i of
   * the cache.
   */
  begins: readonly (readonly [text: number, row: number])[] | null;
}

export type ModelInput = TextInput | CachedInput;

/** A tensor of the checkpoint on the device. */
export interface ModelTensor {
  /** As in the checkpoint: `model.layers.0.self_attn.q_proj.weight`. */
  name: string;
  value: { kind: 'matrix'; weight: Weight; transposed: boolean } | { kind: 'vector'; tensor: tf.Tensor };
  /** Of the objective's head: always trained, and saved with every method. */
  task?: true;
}

/**
 * From hidden states to logits over tokens: cap · tanh((transform(x)·Wᵀ + bias) / cap), of which most families have
 * only W.
 */
export interface LmHead {
  /** [vocab, d]; the embedding itself when tied. */
  weight: Weight;
  /** [vocab] */
  bias: tf.Tensor | null;
  softcap: number | null;
  /**
   * What precedes the projection: BERT's dense, activation and norm. [R, d] -> [R, d]. Its dense is among the model's
   * `linears`, so that it takes the hooks.
   */
  transform: ((hidden: tf.Tensor, hooks: Hooks) => tf.Tensor) | null;
}

/** The rows of texts that a head scores. */
export interface ScoredRows {
  batch: number;
  length: number;
  lengths: LiveInts;
  /** Makes inputs that last until the backward pass; new tensors when left out. */
  ints?: (use: string, values: LiveInts, shape: number[]) => tf.Tensor;
}

/** From hidden states to scores of labels. */
export interface ClassificationHead {
  kind: TaskKind;
  problemType: TaskData['problemType'];
  labels: string[];
  /** Where its modules are, as in `modules_to_save`: `score`, `classifier`, … */
  modules: string[];
  /** The hidden states that it reads. */
  states: TextInput['states'];
  /**
   * hidden [B·T, d] -> scores: [B, labels] for texts (`lengths` are the rows' real tokens), [B·T, labels] for tokens.
   */
  scores(hidden: tf.Tensor, input: ScoredRows, hooks: Hooks): tf.Tensor;
}

/**
 * What each head is. A further one (values, rewards) is a line here, its message in heads.ts, and a file that makes it.
 */
export interface HeadKinds {
  lm: LmHead;
  classification: ClassificationHead;
}
export type HeadName = keyof HeadKinds;

export interface LanguageModel {
  /** Hugging Face's model_type. */
  family: string;
  /** Decoders predict the next token; encoders see the whole text. */
  kind: 'decoder' | 'encoder';
  layers: number;
  /** A block's attention and feed-forward run in parallel on the same input (usually in GPT-NeoX). */
  parallel?: true;
  /** Paths of the blocks, `model.layers.0`, …: paths inside a block start with its path and a dot. */
  blockPaths: string[];
  hiddenSize: number;
  vocabSize: number;
  contextLength: number;
  /** Weights, counted as Hugging Face does (tied embeddings once). */
  parameters: number;
  /** Every tensor of the checkpoint that is on the device, a tied one once; then those of heads that objectives add. */
  tensors: ModelTensor[];
  /** Tensors that are another one, by the checkpoint's names: with tied embeddings, the output projection. */
  ties: readonly Tie[];
  /** Tensors of transformers' modules that take no part in computing: the first bias of an untied encoder's head. */
  idle: readonly ModelTensor[];
  /** Heads on the hidden states: the checkpoint's own, and those that objectives add. */
  heads: { readonly [N in HeadName]?: HeadKinds[N] };
  /** The model's own dropout rates (config.json). */
  dropout: DropoutRates;
  /** Standard deviation of a new head's initial weights (config.json). */
  initializerRange: number;
  /** Every linear that a method may wrap, in the order of execution; without the output projection. */
  linears: LinearModule[];
  /** int32 [N] -> [N, d]: embeddings before positions and blocks, scaled if the family scales them. */
  wordEmbeddings(ids: tf.Tensor): tf.Tensor;
  /** Hidden states after the final norm, [B·T, d]; of which positions, the input says. */
  hidden(input: ModelInput, hooks: Hooks): tf.Tensor;
  /** Attention's, of queries and of keys and values. */
  attentionHeads: { query: number; keyValue: number };
  /** kvHeads·headDim; null for encoders. */
  keyValueWidth: number | null;
  /** Null for encoders. */
  createCache: ((rows: number, capacity: number) => KeyValueCache) | null;
  dispose(): void;
}

export function disposeCache(cache: KeyValueCache): void {
  for (const { k, v } of cache.layers) {
    k.dispose();
    v.dispose();
  }
}

/** Whether a tensor belongs to the head that predicts tokens, which a checkpoint with a classification head lacks. */
export const isTokenHead = ({ family }: Pick<LanguageModel, 'family'>, name: string): boolean =>
  familyNamed(family).lmHead.test(name);
