/**
 * Every field of a recipe: its meaning, values, default, and the source of the default. The schema, the defaults and the Advanced
 * screen are all built from this table, so they cannot disagree. Model, dataset and training are in catalogue/; the fields of
 * methods and objectives come from their descriptors (src/methods, src/objectives).
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
    help: 'What is trained: small modules added to a frozen model, the model’s own weights, or only a classification head.',
    source: 'Unsloth, LLaMA-Factory',
  }),
  ...sectionFields('method', methodOwners),
  'objective.type': typeField(objectiveOwners, {
    label: 'Objective',
    help: 'What the model learns: answers, plain text, text classes, word tags, masked words, or which answers are better.',
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
