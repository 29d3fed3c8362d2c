import { FileDown, FileUp, RotateCcw } from 'lucide-react';
import { nonDefaults } from '../../recipe/diff';
import { hintsFor } from '../../stores/hints';
import { useRecipe } from '../../stores/recipe';
import { AdvancedRecipe } from '../components/recipe/AdvancedRecipe';
import { SimpleRecipe } from '../components/recipe/SimpleRecipe';
import { useRoute } from '../hooks/useRoute';
import { Button } from '../ui/Button';
import { Page } from '../ui/Page';
import { Segmented } from '../ui/Segmented';
import { pickRecipe } from '../util/pick';
import { navigate } from '../util/route';
import { saveRecipe } from '../util/save';

const kept = new Set(['name', 'model.source', 'dataset.source', 'dataset.format', 'dataset.columns']);

export function RecipePage() {
  const { detail } = useRoute();
  const { recipe, problems, reset } = useRecipe();
  const hints = hintsFor(recipe);
  const advanced = detail === 'advanced';
  const pristine =
    problems.length === 0 && nonDefaults(recipe).every(({ path, b }) => kept.has(path) || hints[path] === b);
  return (
    <Page
      title="Recipe"
      lead="How it learns. The defaults are good for a first run; change nothing if you do not know what to change."
      aside={
        <Segmented
          label="Detail"
          value={advanced ? 'advanced' : 'simple'}
          onChange={(value) => navigate('recipe', { detail: value === 'advanced' ? value : '', focus: false })}
          options={[
            { value: 'simple', label: 'Simple' },
            { value: 'advanced', label: 'Advanced' },
          ]}
        />
      }
    >
      <div className="-mt-1 flex flex-wrap gap-2">
        <Button size="small" onClick={saveRecipe}>
          <FileDown aria-hidden size={14} /> Save recipe
        </Button>
        <Button size="small" onClick={pickRecipe}>
          <FileUp aria-hidden size={14} /> Open recipe
        </Button>
        <Button size="small" variant="quiet" why={pristine && 'Everything has its default.'} onClick={reset}>
          <RotateCcw aria-hidden size={14} /> Back to the defaults
        </Button>
      </div>
      {advanced ? <AdvancedRecipe /> : <SimpleRecipe />}
    </Page>
  );
}
