/** The model families by Hugging Face's model_type. Adding a family adds a file here, one in engine/models, and two lines. */
import { refuse, show } from '../base/bad-model';
import { bert } from './bert';
import { CONFIG, RESTORE } from './config';
import { distilbert } from './distilbert';
import type { Family, FamilyConfig, TensorSpec } from './family';
import { gemma2 } from './gemma2';
import { gemma3 } from './gemma3';
import { gptNeox } from './gpt-neox';
import { gpt2 } from './gpt2';
import { llama } from './llama';
import { mistral } from './mistral';
import { phi3 } from './phi3';
import { qwen2 } from './qwen2';
import { qwen3 } from './qwen3';
import { roberta } from './roberta';
import { smollm3 } from './smollm3';
import { headClass, headTensors, type StoredHead, storedHead } from './task-heads';

// biome-ignore lint/suspicious/noExplicitAny: each family reads a config of its own, and gives it back to itself only
const families: Family<any>[] = [
  llama,
  mistral,
  qwen2,
  qwen3,
  gemma2,
  gemma3,
  phi3,
  smollm3,
  gpt2,
  gptNeox,
  bert,
  roberta,
  distilbert,
];

export const supportedFamilies: string[] = families.map(({ modelType }) => modelType);

/** The family of a config.json, which is as yet unread but for its type. Throws `bad_model` with the list of those that work. */
export function familyOf(json: Record<string, unknown>): Family<FamilyConfig> {
  const { model_type, architectures } = json;
  const other = `Choose a model of one of these types: ${supportedFamilies.join(', ')}.`;
  if (typeof model_type !== 'string') {
    refuse(`${CONFIG}, model_type`, 'config.json does not say what type of model this is.', RESTORE);
  }
  const family = families.find(({ modelType }) => modelType === model_type);
  if (!family && model_type === 'gemma3') {
    // Its weights hold a vision tower, and the text model under other names.
    refuse(`${CONFIG}, model_type`, 'This is Gemma 3 with images; only its text models can be opened.', other);
  }
  if (!family) refuse(`${CONFIG}, model_type`, `Models of the type ${show(model_type)} cannot be opened.`, other);
  if (architectures !== undefined && architectures !== null) {
    const classes = (['sequence_classification', 'token_classification'] as const).map((kind) =>
      headClass(family, kind),
    );
    const known =
      Array.isArray(architectures) &&
      architectures.some((name) => family.architectures.includes(name) || classes.includes(name));
    if (!known) {
      refuse(
        `${CONFIG}, architectures`,
        `The model is saved as ${show(architectures)}, not as ${family.architectures.join(' or ')}.`,
        other,
      );
    }
  }
  if (json.quantization_config !== undefined && json.quantization_config !== null) {
    refuse(
      `${CONFIG}, quantization_config`,
      'The weights are stored quantised in a way that cannot be opened.',
      'Choose the model in its original precision (bfloat16, float16 or float32), or as a GGUF file.',
    );
  }
  return family;
}

/** config.json understood: its family and the family's checked config. Throws `bad_model`. */
export function readFamilyConfig(json: Record<string, unknown>): {
  family: Family<FamilyConfig>;
  config: FamilyConfig;
  /** The classification head that the checkpoint has in place of a language-modelling one; null without. */
  head: StoredHead | null;
} {
  const family = familyOf(json);
  return { family, config: family.readConfig(json), head: storedHead(family, json) };
}

/** The tensors that a checkpoint holds, its head's among them; what only its language-modelling head needs may be missing. */
export function checkpointTensors(
  family: Family<FamilyConfig>,
  config: FamilyConfig,
  head: StoredHead | null,
): TensorSpec[] {
  const specs = family.tensors(config);
  if (!head) return specs;
  const output = ['lm_head.weight', 'embed_out.weight'];
  return [
    ...specs.map((spec) => (output.includes(spec.name) ? { ...spec, optional: true } : spec)),
    ...headTensors(family, config, head),
  ];
}
