/**
 * A recipe as a link: the shortest input that resolves to it, as JSON in base64url. It holds no data, and nothing that exists
 * only on the sender's device: own files, column names and folders are left out, and the receiver keeps theirs.
 */
import { TabtuneError } from '../base/errors';
import { minimalInput, nonDefaults } from './diff';
import type { RecipePath } from './fields';
import { parseRecipe } from './schema';
import { readingFields } from './sections';
import type { Recipe, RecipeInput } from './types';

/** Longest link that mail programs and chats pass on whole. */
const LONGEST = 8000;

const prefix = 'shared-';

/** Fields about one's own files, whatever their values. */
const own: ReadonlySet<string> = new Set(readingFields.map((key) => `dataset.${key}`));

/** Files and runs of this browser. */
const namesFile = (value: unknown): boolean => /"(file|run):/.test(JSON.stringify(value) ?? '');

/** What of a recipe goes into a link, and the fields that do not. */
export function shareable(recipe: Recipe): { input: RecipeInput; leftOut: RecipePath[] } {
  const ownData = namesFile(recipe.dataset);
  const leftOut = nonDefaults(recipe)
    .filter(
      ({ path, b }) =>
        namesFile(b) ||
        path === 'method.init_adapter' ||
        // A run is named after its file until somebody names it.
        (ownData && (path === 'name' || own.has(path))),
    )
    .map(({ path }) => path);
  const input = structuredClone(minimalInput(recipe)) as unknown as Record<string, Record<string, unknown> | undefined>;
  for (const path of leftOut) {
    const [section, key] = path.split('.') as [string, string | undefined];
    if (key === undefined) delete input[section];
    else delete input[section]?.[key];
    if (section === 'dataset' && Object.keys(input.dataset ?? {}).length === 0) delete input.dataset;
    if (section === 'model' && Object.keys(input.model ?? {}).length === 0) delete input.model;
  }
  return { input: input as unknown as RecipeInput, leftOut };
}

/** The last part of the address: `shared-…`. */
export function linkDetail(input: RecipeInput): string {
  const bytes = new TextEncoder().encode(JSON.stringify(input));
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  const detail = prefix + base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  if (detail.length > LONGEST) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: 'This recipe is too long for a link.',
      action: 'Save it as a file and send that.',
    });
  }
  return detail;
}

export const isLinkDetail = (detail: string): boolean => detail.startsWith(prefix);

/** The recipe of a link. Throws bad_recipe if it has been cut or changed, or has a field that does not exist. */
export function readLinkDetail(detail: string): RecipeInput {
  let text: string;
  try {
    const base64 = detail.slice(prefix.length).replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw TabtuneError.from(cause, {
      code: 'bad_recipe',
      message: 'This link does not hold a whole recipe.',
      action: 'It may have been cut when it was sent: ask for it again, or for the recipe as a file.',
    });
  }
  return parseRecipe(text);
}

/** A received recipe on the receiver's own data, unless it names data that comes with Tabtune. */
export function withShared(mine: RecipeInput, shared: RecipeInput): RecipeInput {
  const { model, dataset } = mine;
  const reading = Object.fromEntries(
    readingFields.flatMap((key) => {
      const value = (dataset as Record<string, unknown> | undefined)?.[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
  const kept = dataset?.source === undefined ? reading : { source: dataset.source, ...reading };
  const next = {
    ...shared,
    model: {
      ...(shared.model?.source === undefined && model?.source ? { source: model.source } : {}),
      ...shared.model,
    },
    dataset: { ...(shared.dataset?.source === undefined ? kept : {}), ...shared.dataset },
  };
  if (Object.keys(next.model).length === 0) Reflect.deleteProperty(next, 'model');
  if (Object.keys(next.dataset).length === 0) Reflect.deleteProperty(next, 'dataset');
  return next;
}
