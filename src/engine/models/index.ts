/** The model families by Hugging Face's model_type. Adding a family adds a file and a line here. */
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

const families: Record<string, LoadFamily> = {
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

export const supportedFamilies = Object.keys(families);

export async function loadModel(
  config: Record<string, unknown>,
  source: WeightSource,
  options: LoadOptions = {},
): Promise<LanguageModel> {
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
  const loader = createLoader(source, options);
  try {
    return await load(config, loader);
  } catch (error) {
    loader.dispose();
    throw error;
  }
}
