/** Self-Instruct: from seed tasks a model writes its own dataset. Pure functions; session/self-instruct.ts asks the model. */
export { emptyFunnel, type FunnelStep, type FunnelView, funnelOf } from './funnel';
export { funnelText, stepWords } from './funnel-words';
export { inputFirst, type KeptInstances, keepInstances, outputFirst } from './instances';
export { cutAt, refusedBy, splitInstructions } from './instructions';
export {
  classificationPrompt,
  instancePrompt,
  instructionPrompt,
  type ModelPrompt,
  SHOTS,
  SHOWN,
  saysYes,
  shotsOf,
} from './prompts';
export { MOST_SEEDS, readSeedTasks, seedTasksOf } from './read-seeds';
export { RougePool } from './rouge-pool';
export * from './rounds';
export { type DatasetRow, datasetLines, datasetRows, machineRows } from './rows';
export { seedTasks } from './seed-tasks';
export * from './types';
