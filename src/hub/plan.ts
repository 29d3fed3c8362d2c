/** Plans the GPU memory for a run of a model from its config alone. */
import type { PrecisionPlan } from './descriptions';

export type PlanModel = (what: {
  /** config.json, unmodified. */
  config: Record<string, unknown>;
  /** The type of most weights, e.g. `BF16` or `Q4_K`. */
  dtype: string;
  /** Weights of a GGUF file are used as stored. */
  kind: 'safetensors' | 'gguf';
}) => Promise<PrecisionPlan[]>;
