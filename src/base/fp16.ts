/** What a run with training.fp16 is compared with before its first step. */

/**
 * How far the first batch may be from 32 bits: about what 16-bit inputs with 32-bit sums do to SmolLM2's logits, of which the largest are
 * near 20, and nats of its loss.
 */
export const FP16_LIMITS = { logits: 0.04, loss: 1e-3 };

/**
 * What a run's first batch gave with 16-bit products: by how much its logits, at most, and its loss differ from those in 32 bits; null
 * for no finite number. Where that is too much, the run is in 32 bits.
 */
export interface Fp16Check {
  used: boolean;
  logits: number | null;
  loss: number | null;
  /** Products of its forward pass with inputs in 16 bits: without any there was nothing to compare. */
  products: number;
}
