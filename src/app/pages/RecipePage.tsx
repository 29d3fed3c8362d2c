import { FileDown, FileUp, Library, Link, RotateCcw, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { nonDefaults } from '../../recipe/diff';
import { isLinkDetail } from '../../recipe/share';
import { hintsFor } from '../../stores/hints';
import { useRecipe } from '../../stores/recipe';
import { useFields } from '../../stores/select';
import { AdvancedRecipe } from '../components/recipe/AdvancedRecipe';
import { ImportedRecipe } from '../components/recipe/ImportedRecipe';
import { PresetsDialog } from '../components/recipe/PresetsDialog';
import { ShareDialog } from '../components/recipe/ShareDialog';
import { SharedRecipe } from '../components/recipe/SharedRecipe';
import { SimpleRecipe } from '../components/recipe/SimpleRecipe';
import { useRoute } from '../hooks/useRoute';
import { jsonText, recipeText as text } from '../text/recipe';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { Segmented } from '../ui/Segmented';
import { pickRecipe } from '../util/fileDialogs';
import { navigate } from '../util/route';
import { saveRecipe } from '../util/saveFiles';

/** Fields that a reset keeps, or that follow the data. */
const kept = new Set<string>([
  'name',
  'model.source',
  'dataset.source',
  'dataset.format',
  'dataset.columns',
  'objective.type',
]);

/** What the last preset, file or link did, and JSON that waits to be finished. */
function Pending({ advanced }: { advanced: boolean }) {
  const { undoable, undo, draft, discardDraft } = useRecipe(useFields('undoable', 'undo', 'draft', 'discardDraft'));
  return (
    <>
      {undoable && (
        <Notice
          title={text.applied(undoable.what)}
          actions={
            <Button size="small" onClick={undo}>
              <Undo2 aria-hidden size={14} /> {text.undo}
            </Button>
          }
        />
      )}
      {draft && !advanced && (
        <Notice
          tone="error"
          title={text.unfinished}
          actions={
            <>
              <Button size="small" onClick={() => navigate('recipe', { detail: 'advanced' })}>
                {text.toJson}
              </Button>
              <Button size="small" onClick={discardDraft}>
                {jsonText.discard}
              </Button>
            </>
          }
        />
      )}
    </>
  );
}

export function RecipePage() {
  const { detail } = useRoute();
  const recipe = useRecipe((state) => state.recipe);
  const valid = useRecipe((state) => state.problems.length === 0);
  const reset = useRecipe((state) => state.reset);
  const hints = hintsFor(recipe);
  const advanced = detail === 'advanced';
  const [dialog, setDialog] = useState<'presets' | 'share' | null>(null);
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
        <Button size="small" onClick={() => setDialog('presets')}>
          <Library aria-hidden size={14} /> {text.presets}
        </Button>
        <Button size="small" onClick={() => setDialog('share')}>
          <Link aria-hidden size={14} /> {text.share}
        </Button>
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
      {isLinkDetail(detail) && <SharedRecipe detail={detail} />}
      <Pending advanced={advanced} />
      {advanced ? <AdvancedRecipe /> : <SimpleRecipe />}
      <PresetsDialog open={dialog === 'presets'} onClose={() => setDialog(null)} />
      <ShareDialog open={dialog === 'share'} onClose={() => setDialog(null)} />
      <ImportedRecipe />
    </Page>
  );
}
