/** What storage does once a visit, before anything else uses it. */
import { collectGarbage } from './chunks';
import { openDatabase } from './database';
import { markInterrupted } from './runs';
import type { RunRecord } from './types';

/**
 * Opens the database (throws `storage` when it is blocked, forbidden or of a newer version), clears away writes that
 * were cut off, and finds runs that were. Returns those: they can be resumed.
 */
export async function startStorage(): Promise<RunRecord[]> {
  await openDatabase();
  await collectGarbage();
  return markInterrupted();
}
