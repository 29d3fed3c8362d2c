/** The linear layers that get a LoRA, with their ranks, scales and tensor names. */
import { TabtuneError } from '../../base/errors';
import { patternValue, unmatchedKeys } from '../../base/module-names';
import type { LoraMethod } from '../../methods/lora';
import type { LanguageModel } from '../models/model';
import type { LinearModule } from '../types';
import { targetedLinears } from './targets';

type Plain = 'r' | 'lora_alpha' | 'lora_dropout' | 'target_modules' | 'use_rslora';
/** Omitted settings are those of plain LoRA. */
export type LoraSettings = Pick<LoraMethod, Plain> & Partial<Omit<LoraMethod, Plain | 'type' | 'init_adapter'>>;

/** The tensors of one module. */
export const loraNames = (path: string) => ({
  a: `${path}.lora_A.weight`,
  b: `${path}.lora_B.weight`,
  magnitude: `${path}.lora_magnitude_vector`,
  /** PiSSA's A₀ and −B₀. */
  startA: `${path}.pissa_A.weight`,
  startB: `${path}.pissa_B.weight`,
});

export interface LoraModule {
  module: LinearModule;
  rank: number;
  /** Scale of B·A. */
  scale: number;
}

/** The linear layers that get a LoRA, in the model's order, each with its rank and scale. */
export function loraModules(model: Pick<LanguageModel, 'linears'>, settings: LoraSettings): LoraModule[] {
  return targetedLinears(model, settings.target_modules).map((module) => {
    const rank = patternValue(settings.rank_pattern ?? {}, module.path, settings.r);
    const alpha = patternValue(settings.alpha_pattern ?? {}, module.path, settings.lora_alpha);
    return { module, rank, scale: alpha / (settings.use_rslora ? Math.sqrt(rank) : rank) };
  });
}

/** Refuses pattern keys that match no module: in a recipe they are typos. In adapters from elsewhere they are tolerated. */
export function checkPatterns(model: Pick<LanguageModel, 'linears'>, settings: LoraSettings): void {
  const paths = targetedLinears(model, settings.target_modules).map(({ path }) => path);
  for (const field of ['rank_pattern', 'alpha_pattern'] as const) {
    const [key] = unmatchedKeys(settings[field] ?? {}, paths);
    if (key === undefined) continue;
    throw new TabtuneError({
      code: 'bad_recipe',
      message: `"${key}" in ${field} matches none of the modules that get a LoRA.`,
      where: `method.${field}`,
      action: `Use a path such as ${paths[0]}, or its end.`,
    });
  }
}

/** Shapes of all tensors of a LoRA with these settings, by name; memory planning fills them with zeros. */
export function loraShapes(
  model: Pick<LanguageModel, 'linears'>,
  settings: LoraSettings,
): Map<string, { shape: number[] }> {
  const shapes = new Map<string, { shape: number[] }>();
  for (const { module, rank } of loraModules(model, settings)) {
    const [out, width] = module.weight.shape as [number, number];
    const names = loraNames(module.path);
    const pissa = settings.init_lora_weights === 'pissa';
    shapes.set(names.a, { shape: [rank, width] });
    shapes.set(names.b, { shape: [out, rank] });
    if (settings.use_dora) shapes.set(names.magnitude, { shape: [out] });
    if (pissa) shapes.set(names.startA, { shape: [rank, width] });
    if (pissa) shapes.set(names.startB, { shape: [out, rank] });
  }
  return shapes;
}
