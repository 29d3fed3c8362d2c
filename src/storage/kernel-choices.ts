/**
 * Which kernels were timed to be best on each card, in a database of its own: it may be deleted at any time, and belongs to the
 * browser and not to a run. What does not have the expected form is ignored, and timed again.
 */
import { clear, createStore, entries, get, set } from 'idb-keyval';
import * as v from 'valibot';
import { FAMILIES } from '../base/kernels';
import type { KeptChoices } from '../base/product-class';
import { guarded } from './database';

const STORE = ['tabtune-kernels', 'choices'] as const;
let opened: ReturnType<typeof createStore> | null = null;
const store = () => {
  opened ??= createStore(...STORE);
  return opened;
};

const family = v.picklist(FAMILIES);
const count = v.pipe(v.number(), v.minValue(0));
const shape = v.object({
  kind: v.picklist(['nt', 'nn', 'tn']),
  ...{ rows: count, columns: count, steps: count },
  format: v.string(),
  inFours: v.boolean(),
  pieces: count,
  products: v.array(v.tuple([count, count])),
});
const form = v.object({
  version: v.string(),
  since: v.number(),
  clock: v.picklist(['gpu', 'page']),
  off: v.optional(v.literal(true)),
  classes: v.record(v.string(), v.object({ shape, usual: family, chosen: family, ms: v.record(family, count) })),
});

export const readChoices = (value: unknown): KeptChoices | null => {
  const read = v.safeParse(form, value);
  return read.success ? (read.output as KeptChoices) : null;
};

/** Null where nothing is kept that this version of the app can use. */
export async function keptChoices(card: string, version: string): Promise<KeptChoices | null> {
  const kept = readChoices(await guarded('reading the kernels of this GPU', () => get(card, store())));
  return kept?.version === version ? kept : null;
}

export const keepChoices = (card: string, choices: KeptChoices): Promise<void> =>
  guarded('keeping the kernels of this GPU', () => set(card, choices, store()));

/** Of all cards. */
export const forgetChoices = (): Promise<void> => guarded('forgetting the kernels of this GPU', () => clear(store()));

/** Of all cards, to be taken elsewhere. */
export const allChoices = async (): Promise<Record<string, unknown>> =>
  Object.fromEntries(await guarded('reading the kernels of this GPU', () => entries<string, unknown>(store())));

/** What was taken from elsewhere. What does not have the expected form is left out. */
export async function keepAllChoices(all: Record<string, unknown>): Promise<void> {
  for (const [card, value] of Object.entries(all)) {
    const choices = readChoices(value);
    if (choices) await keepChoices(card, choices);
  }
}
