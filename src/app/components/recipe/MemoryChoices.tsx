import { checkRecipe } from '../../../recipe/defaults';
import { withValue } from '../../../recipe/diff';
import { field } from '../../../recipe/fields';
import type { ModelSection, Recipe } from '../../../recipe/types';
import { useModel } from '../../../stores/model';
import { usePlan } from '../../../stores/plan';
import { useRecipe } from '../../../stores/recipe';
import { Panel } from '../../ui/Panel';
import { RadioList, type RadioOption } from '../../ui/RadioList';

const order: ModelSection['quantization'][] = ['none', 'q8', 'nf4'];

/** Whether memory is worth a thought: it is short, or somebody has thought about it already. */
function useMatters(recipe: Recipe): boolean {
  const verdict = usePlan((state) => state.forecast?.verdict);
  const { model, training } = recipe;
  const chosen = model.quantization !== 'none' || training.gradient_checkpointing !== 'auto';
  return chosen || verdict === 'tight' || verdict === 'too_big';
}

/** The two choices that make a run smaller without changing what it learns from; left out while everything fits. */
export function MemoryChoices() {
  const { recipe, set } = useRecipe();
  const stored = useModel((state) => state.info?.dtype);
  if (!useMatters(recipe)) return null;
  // The weights of a GGUF file are quantised already, and are used as they are.
  const floats = stored === undefined || /^(F32|F16|BF16)$/.test(stored);
  const refused = (path: 'model.quantization', value: string) =>
    checkRecipe(withValue(recipe, path, value)).problems.find(({ where }) => where === path);
  const precision = field('model.quantization');
  const precisions =
    precision.kind === 'select'
      ? order
          .flatMap((wanted) => precision.options.filter(({ value }) => value === wanted))
          .map(({ value, label }): RadioOption<ModelSection['quantization']> => {
            const problem = recipe.model.quantization === value ? undefined : refused('model.quantization', value);
            return { value: value as ModelSection['quantization'], name: label, why: problem?.message };
          })
      : [];
  const checkpointing = field('training.gradient_checkpointing');
  return (
    <Panel title="Memory" description="These change what the run takes on the GPU, and hardly what it learns.">
      <div className="space-y-4">
        {floats && (
          <RadioList
            label="Precision of the frozen model"
            columns={3}
            value={recipe.model.quantization}
            options={precisions}
            onChange={(value) => set({ 'model.quantization': value === 'none' ? undefined : value })}
          />
        )}
        {checkpointing.kind === 'auto_bool' && (
          <RadioList
            label="Compute blocks twice instead of keeping them (gradient checkpointing)"
            columns={3}
            value={String(recipe.training.gradient_checkpointing)}
            options={(['auto', 'true', 'false'] as const).map((value) => ({
              value: value as string,
              name: checkpointing.options[value],
            }))}
            onChange={(value) =>
              set({ 'training.gradient_checkpointing': value === 'auto' ? undefined : value === 'true' })
            }
          />
        )}
      </div>
    </Panel>
  );
}
