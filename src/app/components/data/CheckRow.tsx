import type { ReactNode } from 'react';
import { type CheckName, type CheckState, cancelCheck, type Found, runCheck, useChecks } from '../../../stores/checks';
import { useRecipe } from '../../../stores/recipe';
import { checksText as text } from '../../text/checks';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';
import { ProgressBar } from '../../ui/Progress';
import { formatCount } from '../../util/format';

/** One check: what it is, its button, how far it is, and what it has found. */
export function CheckRow<Name extends CheckName>({
  name,
  title,
  about,
  why,
  children,
}: {
  name: Name;
  title: string;
  about: string;
  why: string | null;
  children: (found: Found[Name]) => ReactNode;
}) {
  const state = useChecks((all) => all[name]) as CheckState<Found[Name]>;
  const recipe = useRecipe((all) => all.recipe);
  const running = state.status === 'running';
  const press = state.status === 'done' ? text.again : text.start;
  return (
    <section aria-label={title} className="px-4 py-3">
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div className="min-w-48 flex-1">
          <h3 className="font-medium">{title}</h3>
          <p className="max-w-prose text-muted">{about}</p>
        </div>
        {running ? (
          <Button size="small" onClick={() => cancelCheck(name)}>
            {text.cancel}
          </Button>
        ) : (
          <Button size="small" why={why} aria-label={`${press}: ${title}`} onClick={() => void runCheck(name, recipe)}>
            {press}
          </Button>
        )}
      </div>
      {running && (
        <div className="mt-2">
          <ProgressBar
            label={text.progress(title)}
            value={state.total > 0 ? state.done / state.total : null}
            text={`${formatCount(state.done)} / ${formatCount(state.total)}`}
          />
        </div>
      )}
      <div role="status">
        {state.status === 'done' && <div className="mt-2 space-y-2">{children(state.found)}</div>}
      </div>
      {state.status === 'failed' && (
        <div className="mt-2">
          <ErrorNotice error={state.error} onDismiss={() => cancelCheck(name)} />
        </div>
      )}
    </section>
  );
}
