/** Metrics of model quality. Pure functions of numbers and texts. */
export { classificationMetrics, type Evaluated, highest } from './classification';
export { entitiesOf, tokenMetrics } from './entities';
export { commonLength, exactMatch, normalizeAnswer, overlapOf, rougeL, rougeWords } from './text';
