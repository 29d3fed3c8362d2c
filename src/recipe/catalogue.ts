/**
 * Every field of a recipe, once: its meaning, its values, its default and where that comes from. The schema and the defaults
 * are built from this table and the Advanced screen is drawn from it, so they cannot disagree. Model, dataset and training are in
 * catalogue/; the fields of methods and objectives come from their descriptors (src/methods, src/objectives).
 */
import { methods } from '../methods';
import { objectives } from '../objectives';
import { datasetFields, modelFields, runFields } from './catalogue/data';
import { trainingFields } from './catalogue/training';
import {
  type DefaultsOwner,
  defaultVariants,
  type FieldOwner,
  sectionFields,
  typeField,
} from './catalogue/typed-section';
import type { FieldSpec, MethodTraits, ObjectiveTraits } from './spec';

export { columnParts } from './catalogue/data';

const methodOwners = methods as unknown as readonly (FieldOwner & MethodTraits & DefaultsOwner<ObjectiveTraits>)[];
const objectiveOwners = objectives as unknown as readonly (FieldOwner &
  ObjectiveTraits &
  DefaultsOwner<MethodTraits>)[];

const plain: Record<string, FieldSpec> = {
  ...runFields,
  ...modelFields,
  ...datasetFields,
  'method.type': typeField(methodOwners, {
    label: 'Method',
    help: 'What learns: small parts added to a frozen model, its own weights, or only the head of a classifier.',
    source: 'Unsloth, LLaMA-Factory',
  }),
  ...sectionFields('method', methodOwners),
  'objective.type': typeField(objectiveOwners, {
    label: 'Objective',
    help: 'What is learned: answers, plain text, classes of texts, tags of words, or masked words.',
    source: 'TRL',
  }),
  ...sectionFields('objective', objectiveOwners),
  ...trainingFields,
};

const more = [
  defaultVariants('method', methodOwners, objectiveOwners),
  defaultVariants('objective', objectiveOwners, methodOwners),
];

export const catalogue: Record<string, FieldSpec> = Object.fromEntries(
  Object.entries(plain).map(([path, spec]) => {
    const variants = [...(spec.variants ?? []), ...more.flatMap((byPath) => byPath[path] ?? [])];
    return [path, (variants.length > 0 ? { ...spec, variants } : spec) as FieldSpec];
  }),
);
