/**
 * A model family as its config.json describes it: which fields matter, what they must be, and which tensors they imply.
 * No arithmetic and no GPU: the hub checks folders with it, the engine builds the model from the same config.
 */

import type { DropoutRates } from './dropout';

/** A tensor of the checkpoint by Hugging Face's name; a linear is stored [out, in], a Conv1D (GPT-2) [in, out]. */
export interface TensorSpec {
  name: string;
  shape: number[];
  /** May be missing: an output projection that is the embedding itself, a head that a bare encoder lacks. */
  optional?: boolean;
  /** Another tensor once more, which transformers ignores and some files carry all the same. */
  copy?: boolean;
  /** Read only where a text is to be classified (BERT's pooler): not among the model's parameters. */
  spare?: boolean;
}

/** What every family's config has, whatever its own names for it are. */
export interface FamilyConfig {
  model_type: string;
  vocab_size: number;
  hidden_size: number;
  num_hidden_layers: number;
  /** Positions the model was made for. */
  max_position_embeddings: number;
  /** The output projection is the embedding. */
  tie_word_embeddings: boolean;
  dropout: DropoutRates;
  /** Standard deviation of what a new head begins with. */
  initializer_range: number;
}

export interface Family<C extends FamilyConfig = FamilyConfig> {
  /** Hugging Face's model_type. */
  modelType: string;
  /** Classes that the weights may have been saved from; the first one is what Tabtune writes. */
  architectures: string[];
  /** Decoders write text; encoders read it whole. */
  kind: 'decoder' | 'encoder';
  /** Checks every field that decides shapes or arithmetic, defaults filled in. Throws `bad_model` naming the field. */
  readConfig(json: Record<string, unknown>): C;
  /** In the order of the forward pass. */
  tensors(config: C): TensorSpec[];
  /** Other names under which checkpoints carry a tensor: without the model's prefix, or from before a field was renamed. */
  storedAs?(name: string): string[];
  /** Tensors that old versions of transformers saved and none of them needs. */
  ignored?: RegExp;
}
