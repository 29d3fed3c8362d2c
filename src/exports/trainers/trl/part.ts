/** What the writer of TRL scripts asks of its parts: one file for each objective and method that TRL, transformers and PEFT know. */
import type { TokenizedExample } from '../../../data/types';
import type { TrainingData } from '../training-data';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** Fields of a config class in order, as a script's keyword arguments and as the keys of Accelerate's files. */
export type Settings = Record<string, Json>;

/** Python that a part adds to the script. */
export interface Python {
  /** Import statements. */
  imports: readonly string[];
  /** Whole definitions, in order. */
  definitions: readonly string[];
  /** Classes that the Trainer's is derived from, ahead of TRL's. */
  mixins?: readonly { name: string; code: string }[];
}

/** `trl NAME --config FILE` */
export interface Command<S> {
  name: string;
  /** Whether its trainer takes the rows as tokens, or tokenises them itself. */
  reads: 'tokens' | 'text';
  /** It packs rows if told to, and its validation loss is a mean of batches whose targets differ in number. */
  texts?: true;
  /** It refuses to shuffle. */
  inOrder?(section: S): boolean;
}

export interface TrlObjective<S extends { type: string }> {
  type: S['type'];
  /** The Trainer's class, its config's, and the module of both. */
  trainer: { name: string; config: string; module: string };
  /** Null where TRL's command line has no such trainer. */
  command: Command<S> | null;
  /** Its trainer can tell virtual tokens from those of the rows. */
  virtualTokens?: true;
  /** A line of the data files. */
  row(example: TokenizedExample, data: TrainingData): Settings;
  /** Of rows that are drawn anew each time, those of a micro-batch. `pass` counts the run's micro-batches; it is null in evaluation. */
  drawn?(
    section: S,
    rows: readonly TokenizedExample[],
    draw: { data: TrainingData; vocabSize: number; pass: number | null },
  ): Settings[];
  /** Defines `collate(rows)` and `targets_of(batch)`. */
  batches(data: TrainingData): Python;
  /**
   * `step`: the trainer divides by the targets of a whole step itself. `micro_batch`: its loss is a mean over a micro-batch, so the
   * script weighs each.
   */
  mean: 'step' | 'micro_batch';
  /** The loss compares the rows of a micro-batch, or averages over their tokens, so several processes must not share one. */
  wholeBatches?(section: S): boolean;
  /** Of the config class, besides those of every trainer. */
  settings(section: S, data: TrainingData): Settings;
  /** Why this variant has no script, as a sentence with what to do; null if it has one. */
  refusal?(section: S, data: TrainingData): string | null;
  /** What is computed otherwise than in Tabtune, a sentence each. */
  differences?(section: S, data: TrainingData): Iterable<string>;
}

export interface TrlMethod<S extends { type: string }> {
  type: S['type'];
  /** What the script leaves in `output`, and Tabtune opens. */
  leaves: 'adapter' | 'model';
  /** What it puts before every row: embeddings in front of those of the row, or keys and values only. */
  virtualTokens?: 'embeddings' | 'prefix';
  /** Puts the method on `model`: lines of a function body. */
  attach(section: S): readonly string[];
  /** The body of the script's `save`; null for the Trainer's own. */
  save?(section: S): string | null;
  python?(section: S, data: TrainingData): Python;
  /** Why this variant has no script, as a sentence with what to do; null if it has one. */
  refusal?(section: S, data: TrainingData): string | null;
  differences?(section: S, data: TrainingData): Iterable<string>;
}
