import { useId, useState } from 'react';
import { checkRecipe } from '../../../recipe/defaults';
import { diffRecipes } from '../../../recipe/diff';
import { asWritten, type JsonDraft, useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { jsonText as text } from '../../text/recipe';
import { Button } from '../../ui/Button';
import { Panel } from '../../ui/Panel';
import { cx } from '../../util/cx';

/** The fields that have changed since an edit began. */
function useChangedSince(draft: JsonDraft | null): string {
  const recipe = useRecipe((state) => state.recipe);
  const before = draft && checkRecipe(draft.before).recipe;
  return before
    ? diffRecipes(before, recipe)
        .map(({ path }) => path)
        .join(', ')
    : '';
}

/**
 * The recipe as JSON, kept in sync with the fields both ways. Text that is not a recipe yet is kept by the store, over pages and
 * reloads, until it is one or is discarded.
 */
export function RecipeJson() {
  const { recipe, input, whole, draft, writeJson, useDraft, discardDraft } = useRecipe(
    useFields('recipe', 'input', 'whole', 'draft', 'writeJson', 'useDraft', 'discardDraft'),
  );
  /** The text as it is being typed, so that its formatting does not change under the caret. */
  const [typing, setTyping] = useState<string | null>(null);
  const id = useId();
  const changed = useChangedSince(draft);
  const shown = draft?.text ?? typing ?? JSON.stringify(asWritten({ recipe, input, whole }), null, 2);
  const broken = draft?.broken ?? null;
  function leave(act: () => void) {
    setTyping(null);
    act();
  }
  return (
    <Panel title={text.title} description={text.description}>
      <textarea
        aria-label={text.label}
        aria-invalid={broken !== null || undefined}
        aria-describedby={draft ? id : undefined}
        spellCheck={false}
        value={shown}
        rows={Math.min(52, shown.split('\n').length + 1)}
        onChange={({ target }) => {
          setTyping(target.value);
          writeJson(target.value);
        }}
        onBlur={() => setTyping(null)}
        className={cx(
          'block max-h-[calc(100dvh-11rem)] min-h-64 w-full resize-y rounded-md border bg-canvas p-3 font-mono text-xs leading-relaxed',
          broken === null ? 'border-edge' : 'border-danger',
        )}
      />
      {draft && (
        <div id={id} className={cx('mt-2 space-y-2', broken === null ? 'text-warn' : 'text-danger')}>
          <p className="break-words">{broken === null ? text.changed(changed) : text.invalid(broken)}</p>
          <div className="flex flex-wrap gap-2">
            {broken === null && (
              <Button size="small" onClick={() => leave(useDraft)}>
                {text.use}
              </Button>
            )}
            <Button size="small" onClick={() => leave(discardDraft)}>
              {text.discard}
            </Button>
          </div>
        </div>
      )}
    </Panel>
  );
}
