/**
 * Recipes as the configs of other trainers, and back. Every field of a recipe has one row in a table (…-fields.ts, methods/,
 * objectives/), which says for each trainer under which keys it stands there and how, or why it cannot stand there. Exports and
 * imports read the same rows.
 */
import type { RecipePath } from '../fields';
import type { Recipe } from '../types';

/** `trl` also reads transformers' training arguments; `peft` is adapter_config.json. */
export type TrainerId = 'axolotl' | 'llamafactory' | 'trl' | 'peft';

export const trainerNames: Record<TrainerId, string> = {
  axolotl: 'Axolotl',
  llamafactory: 'LLaMA-Factory',
  trl: 'TRL',
  peft: 'PEFT',
};

/** Keys of a config; one inside another object is written with a dot: `trl.beta`. */
export type Config = Readonly<Record<string, unknown>>;

/** What a config says besides the recipe, known once the run's data have been read. */
export interface RunFacts {
  /** Where the trainer finds the base model, and the commit on the Hub. */
  base: { name: string; revision: string | null };
  /** The resolved limit in tokens. */
  maxLength: number;
  /** Optimiser steps of the run. */
  steps: number;
  /** Examples are held out. */
  validates: boolean;
  /** The base's config.json has a dropout above 0. */
  dropout: boolean;
  /** All linear layers by the ends of their names, for trainers that miss GPT-2's transposed ones; null where none is transposed. */
  transposed: readonly string[] | null;
  /** Where the adapter is that training starts from; null if the trainer makes a new one. */
  initialAdapter: string | null;
}

export interface Run {
  recipe: Recipe;
  facts: RunFacts;
  /** The trainer takes the warm-up of this objective as a number of steps only. */
  warmupInSteps: boolean;
}

/**
 * The value under a key of a config, dotted if it is inside another; undefined if it is missing or null. What is read counts as used
 * by the field that asked.
 */
export type ConfigReader = (key: string) => unknown;

/** How one trainer writes one field. */
export interface Entry {
  /** Keys and values; none if the trainer does the right thing without. Left out if it has no place for the field. */
  write?(value: unknown, run: Run): Config;
  /** The field's value in the recipe; undefined if the config does not say. Throws Unreadable. */
  read?(at: ConfigReader): unknown;
  /** What the trainer does if the config does not say, as a value of the recipe; left out if that is no setting of a run. */
  absent?: unknown;
  /** What of the value does not reach the trainer, as a sentence; null if all does. */
  lost?(value: unknown, run: Run): string | null;
}

/** A setting of a config that means something here, but not this value: the message ends the sentence "Left out: …". */
export class Unreadable extends Error {}

/** Of each field of a recipe, how each trainer writes it. `peft` knows only adapters. */
export type Row = Readonly<Record<Exclude<TrainerId, 'peft'>, Entry>> & { readonly peft?: Entry };

/** How one trainer says which method or objective it is, and its fields. */
interface TypeInTrainer<S extends { type: string }> {
  /** Keys that say so. */
  marks(section: S, run: Run): Config;
  /** Whether a config says so. The types are asked in the order of their registry; the last one takes what none has claimed. */
  is(at: ConfigReader, hint: string): boolean;
  /** Why the trainer cannot do this variant, as a sentence with what to do; null if it can. */
  refusal?(section: S, recipe: Recipe): string | null;
  /** The trainer refuses a warm-up that is a share of the run. */
  warmupInSteps?: true;
  /** The trainer makes a new adapter for this objective, whatever the config says. */
  newAdapter?: true;
  fields: { readonly [K in Exclude<keyof S, 'type'>]: Entry };
  /** Values of other fields that the trainer takes for this type if the config does not say. */
  absent?: Partial<Record<RecipePath, unknown>>;
}

/** A method or an objective in other trainers. Those that a trainer does not have are left out. */
export interface TypeConversion<S extends { type: string }> {
  type: S['type'];
  in: { readonly [T in TrainerId]?: TypeInTrainer<S> };
}
