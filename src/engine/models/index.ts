/**
 * The model families by Hugging Face's model_type, each the twin of its descriptor in src/families. Adding one adds a
 * file and a line in all.ts, here and in src/families.
 */
import { TabtuneError } from '../../base/errors';
import { readFamilyConfig, type Tie, tiesOf } from '../../families';
import * as all from './all';
import type { LanguageModel, WeightSource } from './model';
import { createLoader, type Loader, type LoadOptions } from './weights';

/** Builds the model from its config; the loader frees what it loaded when this fails. */
type LoadFamily = (config: Record<string, unknown>, load: Loader) => Promise<LanguageModel>;

export const loaders: Record<string, LoadFamily> = { ...all };

function tiesOfConfig(json: Record<string, unknown>): Tie[] {
  const { family, config } = readFamilyConfig(json);
  return tiesOf(family, config);
}

export async function loadModel(
  config: Record<string, unknown>,
  source: WeightSource,
  options: LoadOptions = {},
): Promise<LanguageModel> {
  const kind = String(config.model_type);
  const load = Object.hasOwn(loaders, kind) ? loaders[kind] : undefined;
  if (!load) {
    throw new TabtuneError({
      code: 'bad_model',
      message: `Models of the type "${kind}" are not supported.`,
      where: 'config.json: model_type',
      action: `Use a model of one of these types: ${Object.keys(loaders).join(', ')}.`,
    });
  }
  const loader = createLoader(source, options);
  try {
    const model = await load(config, loader);
    return { ...model, ties: model.heads.lm ? tiesOfConfig(config) : [] };
  } catch (error) {
    loader.dispose();
    throw error;
  }
}
