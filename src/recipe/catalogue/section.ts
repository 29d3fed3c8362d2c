/** Types of the tables in this folder. */
import type { DatasetSection, ModelSection, TrainingSection } from '../sections';
import type { FieldSpec } from '../spec';

interface Sections {
  model: ModelSection;
  dataset: DatasetSection;
  training: TrainingSection;
}

/** Every field of a section, by its path: a field added to the section does not compile before it is in the table. */
export type SectionFields<S extends keyof Sections> = Record<`${S}.${keyof Sections[S] & string}`, FieldSpec>;
