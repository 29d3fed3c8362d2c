/**
 * The recipe: all settings of a run as one JSON document. Field names are those of PEFT's LoraConfig and of TRL's and
 * transformers' TrainingArguments. `Recipe` is the resolved form with every default filled in; `RecipeInput` is the form found in
 * files, links and on the screen.
 */
import type { MethodSection } from '../methods';
import type { ObjectiveSection } from '../objectives';
import type { DatasetSection, ModelSection, TrainingSection } from './sections';

export type { MethodSection, MethodType } from '../methods';
export type { ObjectiveSection, ObjectiveType } from '../objectives';
export type {
  DatasetFormat,
  DatasetSection,
  LrSchedulerType,
  ModelSection,
  OptimizerName,
  TrainingSection,
} from './sections';

export interface Recipe {
  version: 1;
  name: string;
  model: ModelSection;
  dataset: DatasetSection;
  method: MethodSection;
  objective: ObjectiveSection;
  training: TrainingSection;
}

type PartialSection<T> = T extends { type: infer K } ? { type: K } & Partial<Omit<T, 'type'>> : Partial<T>;

export interface RecipeInput {
  version: 1;
  name?: string;
  model?: PartialSection<ModelSection>;
  dataset?: PartialSection<DatasetSection>;
  method?: PartialSection<MethodSection>;
  objective?: PartialSection<ObjectiveSection>;
  training?: PartialSection<TrainingSection>;
}
