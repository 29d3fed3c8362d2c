/**
 * PEFT's LoRA (src/peft/tuners/lora/config.py): ΔW = s·B·A with A = `<path>.lora_A.weight` [r, in], B =
 * `<path>.lora_B.weight` [out, r] and s = lora_alpha/r, or lora_alpha/√r with use_rslora. Patterns may override r and
 * lora_alpha for some modules. With use_dora, each module also has a `<path>.lora_magnitude_vector` [out].
 */
import { TabtuneError } from '../../base/errors';
import { patternValue } from '../../base/module-names';
import { countField, fieldPlace, type Json, namesField, numberField, patternField, rankPattern } from './fields';
import { ADAPTER_WEIGHTS } from './folder';
import { peftKey, tensorPlace } from './keys';
import type { CommonConfig, PeftKind, PeftTensors } from './kind';
import { EXPORT_AGAIN, OTHER_KINDS, refuse } from './refuse';
import { checkTargets } from './targets';

/** Features of PEFT's LoRA that change the arithmetic or the keys, and that Tabtune does not support. */
const UNSUPPORTED = [
  'use_qalora',
  'use_bdlora',
  'lora_bias',
  'layer_replication',
  'trainable_token_indices',
  'target_parameters',
  'alora_invocation_tokens',
  'arrow_config',
  'kasa_config',
  'monteclora_config',
  'velora_config',
] as const;

/** Initialisations that leave the base weights unchanged; PiSSA, OLoRA, LoftQ, CorDA and LoRA-GA change them. */
const PLAIN_INITIALISATIONS: readonly unknown[] = [undefined, true, false, 'gaussian', 'eva', 'orthogonal'];

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

export interface PeftLoraConfig extends CommonConfig {
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  target_modules: string[];
  use_rslora: boolean;
  use_dora: boolean;
  rank_pattern: Record<string, number>;
  alpha_pattern: Record<string, number>;
  /** The targets are Conv1D modules, whose weights are stored as [in, out]. */
  fan_in_fan_out: boolean;
}

export const loraKind: PeftKind<PeftLoraConfig> = {
  type: 'LORA',
  read: readLora,
  onLinear(name, shape) {
    const { path, part } = partOf(name)!;
    return part === 'A' ? { path, width: shape[1]! } : { path, out: shape[0]! };
  },
  fields: (config) => ({
    alpha_pattern: config.alpha_pattern,
    bias: 'none',
    // As PEFT sets it for GPT-2's Conv1D modules; A and B have the same layout either way.
    fan_in_fan_out: config.fan_in_fan_out,
    init_lora_weights: true,
    // JSON has 16 here, not 16.0, which Ollama refuses because it reads uint32.
    lora_alpha: config.lora_alpha,
    lora_dropout: config.lora_dropout,
    r: config.r,
    rank_pattern: config.rank_pattern,
    target_modules: [...config.target_modules].sort(),
    use_dora: config.use_dora,
    use_rslora: config.use_rslora,
  }),
};

function readLora(config: Json, common: CommonConfig, tensors: () => { own: PeftTensors }): PeftLoraConfig {
  for (const key of UNSUPPORTED) {
    if (isSet(config[key])) {
      refuse(fieldPlace(key), `This adapter uses ${key}, which is not supported.`, OTHER_KINDS);
    }
  }
  if (config.bias !== undefined && config.bias !== 'none') {
    refuse(fieldPlace('bias'), 'This adapter also trains biases, which is not supported.', OTHER_KINDS);
  }
  if (!PLAIN_INITIALISATIONS.includes(config.init_lora_weights)) {
    refuse(
      fieldPlace('init_lora_weights'),
      `This adapter's initialisation (${JSON.stringify(config.init_lora_weights).slice(0, 40)}) changed its base model's weights.`,
      'Convert it to plain LoRA with save_pretrained(path_initial_model_for_weight_conversion=…) in PEFT.',
    );
  }
  // The fallbacks are LoraConfig's defaults, which a config may omit.
  const settings = {
    r: countField(config, 'r', 8),
    lora_alpha: numberField(config, 'lora_alpha', 8, Number.isFinite),
    lora_dropout: numberField(config, 'lora_dropout', 0, (n) => n >= 0 && n < 1),
    use_rslora: config.use_rslora === true,
    use_dora: config.use_dora === true,
    rank_pattern: rankPattern(config),
    alpha_pattern: patternField(config, 'alpha_pattern', Number.isFinite),
    fan_in_fan_out: config.fan_in_fan_out === true,
  };
  const paths = checkPairs(tensors().own, settings);
  checkTargets(config, paths);
  return {
    ...common,
    ...settings,
    // PEFT also accepts a regular expression or 'all-linear'; the tensors show which modules it matched.
    target_modules: (
      namesField(config, 'target_modules') ?? [...new Set(paths.map((path) => path.slice(path.lastIndexOf('.') + 1)))]
    ).sort(),
  };
}

const PARTS = { A: '.lora_A.weight', B: '.lora_B.weight', m: '.lora_magnitude_vector' } as const;
type Part = keyof typeof PARTS;

function partOf(name: string): { path: string; part: Part } | null {
  for (const [part, suffix] of Object.entries(PARTS)) {
    if (name.endsWith(suffix) && name.length > suffix.length) {
      return { path: name.slice(0, -suffix.length), part: part as Part };
    }
  }
  return null;
}

/** Checks that every module has all its tensors, with matching shapes. Returns the modules' paths. */
function checkPairs(
  tensors: PeftTensors,
  settings: Pick<PeftLoraConfig, 'r' | 'rank_pattern' | 'alpha_pattern' | 'lora_alpha' | 'use_dora'>,
): string[] {
  const found = new Map<string, Partial<Record<Part, number[]>>>();
  for (const [name, { shape }] of tensors) {
    const where = tensorPlace(peftKey(loraKind, name));
    const parsed = partOf(name);
    if (!parsed || (parsed.part === 'm' && !settings.use_dora)) {
      refuse(where, 'This tensor is not part of a LoRA pair on a linear module.', OTHER_KINDS);
    }
    const { path, part } = parsed;
    const r = patternOf('rank_pattern', settings.rank_pattern, path, settings.r);
    // Only for its errors; methods look the value up again.
    patternOf('alpha_pattern', settings.alpha_pattern, path, settings.lora_alpha);
    const rank = part === 'A' ? shape[0] : part === 'B' ? shape[1] : r;
    if (shape.length !== (part === 'm' ? 1 : 2) || rank !== r) {
      refuse(where, `Its shape [${shape}] does not match the rank in the config, r = ${r}.`, EXPORT_AGAIN);
    }
    found.set(path, { ...found.get(path), [part]: shape });
  }
  if (found.size === 0) refuse(ADAPTER_WEIGHTS, 'The file contains no LoRA weights.', EXPORT_AGAIN);
  for (const [path, parts] of found) {
    const needed: Part[] = settings.use_dora ? ['A', 'B', 'm'] : ['A', 'B'];
    const missing = needed.find((part) => !parts[part]);
    if (missing) {
      const where = tensorPlace(peftKey(loraKind, path + PARTS[missing]));
      refuse(
        where,
        missing === 'm' ? 'A module lacks its lora_magnitude_vector.' : `A module lacks its lora_${missing}.`,
        EXPORT_AGAIN,
      );
    }
    if (parts.m && parts.m[0] !== parts.B![0]) {
      const where = tensorPlace(peftKey(loraKind, path + PARTS.m));
      refuse(where, `It has ${parts.m[0]} values, but the module has ${parts.B![0]} outputs.`, EXPORT_AGAIN);
    }
  }
  return [...found.keys()];
}

/** Reports an untrusted pattern that cannot be matched as a fault of the file. */
function patternOf(key: string, pattern: Record<string, number>, path: string, fallback: number): number {
  try {
    return patternValue(pattern, path, fallback);
  } catch (error) {
    if (!(error instanceof TabtuneError)) throw error;
    return refuse(fieldPlace(key), error.message, OTHER_KINDS, error.details);
  }
}
