/** Types of the tables in this folder. */
import type { DatasetSection, ModelSection, TrainingSection } from '../sections';
import type { FieldSpec } from '../spec';

interface Sections {
  model: ModelSection;
  dataset: DatasetSection;
  training: TrainingSection;
}

/** Every field of a section by its path. A field that is added to the section but not to its table is a compile error. */
export type SectionFields<S extends keyof Sections> = Record<`${S}.${keyof Sections[S] & string}`, FieldSpec>;
