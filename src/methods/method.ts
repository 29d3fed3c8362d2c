/**
 * A fine-tuning method as seen by everything outside the engine: its recipe fields, card, checks and files. One file per method,
 * listed in all.ts; its twin in src/engine/methods implements the method.
 */
import type { AdapterFormat } from '../formats/adapter-format';
import type { ModelSection } from '../recipe/sections';
import type { CombinedModel, FieldSpec, MethodTraits, ObjectiveTraits, OtherDefault, Refusal } from '../recipe/spec';

export interface Paper {
  /** Authors and year. */
  by: string;
  title: string;
  /** arXiv number. */
  arxiv: string;
}

/** A cost on a card: words, or a number of bytes that depends on the model. */
export type Cost =
  | string
  | {
      bytes(model: { parameters: number; bytes: number }): number;
      /** `size` is the formatted number of bytes. */
      words(size: string): string;
      /** Shown while no model is open. */
      unknown: string;
    };

export interface MethodCard {
  group: 'adapter' | 'virtual_tokens' | 'model';
  /** When to use it. */
  text: string;
  memory: Cost;
  file: Cost;
  speed: string;
}

/** A named variant of a method with a paper of its own, such as DoRA. */
export interface MethodVariant {
  name: string;
  setting: string;
  changes: string;
  paper: Paper;
}

/** The settings that the strength slider changes besides the learning rate. */
export interface Sizes<S> {
  /** From very light to very strong. */
  stops: readonly [Partial<S>, Partial<S>, Partial<S>, Partial<S>, Partial<S>];
  /** The current size: `rank 16`. */
  words(section: S): string;
}

/** What a method's checks see besides its own section. */
export interface MethodContext {
  objective: ObjectiveTraits;
  model: Pick<ModelSection, 'quantization' | 'source'>;
}

export interface MethodDescriptor<S extends { type: string }> extends MethodTraits {
  type: S['type'];
  card: MethodCard;
  /** For docs/METHODS.md. */
  facts: {
    trained: string;
    saved: string;
    papers: readonly Paper[];
    variants?: { title: string; list: MethodVariant[] };
  };
  /** Every field of the section except `type`, in the order of the recipe file. */
  fields: { [K in Exclude<keyof S, 'type'>]: FieldSpec };
  /** Recipe path -> the method's own defaults; `when` tests the objective, and the first match wins. */
  defaults?: Record<string, readonly (OtherDefault & { when?(objective: ObjectiveTraits): boolean })[]>;
  sizes?: Sizes<S>;
  /** Learning rate for models of a few million parameters, such as the built-in one. */
  tinyModelRate?: number;

  /** Short form for the sidebar: `QLoRA r16`. */
  summary(section: S, quantized: boolean): string;
  /** What is trained, in one sentence. */
  sentence(section: S): string;
  /** Noun phrase for the model card: `A LoRA adapter`. */
  noun(section: S): string;

  /** Values that cannot work, whatever the rest of the recipe. */
  problems?(section: S): Iterable<Refusal>;
  /** Conflicts with the rest of the recipe. */
  refusals?(section: S, context: MethodContext): Iterable<Refusal>;
  /** Conflicts with the model. */
  modelRefusals?(section: S, model: CombinedModel): Iterable<Refusal>;
  /** Why this section cannot be used on quantised weights. */
  quantizedRefusal?(section: S): Refusal | null;
  /** Fields that other fields make ineffective, and why. */
  unused?(section: S): Iterable<{ key: keyof S & string; message: string }>;

  /** The text that virtual tokens start from; empty if there is none. */
  initText?(section: S): string;
  /** A change that reduces memory, for the advice when it runs short. */
  smaller?(section: S): { label: string; changes: Partial<S> } | null;
  /** Modules that are trained in full along with the adapter. */
  modulesToSave?(section: S): readonly string[];
  /** Fields that keep the recipe's values when an adapter is continued, since they concern only training. */
  keptWhenContinuing?: readonly (keyof S & string)[];
  /** What is said of the adapter's file where its settings differ from the recipe's; null if nothing does. */
  fileRemark?(section: S): string | null;
  /** Why llama.cpp cannot use such an adapter, as a sentence's second half; null if it can. Left out: it knows no such method. */
  llamaCpp?(section: S): string | null;
  /** The same of mlx-lm. */
  mlx?(section: S): string | null;
  /** The same of vLLM, or the value that its --max-lora-rank must have at least. */
  vllm?(section: S): string | { maxRank: number };
  /** The format that the adapter is saved in; null if the method trains the model itself. */
  files: AdapterFormat<S> | null;
}
