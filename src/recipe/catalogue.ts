/**
 * Every field of a recipe, once: what it means, what it may hold, its default and where that comes from. The schema and
 * the defaults are built from this table and the Advanced screen is drawn from it, so none of them can disagree. The
 * table itself stands in catalogue/, section by section.
 */
import { datasetFields, modelFields, runFields } from './catalogue/data';
import { methodFields } from './catalogue/method';
import { objectiveFields } from './catalogue/objective';
import { trainingFields } from './catalogue/training';
import type { FieldSpec, RecipePath } from './fields';

export { columnParts } from './catalogue/data';

export const catalogue: Record<RecipePath, FieldSpec> = {
  ...runFields,
  ...modelFields,
  ...datasetFields,
  ...methodFields,
  ...objectiveFields,
  ...trainingFields,
};
