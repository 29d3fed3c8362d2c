/**
 * An objective as everything outside the engine sees it: its recipe fields, its goal card, how it learns from data, its metrics
 * and its names elsewhere. One file per objective, listed in all.ts; the twin in src/engine/objectives computes the loss.
 */
import type { TaskData } from '../base/task';
import type { ObjectiveData } from '../data/objective-data';
import type { Batch } from '../data/types';
import type { Evaluated } from '../metrics';
import type { DatasetFormat, TrainingSection } from '../recipe/sections';
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
  training: Pick<TrainingSection, 'label_smoothing_factor'>;
}

export interface ObjectiveDescriptor<S extends { type: string }> extends ObjectiveTraits {
  type: S['type'];
  goal: Goal;
  /** Which models can learn it. */
  models: 'decoder' | 'encoder' | 'any';
  /** What has labels; null if nothing has. */
  labels: 'texts' | 'words' | null;
  /** Several texts can share a row: `data` has `pack`. */
  packs: boolean;
  /** How the data layer prepares its examples. Runs in the data worker. */
  data(section: S): ObjectiveData;
  /** Every field of the section but `type`, in the order of the recipe file. */
  fields: { [K in Exclude<keyof S, 'type'>]: FieldSpec };
  /** Recipe path -> other defaults under this objective, the first match first; `when` looks at the method. */
  defaults?: Record<string, readonly (OtherDefault & { when?(method: MethodTraits): boolean })[]>;
  /** What does not work with the rest of the recipe. */
  refusals?(section: S, context: ObjectiveContext): Iterable<Refusal>;
  /** What does not work on this model. */
  modelRefusals?(section: S, model: CombinedModel): Iterable<Refusal>;
  /** Said under the goal's card when the section differs from what the card promises. */
  remark?(section: S): string | null;

  /** How to read the loss, in one sentence. */
  loss: string;
  /** Besides the loss, the most telling first. A run may give only some of them. */
  metrics: readonly MetricInfo[];
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
