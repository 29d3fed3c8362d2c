import { Heart, LoaderCircle, Lock, Search, Settings2 } from 'lucide-react';
import { useId } from 'react';
import type { HubHit } from '../../../hub/descriptions';
import { isModelName, useHub } from '../../../stores/hub';
import { useScreen } from '../../../stores/screen';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { Input } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatCompact, formatPlural } from '../../util/format';

const official = 'https://huggingface.co';

/** Any model of the Hub: searched for by words, or named. */
export function HubSearch() {
  const { query, searched, searching, hits, searchError, settings, setQuery, find, clearSearch } = useHub();
  const openDialog = useScreen((state) => state.openDialog);
  const id = useId();
  const named = isModelName(query.trim());
  return (
    <Panel
      title="Any model from the Hugging Face Hub"
      aside={
        <Button size="small" variant="quiet" onClick={() => openDialog('hub')}>
          <Settings2 aria-hidden size={14} /> Address and token
        </Button>
      }
    >
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          // On a small screen the results would come below the fold.
          event.currentTarget.scrollIntoView();
          void find();
        }}
      >
        <div className="min-w-0 flex-1 basis-64">
          <label htmlFor={id} className="mb-1 block text-[0.8125rem] font-medium">
            Name or address
          </label>
          <div className="relative">
            <Search aria-hidden size={16} className="pointer-events-none absolute top-2.5 left-2.5 text-muted" />
            <Input
              id={id}
              type="search"
              className="pl-9"
              autoComplete="off"
              spellCheck={false}
              placeholder="smollm2, or HuggingFaceTB/SmolLM2-135M-Instruct"
              aria-describedby={`${id}-hint`}
              value={query}
              onChange={(event) => (event.target.value === '' ? clearSearch() : setQuery(event.target.value))}
            />
          </div>
        </div>
        <Button type="submit" why={query.trim() === '' && 'Write a name, a few words or an address first.'}>
          {named ? 'Look at it' : 'Search'}
        </Button>
      </form>
      <p id={`${id}-hint`} className="mt-1.5 text-[0.8125rem] text-muted">
        Only names and files of models are asked for
        {settings.endpoint === official ? '' : `, from ${settings.endpoint}`}. Your examples stay on this device.
      </p>
      <div role="status" className={searched === null ? 'sr-only' : 'mt-3 text-[0.8125rem] text-muted'}>
        {searching ? (
          <span className="flex items-center gap-2">
            <LoaderCircle aria-hidden size={14} className="animate-spin text-accent" /> Searching for “{searched}”
          </span>
        ) : (
          searched !== null &&
          !searchError &&
          (hits.length === 0
            ? `Nothing on the Hub is called “${searched}”. Try fewer words, or paste the model’s address.`
            : `${formatPlural(hits.length, 'model')} for “${searched}”`)
        )}
      </div>
      {searchError && (
        <div className="mt-3">
          <ErrorNotice error={searchError} actions={<Button onClick={() => void find()}>Search again</Button>} />
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
        {hit.problem && <Badge>cannot be opened</Badge>}
        {hit.gated && (
          <Badge tone="warning">
            <Lock aria-hidden size={12} /> gated
          </Badge>
        )}
        {hit.private && (
          <Badge>
            <Lock aria-hidden size={12} /> private
          </Badge>
        )}
        {hit.parameters !== null && <span>{formatCompact(hit.parameters)} parameters</span>}
        <span>{formatCompact(hit.downloads)} downloads</span>
        <span className="inline-flex items-center gap-1">
          <Heart aria-hidden size={12} /> {formatCompact(hit.likes)}
          <span className="sr-only"> likes</span>
        </span>
        <span>{hit.licence ?? 'no licence stated'}</span>
      </p>
    </li>
  );
}
