/** The model families by Hugging Face's model_type, each the twin of its descriptor in src/families. */
import { TabtuneError } from '../../base/errors';
import { loadBert } from './bert';
import { loadDistilbert } from './distilbert';
import { loadGemma2 } from './gemma2';
import { loadGemma3 } from './gemma3';
import { loadGptNeox } from './gpt-neox';
import { loadGpt2 } from './gpt2';
import { loadLlama } from './llama';
import { loadMistral } from './mistral';
import type { LanguageModel, WeightSource } from './model';
import { loadPhi3 } from './phi3';
import { loadQwen2 } from './qwen2';
import { loadQwen3 } from './qwen3';
import { loadRoberta } from './roberta';
import { loadSmolLM3 } from './smollm3';
import { createLoader, type Loader, type LoadOptions } from './weights';

/** Builds the model from its config; the loader frees what it loaded when this fails. */
type LoadFamily = (config: Record<string, unknown>, load: Loader) => Promise<LanguageModel>;

export const loaders: Record<string, LoadFamily> = {
  llama: loadLlama,
  mistral: loadMistral,
  qwen2: loadQwen2,
  qwen3: loadQwen3,
  gemma2: loadGemma2,
  gemma3_text: loadGemma3,
  phi3: loadPhi3,
  smollm3: loadSmolLM3,
  gpt2: loadGpt2,
  gpt_neox: loadGptNeox,
  bert: loadBert,
  roberta: loadRoberta,
  distilbert: loadDistilbert,
};

export const supportedFamilies = Object.keys(loaders);

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
    return await load(config, loader);
  } catch (error) {
    loader.dispose();
    throw error;
  }
}
