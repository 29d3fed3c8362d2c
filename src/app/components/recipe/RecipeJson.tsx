import { useId, useState } from 'react';
import { parseUntrusted } from '../../../base/json';
import { checkRecipe } from '../../../recipe/defaults';
import { minimalInput } from '../../../recipe/diff';
import type { RecipeInput } from '../../../recipe/types';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { jsonText } from '../../text/recipe';
import { Button } from '../../ui/Button';
import { Panel } from '../../ui/Panel';
import { cx } from '../../util/cx';

const isObject = (value: unknown): value is RecipeInput =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The recipe as JSON, kept in sync with the fields both ways. */
export function RecipeJson() {
  const { recipe, input, whole, replace } = useRecipe(useFields('recipe', 'input', 'whole', 'replace'));
  const [draft, setDraft] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const id = useId();
  const written = JSON.stringify(whole ? recipe : input, null, 2);

  function write(text: string) {
    setDraft(text);
    try {
      const value = parseUntrusted(text) as unknown;
      if (!isObject(value)) throw new Error(jsonText.notAnObject);
      setWrong(null);
      const checked = checkRecipe(value);
      replace(checked.recipe && checked.problems.length === 0 ? minimalInput(checked.recipe) : value);
    } catch (cause) {
      setWrong(cause instanceof Error ? cause.message : String(cause));
    }
  }

  function discard() {
    setDraft(null);
    setWrong(null);
  }

  return (
    <Panel title={jsonText.title} description={jsonText.description}>
      <textarea
        aria-label={jsonText.label}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={wrong ? id : undefined}
        spellCheck={false}
        value={draft ?? written}
        rows={Math.min(52, written.split('\n').length + 1)}
        onChange={(event) => write(event.target.value)}
        onBlur={() => !wrong && setDraft(null)}
        className={cx(
          'block max-h-[calc(100dvh-11rem)] min-h-64 w-full resize-y rounded-md border bg-canvas p-3 font-mono text-xs leading-relaxed',
          wrong ? 'border-danger' : 'border-edge',
        )}
      />
      {wrong && (
        <div id={id} className="mt-2 flex flex-wrap items-center gap-2 text-danger">
          <p className="min-w-0 flex-1 break-words">{jsonText.invalid(wrong)}</p>
          <Button size="small" onClick={discard}>
            {jsonText.discard}
          </Button>
        </div>
      )}
    </Panel>
  );
}
