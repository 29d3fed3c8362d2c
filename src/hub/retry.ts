/** When a transfer that failed is tried again without a person. */
import { TabtuneError } from '../base/errors';
import { BusyError, WebPageError } from './hub-errors';

/** Milliseconds before each retry. */
export const BACK_OFF: readonly number[] = [1000, 2000, 4000, 8000, 16_000];
/** The longest wait a server may ask for before the transfer stops and shows the error. */
const PATIENCE_SECONDS = 120;

/** Milliseconds to wait before retrying; null if retrying will not help without a person. */
export function delayFor(cause: unknown, planned: number | undefined): number | null {
  const passing = cause instanceof TabtuneError && cause.code === 'network' && !(cause instanceof WebPageError);
  if (!passing || planned === undefined) return null;
  if (!(cause instanceof BusyError) || cause.seconds === null) return planned;
  return cause.seconds <= PATIENCE_SECONDS ? Math.max(cause.seconds * 1000, planned) : null;
}
