/**
 * LoRA as stored in PEFT's files: the fields of adapter_config.json that depend on the model, and the tensors. PiSSA is exported
 * as plain LoRA with twice the rank on the unchanged base, as PEFT does with `path_initial_model_for_weight_conversion`:
 * A' = [A; A₀], B' = [B, −B₀], with alpha doubled to keep the scale.
 *
 * Readers differ in how they scale B·A. PEFT knows rsLoRA and alpha_pattern; llama.cpp divides lora_alpha by each tensor's own
 * rank, whatever else the config says, and takes an alpha of 0 for 1. So that all compute the same ΔW, the file has only what
 * all agree on: one lora_alpha, divided by a module's rank, and what differs from that is multiplied into B.
 */
import { unmatchedKeys } from '../../base/module-names';
import type { LanguageModel } from '../models/model';
import { readFloats } from '../webgpu/backend';
import { type LoraModule, type LoraSettings, loraModules, loraNames } from './lora-scale';
import type { Method } from './method';
import { readTensors } from './read-tensors';
import { shortTargets } from './targets';
import type { NamedTensors } from './tensors';

/** The fields of PEFT's LoraConfig that vary between runs. */
export interface LoraExport {
  config: {
    r: number;
    lora_alpha: number;
    lora_dropout: number;
    target_modules: string[];
    use_rslora: boolean;
    use_dora: boolean;
    rank_pattern: Record<string, number>;
    alpha_pattern: Record<string, number>;
    fan_in_fan_out: boolean;
    /** The initialisation is already part of the tensors. */
    init_lora_weights: 'default';
  };
  tensors: NamedTensors;
}

export async function loraExport(model: LanguageModel, method: Method, settings: LoraSettings): Promise<LoraExport> {
  const modules = loraModules(model, settings);
  const tensors = await readTensors(method.trainable);
  const pissa = settings.init_lora_weights === 'pissa';
  if (pissa) {
    for (const { module, rank } of modules) {
      const names = loraNames(module.path);
      const a = tensors.get(names.a)!;
      const b = tensors.get(names.b)!;
      const startA = await readFloats(method.constants!.get(names.startA)!);
      const minusB = await readFloats(method.constants!.get(names.startB)!);
      const [out, width] = module.weight.shape as [number, number];
      const twiceA = new Float32Array(2 * rank * width);
      twiceA.set(a.data);
      twiceA.set(startA, rank * width);
      const twiceB = new Float32Array(out * 2 * rank);
      for (let i = 0; i < out; i++) {
        twiceB.set(b.data.subarray(i * rank, (i + 1) * rank), 2 * i * rank);
        twiceB.set(minusB.subarray(i * rank, (i + 1) * rank), (2 * i + 1) * rank);
      }
      tensors.set(names.a, { shape: [2 * rank, width], data: twiceA });
      tensors.set(names.b, { shape: [out, 2 * rank], data: twiceB });
    }
  }
  const times = pissa ? 2 : 1;
  const alpha = settings.lora_alpha || settings.r;
  for (const { module, rank, scale } of modules) {
    const b = tensors.get(loraNames(module.path).b)!;
    const factor = (scale * rank) / alpha;
    if (factor !== 1) b.data = b.data.map((value) => value * factor);
  }
  const config = configOf(model, settings, modules);
  const ranks = Object.entries(config.rank_pattern).map(([key, rank]) => [key, times * rank]);
  return {
    config: {
      ...config,
      r: times * settings.r,
      lora_alpha: times * alpha,
      use_rslora: false,
      rank_pattern: Object.fromEntries(ranks),
      alpha_pattern: {},
    },
    tensors,
  };
}

/** For a trainer: A, B and magnitudes as they are, under the settings' own scales. PiSSA's frozen factors are the tensors before the first step. */
export const loraStart = async (model: LanguageModel, method: Method, settings: LoraSettings): Promise<LoraExport> => ({
  config: configOf(model, settings, loraModules(model, settings)),
  tensors: await readTensors(method.trainable),
});

function configOf(model: LanguageModel, settings: LoraSettings, modules: readonly LoraModule[]): LoraExport['config'] {
  const paths = modules.map(({ module }) => module.path);
  // Without keys that match no module, which PEFT would warn about.
  const matched = (pattern: Record<string, number> = {}) => {
    const unmatched = unmatchedKeys(pattern, paths);
    return Object.fromEntries(Object.entries(pattern).filter(([key]) => !unmatched.includes(key)));
  };
  return {
    r: settings.r,
    lora_alpha: settings.lora_alpha,
    lora_dropout: settings.lora_dropout,
    target_modules: shortTargets(model, paths),
    use_rslora: settings.use_rslora,
    use_dora: settings.use_dora ?? false,
    rank_pattern: matched(settings.rank_pattern),
    alpha_pattern: matched(settings.alpha_pattern),
    fan_in_fan_out: modules.some(({ module }) => module.conv1d),
    init_lora_weights: 'default',
  };
}
