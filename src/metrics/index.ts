/** Metrics of model quality. Pure functions of numbers and texts. */
export { classificationMetrics, classMetrics, type Evaluated, highest, type ProblemType } from './classification';
export { areEntityTags, type Entity, entitiesOf, tokenMetrics } from './entities';
export { meanAbsoluteError, meanSquaredError, pearson, spearman } from './regression';
export { type ClassReport, type ClassScore, confusionMatrix, matthews } from './report';
export { exactMatch, normalizeAnswer, type Overlap, perplexity, rougeL } from './text';
