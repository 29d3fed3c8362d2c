import { checkRecipe } from '../../../recipe/defaults';
import { withValue } from '../../../recipe/diff';
import { field } from '../../../recipe/fields';
import type { ModelSection, Recipe } from '../../../recipe/types';
import { useModel } from '../../../stores/model';
import { usePlan } from '../../../stores/plan';
import { useRecipe } from '../../../stores/recipe';
import { memoryChoiceText as text } from '../../text/recipe';
import { Panel } from '../../ui/Panel';
import { RadioList, type RadioOption } from '../../ui/RadioList';
import { MEMORY_PANEL } from '../../util/route';

const order: ModelSection['quantization'][] = ['none', 'q8', 'nf4'];

/** Whether to show the choices: memory is short, or one of them has been changed. */
function useRelevant(recipe: Recipe): boolean {
  const verdict = usePlan((state) => state.forecast?.verdict);
  const { model, training } = recipe;
  const chosen = model.quantization !== 'none' || training.gradient_checkpointing !== 'auto';
  return chosen || verdict === 'tight' || verdict === 'too_big';
}

/** Two choices that reduce memory but not the training data; hidden while everything fits. */
export function MemoryChoices() {
  const recipe = useRecipe((state) => state.recipe);
  const set = useRecipe((state) => state.set);
  const stored = useModel((state) => state.info?.dtype);
  if (!useRelevant(recipe)) return null;
  // The weights of a GGUF file are quantised already, and used as stored.
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
    <Panel id={MEMORY_PANEL} title={text.title} description={text.description}>
      <div className="space-y-4">
        {floats && (
          <RadioList
            label={text.precision}
            columns={3}
            value={recipe.model.quantization}
            options={precisions}
            onChange={(value) => set({ 'model.quantization': value === 'none' ? undefined : value })}
          />
        )}
        {checkpointing.kind === 'auto_bool' && (
          <RadioList
            label={text.checkpointing}
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
