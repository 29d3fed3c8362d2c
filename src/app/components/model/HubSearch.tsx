import { Heart, LoaderCircle, Lock, Search, Settings2 } from 'lucide-react';
import { useId } from 'react';
import type { HubHit } from '../../../hub/descriptions';
import { HUB } from '../../../hub/hub-id';
import { isModelName, useHub } from '../../../stores/hub';
import { useScreen } from '../../../stores/screen';
import { useFields } from '../../../stores/select';
import { common } from '../../text/common';
import { hubText as text } from '../../text/hub';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { Input } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatCompact, formatPlural } from '../../util/format';

/** Any model of the Hub: found by words, or named. */
export function HubSearch() {
  const { query, searched, searching, hits, searchError, settings } = useHub(
    useFields('query', 'searched', 'searching', 'hits', 'searchError', 'settings'),
  );
  const { setQuery, find, clearSearch } = useHub(useFields('setQuery', 'find', 'clearSearch'));
  const openDialog = useScreen((state) => state.openDialog);
  const id = useId();
  const named = isModelName(query.trim());
  return (
    <Panel
      title={text.title}
      aside={
        <Button size="small" variant="quiet" onClick={() => openDialog('hub')}>
          <Settings2 aria-hidden size={14} /> {text.settings}
        </Button>
      }
    >
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          // On a small screen the results would be below the fold.
          event.currentTarget.scrollIntoView();
          void find();
        }}
      >
        <div className="min-w-0 flex-1 basis-64">
          <label htmlFor={id} className="mb-1 block text-[0.8125rem] font-medium">
            {text.nameOrAddress}
          </label>
          <div className="relative">
            <Search aria-hidden size={16} className="pointer-events-none absolute top-2.5 left-2.5 text-muted" />
            <Input
              id={id}
              type="search"
              className="pl-9"
              autoComplete="off"
              spellCheck={false}
              placeholder={text.placeholder}
              aria-describedby={`${id}-hint`}
              value={query}
              onChange={(event) => (event.target.value === '' ? clearSearch() : setQuery(event.target.value))}
            />
          </div>
        </div>
        <Button type="submit" why={query.trim() === '' && text.enterFirst}>
          {named ? text.show : text.search}
        </Button>
      </form>
      <p id={`${id}-hint`} className="mt-1.5 text-[0.8125rem] text-muted">
        {text.hint(settings.endpoint === HUB ? null : settings.endpoint)}
      </p>
      <div role="status" className={searched === null ? 'sr-only' : 'mt-3 text-[0.8125rem] text-muted'}>
        {searched !== null &&
          (searching ? (
            <span className="flex items-center gap-2">
              <LoaderCircle aria-hidden size={14} className="animate-spin text-accent" /> {text.searching(searched)}
            </span>
          ) : (
            !searchError &&
            (hits.length === 0 ? text.nothing(searched) : text.found(formatPlural(hits.length, 'model'), searched))
          ))}
      </div>
      {searchError && (
        <div className="mt-3">
          <ErrorNotice error={searchError} actions={<Button onClick={() => void find()}>{text.searchAgain}</Button>} />
        </div>
      )}
      {!searching && hits.length > 0 && (
        <ul className="mt-2 divide-y rounded-lg border">
          {hits.map((hit) => (
            <Hit key={hit.id} hit={hit} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Hit({ hit }: { hit: HubHit }) {
  const look = useHub((state) => state.look);
  const id = useId();
  const [owner, name] = hit.id.split('/');
  return (
    <li className="relative flex flex-wrap items-center gap-x-4 gap-y-1 px-3 py-2.5 has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:-outline-offset-2 hover:bg-hover">
      <div className="min-w-0 flex-1 basis-60">
        <button
          type="button"
          aria-describedby={id}
          onClick={() => void look(hit.id)}
          className="min-h-6 text-left break-words outline-none after:absolute after:inset-0"
        >
          {name !== undefined && <span className="text-muted">{owner}/</span>}
          <span className="font-medium">{name ?? owner}</span>
        </button>
        {hit.problem && <p className="text-[0.8125rem] text-muted">{hit.problem}</p>}
      </div>
      <p id={id} className="flex flex-wrap items-center gap-x-3 gap-y-1 text-[0.8125rem] text-muted">
        {hit.problem && <Badge>{text.unsupported}</Badge>}
        {hit.gated && (
          <Badge tone="warning">
            <Lock aria-hidden size={12} /> {text.gated}
          </Badge>
        )}
        {hit.private && (
          <Badge>
            <Lock aria-hidden size={12} /> {text.private}
          </Badge>
        )}
        {hit.parameters !== null && <span>{common.parameters(formatCompact(hit.parameters))}</span>}
        <span>{text.downloads(formatCompact(hit.downloads))}</span>
        <span className="inline-flex items-center gap-1">
          <Heart aria-hidden size={12} /> {formatCompact(hit.likes)}
          <span className="sr-only">{text.likes}</span>
        </span>
        <span>{hit.licence ?? text.noLicence}</span>
      </p>
    </li>
  );
}
