/**
 * A fine-tuning method as everything outside the engine sees it: its recipe fields, its card, its checks, its files. One file per
 * method, listed in index.ts; the twin in src/engine/methods does the computing.
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

/** What a card says that something costs: words, or a number of bytes that depends on the model. */
export type Cost =
  | string
  | {
      bytes(model: { parameters: number; bytes: number }): number;
      /** `size` is the number of bytes as people read it. */
      words(size: string): string;
      /** While no model is open. */
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

/** A named setting of a method that has a paper of its own, such as DoRA. */
export interface MethodVariant {
  name: string;
  setting: string;
  changes: string;
  paper: Paper;
}

/** What the strength slider sets besides the learning rate. */
export interface Sizes<S> {
  /** From very light to very strong. */
  stops: readonly [Partial<S>, Partial<S>, Partial<S>, Partial<S>, Partial<S>];
  /** The present size: `rank 16`. */
  words(section: S): string;
}

/** What the checks of a method see besides its own section. */
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
  /** Every field of the section but `type`, in the order of the recipe file. */
  fields: { [K in Exclude<keyof S, 'type'>]: FieldSpec };
  /** Recipe path -> other defaults under this method, the first match first; `when` looks at the objective. */
  defaults?: Record<string, readonly (OtherDefault & { when?(objective: ObjectiveTraits): boolean })[]>;
  sizes?: Sizes<S>;
  /** Learning rate for models of a few million parameters, such as the built-in one. */
  tinyModelRate?: number;

  /** `QLoRA r16`, for the rail. */
  summary(section: S, quantized: boolean): string;
  /** What learns, in one sentence. */
  sentence(section: S): string;
  /** `A LoRA adapter`, for a model card. */
  noun(section: S): string;

  /** Values that cannot work, whatever the rest of the recipe says. */
  problems?(section: S): Iterable<Refusal>;
  /** What does not work with the rest of the recipe. */
  refusals?(section: S, context: MethodContext): Iterable<Refusal>;
  /** What does not work on this model. */
  modelRefusals?(section: S, model: CombinedModel): Iterable<Refusal>;
  /** Why this section cannot be used on quantised weights. */
  quantizedRefusal?(section: S): Refusal | null;
  /** Fields without effect beside the others, and why. */
  unused?(section: S): Iterable<{ key: keyof S & string; message: string }>;

  /** The text that virtual tokens start from; empty if none. */
  initText?(section: S): string;
  /** A change that makes the run smaller, for the memory advice. */
  smaller?(section: S): { label: string; changes: Partial<S> } | null;
  /** Modules that are trained whole beside the adapter. */
  modulesToSave?(section: S): readonly string[];
  /** Fields that stay the recipe's own if an adapter is continued, since they concern training only. */
  keptWhenContinuing?: readonly (keyof S & string)[];
  /** The folder that the adapter is saved in; null if the method trains the model itself. */
  files: AdapterFormat<S> | null;
}
