/** The adapter for mlx-lm, which runs and trains models on Apple's chips. */
import { familyNamed } from '../../families';
import { leavesModel, methodOf } from '../../methods';
import { objectiveOf } from '../../objectives';
import type { Export, Exported } from '../export';

export const mlx: Export<'mlx'> = {
  id: 'mlx',
  group: 'adapter',
  label: () => 'MLX adapter',
  forWhom: 'mlx-lm on Macs',
  contents: () =>
    '**An adapter for mlx-lm** in one zip: `adapters.safetensors`, `adapter_config.json` and a model card. `mlx_lm.generate --adapter-path` loads it onto the base model.',
  refusal: mlxRefusal,
  fileName: (name) => `${name}-mlx.zip`,
  writer: async () => (await import('./write')).writeMlxAdapter,
};

/** Why mlx-lm cannot use what was trained, in one sentence; null if it can. */
export function mlxRefusal({ method, objective, family }: Exported): string | null {
  const of = methodOf(method);
  if (leavesModel(of)) {
    return 'This method trains the model itself, so there is no separate adapter. Export the model.';
  }
  if (!of.mlx) {
    const instead = of.merges ? 'Export the merged model.' : 'Export it in its own format.';
    return `mlx-lm’s adapters are LoRA and DoRA; it has nothing for ${of.label}. ${instead}`;
  }
  if (!objectiveOf({ type: objective }).writes) {
    return 'mlx-lm only writes text; it has no heads for labels or scores. Export the adapter for PEFT.';
  }
  const why = of.mlx(method);
  if (why !== null) return `mlx-lm cannot use this adapter: ${why}`;
  if (family === null) return null;
  const { mlx: models = { refused: 'it has none of this family.' } } = familyNamed(family);
  if (!models.refused) return null;
  return `mlx-lm cannot use adapters of this model: ${models.refused} Export the adapter for PEFT.`;
}
