/**
 * PEFT's (IA)³ (src/peft/tuners/ia3/config.py): factors `<path>.ia3_l` [out, 1] for the output of each targeted linear layer, or
 * [1, in] for its input if it is among feedforward_modules.
 */
import { type Json, namesField } from './fields';
import { ADAPTER_WEIGHTS } from './folder';
import { peftKey, tensorPlace } from './keys';
import type { CommonConfig, PeftKind, PeftTensors } from './kind';
import { EXPORT_AGAIN, OTHER_KINDS, refuse } from './refuse';
import { checkTargets } from './targets';

const SUFFIX = '.ia3_l';

export interface PeftIa3Config extends CommonConfig {
  target_modules: string[];
  feedforward_modules: string[];
  fan_in_fan_out: boolean;
}

export const ia3Kind: PeftKind<PeftIa3Config> = {
  type: 'IA3',
  read(config: Json, common, tensors) {
    const { paths, inputs } = readFactors(tensors().own);
    checkTargets(config, paths);
    return {
      ...common,
      target_modules: (namesField(config, 'target_modules') ?? paths).sort(),
      feedforward_modules: (namesField(config, 'feedforward_modules') ?? inputs).sort(),
      fan_in_fan_out: config.fan_in_fan_out === true,
    };
  },
  onLinear: (name, [rows, columns]) => ({
    path: name.slice(0, -SUFFIX.length),
    ...(rows === 1 ? { width: columns! } : { out: rows! }),
  }),
  fields: (config) => ({
    fan_in_fan_out: config.fan_in_fan_out,
    feedforward_modules: [...config.feedforward_modules].sort(),
    init_ia3_weights: true,
    target_modules: [...config.target_modules].sort(),
  }),
};

/** Paths that have (IA)³ factors, and those among them whose inputs are scaled. */
function readFactors(tensors: PeftTensors): { paths: string[]; inputs: string[] } {
  const paths: string[] = [];
  const inputs: string[] = [];
  for (const [name, { shape }] of tensors) {
    const where = tensorPlace(peftKey(ia3Kind, name));
    const path = name.slice(0, -SUFFIX.length);
    if (!name.endsWith(SUFFIX) || path === '') {
      refuse(where, 'This tensor is not an (IA)³ factor of a linear module.', OTHER_KINDS);
    }
    if (shape.length !== 2 || !shape.includes(1)) {
      refuse(where, `Its shape [${shape}] is neither [out, 1] nor [1, in].`, EXPORT_AGAIN);
    }
    paths.push(path);
    if (shape[0] === 1) inputs.push(path);
  }
  if (paths.length === 0) refuse(ADAPTER_WEIGHTS, 'The file contains no (IA)³ factors.', EXPORT_AGAIN);
  return { paths, inputs };
}
