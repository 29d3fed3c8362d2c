/**
 * An objective as everything outside the engine sees it: its recipe fields, its goal card, how it learns from data, its metrics
 * and its names elsewhere. One file per objective, listed in all.ts; the twin in src/engine/objectives computes the loss.
 */
import type { TaskData } from '../base/task';
import type { ObjectiveData } from '../data/objective-data';
import type { Batch } from '../data/types';
import type { Evaluated } from '../metrics';
import type { DatasetFormat, DatasetSection, ModelSection, TrainingSection } from '../recipe/sections';
import type { CombinedModel, FieldSpec, MethodTraits, ObjectiveTraits, OtherDefault, Refusal } from '../recipe/spec';

/** A card of the Recipe page. Objectives with the same goal share it; the first that the model can learn is chosen. */
export interface Goal {
  name: string;
  text: string;
  /** Shapes of data that are made for it. */
  formats: readonly DatasetFormat[];
}

/** A number that steps or evaluations give besides the loss. */
export interface MetricInfo {
  /** As in metrics.jsonl. */
  name: string;
  label: string;
  /** How to read it, in one sentence. */
  help: string;
  /** It has no upper end, so it does not share an axis with metrics that end at 1. */
  open?: true;
}

/** The scores of an objective on a batch: [rows, labels] or [rows · length, labels], row-major. */
export interface BatchScores {
  batch: Batch;
  values: Float32Array;
}

/** What the checks of an objective see besides its own section. */
export interface ObjectiveContext {
  training: Pick<
    TrainingSection,
    'label_smoothing_factor' | 'replay_ratio' | 'learning_rate' | 'ewc_lambda' | 'l2_sp_alpha'
  > &
    BatchSettings;
  model: Pick<ModelSection, 'source'>;
  dataset: Pick<DatasetSection, 'shuffle'>;
  /** What the method trains. */
  method: MethodTraits['trains'];
}

export type BatchSettings = Pick<TrainingSection, 'per_device_train_batch_size' | 'gradient_accumulation_steps'>;

/** How steps go through the examples. */
export interface Pace {
  /** Examples that are used together. */
  examples: number;
  /** Optimiser steps that are taken on them before the next ones. */
  steps: number;
  /** The learning rate moves when the examples change, not at every step. */
  heldRate?: true;
}

export interface ObjectiveDescriptor<S extends { type: string }> extends ObjectiveTraits {
  type: S['type'];
  goal: Goal;
  /** Which models can learn it. */
  models: 'decoder' | 'encoder' | 'any';
  /** What has labels; null if nothing has. */
  labels: 'texts' | 'words' | null;
  /** The task of its head, where it is the same for all data; adapters with such a head were trained for it. */
  task?: TaskData;
  /** Several texts can share a row: `data` has `pack`. */
  packs: boolean;
  /** How the data layer prepares its examples. Runs in the data worker. */
  data(section: S): ObjectiveData;
  /** Every field of the section but `type`, in the order of the recipe file. */
  fields: { [K in Exclude<keyof S, 'type'>]: FieldSpec };
  /** Left out: a step takes as many examples as its micro-batches have rows, once an epoch. */
  pace?(section: S, training: BatchSettings): Pace;
  /** The model answers prompts during training: the most tokens of an answer. */
  answerTokens?(section: S): number;
  /** Recipe path -> other defaults under this objective, the first match first; `when` looks at the method. */
  defaults?: Record<string, readonly (OtherDefault & { when?(method: MethodTraits): boolean })[]>;
  /** What does not work with the rest of the recipe. */
  refusals?(section: S, context: ObjectiveContext): Iterable<Refusal>;
  /** Fields that have no effect with the others' values. */
  unused?(section: S): Iterable<{ key: string; message: string }>;
  /** What works, but not as people expect. */
  notes?(section: S, context: ObjectiveContext): Iterable<Pick<Refusal, 'where' | 'message'>>;
  /** What does not work on this model. */
  modelRefusals?(section: S, model: CombinedModel): Iterable<Refusal>;
  /** Said under the goal's card when the section differs from what the card promises. */
  remark?(section: S): string | null;

  /** How to read the loss, in one sentence. */
  loss: string;
  /** Besides the loss, the most telling first. A run may give only some of them. */
  metrics: readonly MetricInfo[];
  /** What is drawn of its runs above everything else, and what is said of them (app/components/train/figures). */
  figures?: 'comparisons' | 'own_comparisons' | 'rewards';
  /** Why the loss does not show progress: its chart then comes last, under this sentence. */
  lossSaysLittle?: string;
  /** Metrics from the scores of a classification head on the held-out examples; left out without one. */
  measure?(task: TaskData, scores: readonly BatchScores[]): Evaluated;
  /** PEFT's task_type; null if PEFT has no name for it. */
  taskType: string | null;
  /** transformers' Auto class that opens the base, and the Hub's pipeline_tag. */
  autoClass: string;
  pipelineTag: string;
  /** Python that asks the tuned model something. */
  python: string;
}
