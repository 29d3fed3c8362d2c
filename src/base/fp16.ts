/** What a run with training.fp16 is compared with before its first step. */

/**
 * How far the first batch may be from 32 bits: about what 16-bit inputs with 32-bit sums do to SmolLM2's logits, of which the largest are
 * near 20, and nats of its loss.
 */
export const FP16_LIMITS = { logits: 0.04, loss: 1e-3 };
