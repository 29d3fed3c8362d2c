/**
 * A model family: all that is known about it outside the engine. How its config.json reads, which tensors follow, and what
 * transformers, PEFT and AdapterHub call its parts (llama.cpp's names are in `gguf/`, loaded when needed). No arithmetic and no
 * GPU: the hub checks folders with it, and the file of the same name in engine/models builds the model from the same config.
 */

import type { AdapterHubPlaces } from './adapterhub';
import type { DropoutRates } from './dropout';
import type { ClassificationHeads } from './heads';
import type { Spelling, SpellingId } from './rope-spellings';

/** A tensor of the checkpoint by Hugging Face's name; a linear is stored [out, in], a Conv1D (GPT-2) [in, out]. */
export interface TensorSpec {
  name: string;
  shape: number[];
  /** May be missing: an output projection that is the embedding itself, a head that a bare encoder lacks. */
  optional?: boolean;
  /**
   * With tie_word_embeddings, this tensor is that one, and files need not hold it. transformers 5 ties the two unless a file
   * holds both with different values; hub/ties.ts does the same.
   */
  tiedTo?: string;
  /** Read only to classify texts (BERT's pooler): not counted among the model's parameters. */
  spare?: boolean;
}

/** Every family's config has these, whatever config.json calls them. */
export interface FamilyConfig {
  model_type: string;
  vocab_size: number;
  hidden_size: number;
  num_hidden_layers: number;
  /** Positions that the model was made for. */
  max_position_embeddings: number;
  /** The output projection is the embedding. */
  tie_word_embeddings: boolean;
  dropout: DropoutRates;
  /** Standard deviation of a new head's weights. */
  initializer_range: number;
}

/** Modules that PEFT picks by itself, by the ends of their names. */
export interface PeftDefaults {
  /**
   * Its TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING and …_FEEDFORWARD_MODULES_MAPPING. A family without an entry
   * there gets the modules that do the same job: keys and values, or the projection that fuses them, and the linear out of
   * the feed-forward.
   */
  ia3: { target_modules: readonly string[]; feedforward_modules: readonly string[] };
}

export interface Family<C extends FamilyConfig = FamilyConfig> {
  /** Hugging Face's model_type. */
  modelType: string;
  /** Classes that the weights may have been saved from; Tabtune writes the first one. */
  architectures: readonly string[];
  /** Decoders write text; encoders read it whole. */
  kind: 'decoder' | 'encoder';
  /** Types of models that look like this family and cannot be opened, each with the reason. */
  refused?: Record<string, string>;

  /** Checks every field that decides shapes or arithmetic, and fills in defaults. Throws `bad_model` naming the field. */
  readConfig(json: Record<string, unknown>): C;
  /**
   * Fields of an exported config.json under every name that readers know them by; they replace those of the source. Positions have theirs in
   * rope-spellings.ts, which only exports need.
   */
  spellings?: SpellingId | Spelling<C>;
  /**
   * What llama.cpp's converters (convert_hf_to_gguf.py, convert_lora_to_gguf.py) take of this family, as scripts/interop tries
   * with every family; left out for families that llama.cpp does not have, or only to embed texts (`gguf/` has all others).
   * `vocabulary`: what the first one needs besides tokenizer.json, unless the tokenizer is of that class.
   */
  llamaCpp?: { lora: boolean; vocabulary?: { file: string; unless?: string } };
  /**
   * How mlx-lm takes these models and their adapters, as scripts/interop tries: why it cannot, as a sentence's second half, or in what it
   * computes otherwise than transformers. Left out: it has no such models.
   */
  mlx?: { refused?: string; note?(config: C): string | null };
  /** Why vLLM cannot put an adapter onto these models; null if it can. Left out: it knows no adapters of such models. */
  vllm?: string | null;
  /**
   * The class of its tokenizer takes single words only if it puts a space before them, as words inside a text have it and as they are
   * trained (transformers' own run_ner.py lists these families).
   */
  prefixesWords?: true;
  /** Fields of config.json that transformers accepts as floats only, besides the norms' ε and `initializer_range`. */
  floatFields?: readonly string[];

  /** In the order of the forward pass. */
  tensors(config: C): TensorSpec[];
  /** Other names under which checkpoints store a tensor: without the model's prefix, or from before a field was renamed. */
  storedAs?(name: string): string[];
  /** Modules that transformers 5 calls otherwise than the checkpoint does. PEFT's files have transformers' names. */
  renamedModules?: Readonly<Record<string, string>>;
  /** Tensors that old versions of transformers saved and no version needs. */
  ignored?: RegExp;
  /** Precedes an encoder's paths in transformers' classes with a head (`bert.`); the bare encoder has no prefix. */
  prefix?: string;
  /** Names of the language-modelling head's tensors, which a checkpoint with a classification head lacks. */
  lmHead: RegExp;

  heads: ClassificationHeads;
  peft: PeftDefaults;
  adapterHub: AdapterHubPlaces;
}
