/** Storage start-up, once per visit, before anything else uses it. */
import { collectGarbage } from './chunks';
import { openDatabase } from './database';
import { markInterrupted } from './runs';
import type { RunRecord } from './types';

/**
 * Opens the database (throws `storage` if it is blocked, forbidden or from a newer version), deletes the remains of
 * interrupted writes and marks interrupted runs. Returns those runs, which can be resumed.
 */
export async function startStorage(): Promise<RunRecord[]> {
  await openDatabase();
  await collectGarbage();
  return markInterrupted();
}
