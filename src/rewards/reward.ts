/**
 * A reward as everything sees it: its recipe fields, what it reads and its range. One file per reward, listed in all.ts. Rewards
 * score text on the CPU, in the data worker; two of them are computed elsewhere (`runs`).
 */
import type { Turns } from '../data/types';
import type { FieldSpec } from '../recipe/spec';

/** An answer of the model, as rewards see it. */
export interface ScoredAnswer {
  prompt: Turns;
  /** The answer without special tokens. */
  completion: string;
  /** The prompt's further columns in the dataset. */
  columns: Readonly<Record<string, unknown>>;
  /** It ended by itself, not at the limit of new tokens. */
  finished: boolean;
  /** Its tokens, with the end token if it wrote one. */
  tokens: ArrayLike<number>;
}

/** An answer to try rewards on. */
export type TriedAnswer = Pick<ScoredAnswer, 'prompt' | 'completion' | 'columns'>;

/** Null: the reward says nothing about this answer, and is left out of its sum. */
export type Score = (answer: ScoredAnswer) => number | null;

/** What every reward of a recipe has. */
export interface RewardCommon {
  /** What a point of it is worth in the sum. */
  weight: number;
  /** In metrics: `rewards/NAME/mean`. */
  name: string;
}

/** What is wrong with a reward: the field, and how it continues the field's name. */
export interface RewardRefusal {
  key: string;
  message: string;
  action?: string;
}

export interface RewardDescriptor<S extends { type: string }> {
  type: S['type'];
  label: string;
  /** What it rewards, in one sentence. */
  text: string;
  /** Where it is computed: by `scorer` in the data worker, by the person's code in its sandbox, or on the GPU. */
  runs: 'worker' | 'sandbox' | 'engine';
  /** Every field but the type and those of RewardCommon, in the order of the recipe file. */
  fields: { [K in Exclude<keyof S, 'type' | keyof RewardCommon>]: FieldSpec };
  /** Its least and greatest value; null if it has none. */
  range(section: S): readonly [number, number] | null;
  /** The columns of the dataset that it reads. */
  columns(section: S): readonly string[];
  /** What the schema of its fields cannot say. */
  problems?(section: S): Iterable<RewardRefusal>;
  /** A promise if code has to be loaded first. */
  scorer?(section: S): Score | Promise<Score>;
}

export const NO_COLUMNS = () => [];
export const ZERO_TO_ONE = () => [0, 1] as const;
