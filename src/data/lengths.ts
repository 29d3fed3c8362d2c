/** Lengths of examples in whole buckets. */
import { bucketFor } from './batches';

/** TRL's default limit: what most computers have memory for. */
export const USUAL_MAX_LENGTH = 1024;

/** A length rounded up to what rows are padded to. */
export function wholeBuckets(tokens: number): number {
  const bucket = bucketFor(tokens);
  return Math.max(bucket, Math.ceil(tokens / bucket) * bucket);
}

/** A limit that nearly any computer has memory for: 19 of 20 examples fit in it, or it is TRL's default. */
export const usualLength = (percentile95: number) => Math.min(wholeBuckets(percentile95), USUAL_MAX_LENGTH);
