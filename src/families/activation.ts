/** The feed-forward activations that can be computed, under the names of transformers' ACT2FN. */
import { choice } from './config';

const NAMES = ['gelu', 'gelu_new', 'gelu_fast', 'gelu_pytorch_tanh', 'silu', 'swish', 'relu'] as const;

export type ActivationName = (typeof NAMES)[number];

export function activationOf(json: Record<string, unknown>, field: string, fallback: ActivationName): ActivationName {
  return choice(json, field, NAMES, fallback);
}
