/**
 * An objective as everything outside the engine sees it: its recipe fields, its goal card, how it learns from data, its metrics
 * and its names elsewhere. One file per objective, listed in all.ts; the twin in src/engine/objectives computes the loss.
 */
import type { ObjectiveData } from '../data/objective-data';
import type { DatasetFormat, TrainingSection } from '../recipe/sections';
import type { CombinedModel, FieldSpec, MethodTraits, ObjectiveTraits, OtherDefault, Refusal } from '../recipe/spec';

/** A card of the Recipe page. Objectives with the same goal share it; the first that the model can learn is chosen. */
export interface Goal {
  name: string;
  text: string;
  /** Shapes of data that are made for it. */
  formats: readonly DatasetFormat[];
}

/** A number that evaluation gives besides the loss. */
export interface MetricInfo {
  /** As in metrics.jsonl. */
  name: string;
  label: string;
  /** How to read it, in one sentence. */
  help: string;
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

  /** Besides the loss, in the order of the screen; those that a problem type does not give are left out there. */
  metrics: readonly MetricInfo[];
  /** PEFT's task_type; null if PEFT has no name for it. */
  taskType: string | null;
  /** transformers' Auto class that opens the base, and the Hub's pipeline_tag. */
  autoClass: string;
  pipelineTag: string;
  /** Python that asks the tuned model something. */
  python: string;
}
