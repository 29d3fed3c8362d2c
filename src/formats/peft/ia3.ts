/**
 * PEFT's (IA)³ (src/peft/tuners/ia3/config.py): a factor `<path>.ia3_l` [out, 1] for each targeted linear's output, or [1, in] for
 * the input of those among feedforward_modules.
 */
import { type Json, namesField } from './fields';
import { ADAPTER_WEIGHTS } from './folder';
import type { CommonConfig, PeftKind, PeftTensors } from './kind';
import { EXPORT_AGAIN, OTHER_KINDS, refuse } from './refuse';
import { peftKey, tensorPlace } from './tensors';

export interface PeftIa3Config extends CommonConfig {
  target_modules: string[];
  feedforward_modules: string[];
  fan_in_fan_out: boolean;
}

export const ia3Kind: PeftKind<PeftIa3Config> = {
  type: 'IA3',
  read(config: Json, common, tensors) {
    const { paths, inputs } = readFactors(tensors().own);
    return {
      ...common,
      target_modules: (namesField(config, 'target_modules') ?? paths).sort(),
      feedforward_modules: (namesField(config, 'feedforward_modules') ?? inputs).sort(),
      fan_in_fan_out: config.fan_in_fan_out === true,
    };
  },
  fields: (config) => ({
    fan_in_fan_out: config.fan_in_fan_out,
    feedforward_modules: [...config.feedforward_modules].sort(),
    init_ia3_weights: true,
    target_modules: [...config.target_modules].sort(),
  }),
};

/** Paths that have (IA)³'s factors, and those of them whose inputs are scaled. */
function readFactors(tensors: PeftTensors): { paths: string[]; inputs: string[] } {
  const suffix = '.ia3_l';
  const paths: string[] = [];
  const inputs: string[] = [];
  for (const [name, { shape }] of tensors) {
    const where = tensorPlace(peftKey(ia3Kind, name));
    const path = name.slice(0, -suffix.length);
    if (!name.endsWith(suffix) || path === '') {
      refuse(where, 'This tensor is not a factor of (IA)³ on a linear module.', OTHER_KINDS);
    }
    if (shape.length !== 2 || !shape.includes(1)) {
      refuse(where, `Its shape [${shape}] is neither [out, 1] nor [1, in].`, EXPORT_AGAIN);
    }
    paths.push(path);
    if (shape[0] === 1) inputs.push(path);
  }
  if (paths.length === 0) refuse(ADAPTER_WEIGHTS, 'The file holds no factors of (IA)³.', EXPORT_AGAIN);
  return { paths, inputs };
}
