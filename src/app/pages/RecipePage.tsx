import { FileDown, FileUp, RotateCcw } from 'lucide-react';
import { nonDefaults } from '../../recipe/diff';
import { hintsFor } from '../../stores/hints';
import { useRecipe } from '../../stores/recipe';
import { AdvancedRecipe } from '../components/recipe/AdvancedRecipe';
import { SimpleRecipe } from '../components/recipe/SimpleRecipe';
import { useRoute } from '../hooks/useRoute';
import { recipeText as text } from '../text/recipe';
import { Button } from '../ui/Button';
import { Page } from '../ui/Page';
import { Segmented } from '../ui/Segmented';
import { pickRecipe } from '../util/fileDialogs';
import { navigate } from '../util/route';
import { saveRecipe } from '../util/saveFiles';

/** Fields that a reset keeps. */
const kept = new Set<string>(['name', 'model.source', 'dataset.source', 'dataset.format', 'dataset.columns']);

export function RecipePage() {
  const { detail } = useRoute();
  const recipe = useRecipe((state) => state.recipe);
  const valid = useRecipe((state) => state.problems.length === 0);
  const reset = useRecipe((state) => state.reset);
  const hints = hintsFor(recipe);
  const advanced = detail === 'advanced';
  const pristine = valid && nonDefaults(recipe).every(({ path, b }) => kept.has(path) || hints[path] === b);
  return (
    <Page
      name="recipe"
      aside={
        <Segmented
          label={text.detail}
          value={advanced ? 'advanced' : 'simple'}
          onChange={(value) => navigate('recipe', { detail: value === 'advanced' ? value : '', focus: false })}
          options={[
            { value: 'simple', label: text.simple },
            { value: 'advanced', label: text.advanced },
          ]}
        />
      }
    >
      <div className="-mt-1 flex flex-wrap gap-2">
        <Button size="small" onClick={saveRecipe}>
          <FileDown aria-hidden size={14} /> {text.save}
        </Button>
        <Button size="small" onClick={pickRecipe}>
          <FileUp aria-hidden size={14} /> {text.open}
        </Button>
        <Button size="small" variant="quiet" why={pristine && text.pristine} onClick={reset}>
          <RotateCcw aria-hidden size={14} /> {text.reset}
        </Button>
      </div>
      {advanced ? <AdvancedRecipe /> : <SimpleRecipe />}
    </Page>
  );
}
