/** The question what a run of a model would take, from its config alone. */
import type { PrecisionPlan } from './descriptions';

export type PlanModel = (what: {
  /** config.json as it is. */
  config: Record<string, unknown>;
  /** Of most weights, e.g. `BF16` or `Q4_K`. */
  dtype: string;
  /** Weights of a GGUF file are used as they come. */
  kind: 'safetensors' | 'gguf';
}) => Promise<PrecisionPlan[]>;
