/**
 * The recipe as its run will have it. An adapter that a run continues brings its own settings (rank, targets, virtual tokens),
 * and everything that looks at the recipe must look at those: checks, forecast, the room for texts, the record.
 */
import type { AdapterFiles } from '../formats/adapter-format';
import { methodOf } from '../methods';
import { continuedRecipe, decodeAdapter } from '../methods/read-adapter';
import type { MethodSection, Recipe } from '../recipe/types';
import type { OpenModel } from './models';

export interface ContinuedNeeds {
  /** Throws when it is not open. */
  model(source: string): OpenModel;
  /** The files of `method.init_adapter`. */
  adapterFiles(source: string): Promise<AdapterFiles>;
}

/** The source of the adapter that a run continues; null for a new one. */
export const initAdapterOf = ({ method }: Pick<Recipe, 'method'>): string | null =>
  'init_adapter' in method ? method.init_adapter : null;

export class ContinuedRecipes {
  /** Reading an adapter takes a moment, and the screen asks after every change. */
  private readonly known = new WeakMap<AdapterFiles, { model: OpenModel; section: MethodSection }>();

  constructor(private readonly needs: ContinuedNeeds) {}

  /** Throws bad_adapter if the adapter cannot be read or does not fit the open model. */
  async of(recipe: Recipe): Promise<Recipe> {
    const source = initAdapterOf(recipe);
    if (source === null) return recipe;
    const model = this.needs.model(recipe.model.source);
    const files = await this.needs.adapterFiles(source);
    const before = this.known.get(files);
    const section = before?.model === model ? before.section : fitted(files, model);
    this.known.set(files, { model, section });
    return continuedRecipe(recipe, section);
  }
}

/** Under the names that the run will use. */
function fitted(files: AdapterFiles, { adapterModel }: OpenModel): MethodSection {
  const adapter = decodeAdapter(files);
  return methodOf(adapter.section).files!.fit(adapter, adapterModel).section;
}
