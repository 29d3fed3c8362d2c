/** The model families by Hugging Face's model_type. Adding a family adds a file and a line here. */
import { TabtuneError } from '../../base/errors';
import { loadLlama } from './llama';
import type { CausalModel, WeightSource } from './model';

const families: Record<string, (config: Record<string, unknown>, source: WeightSource) => Promise<CausalModel>> = {
  llama: loadLlama,
};

export const supportedFamilies = Object.keys(families);

export async function loadModel(config: Record<string, unknown>, source: WeightSource): Promise<CausalModel> {
  const kind = String(config.model_type);
  const load = Object.hasOwn(families, kind) ? families[kind] : undefined;
  if (!load) {
    throw new TabtuneError({
      code: 'bad_model',
      message: `Models of the type "${kind}" are not supported.`,
      where: 'config.json: model_type',
      action: `Use a model of one of these types: ${supportedFamilies.join(', ')}.`,
    });
  }
  return load(config, source);
}
