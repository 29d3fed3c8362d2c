import { FolderDown, Lock } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ShelfModel } from '../../../hub/descriptions';
import { useBuiltins } from '../../../stores/builtins';
import { useDownloads } from '../../../stores/downloads';
import { isModelOf, useHub } from '../../../stores/hub';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { modelsKept, useStorage } from '../../../stores/storage';
import { useTraining } from '../../../stores/training';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatBytes, formatCompact, formatWhen } from '../../util/format';
import { bestPrecision, Fit } from './Fit';

/** Cards of the shelf that are shown at first. */
const shown = 6;

/** The models that can be chosen with a press: those that come with the page, those kept here, and a few good ones. */
export function ModelShelf() {
  const builtin = useBuiltins((state) => state.models);
  const source = useRecipe((state) => state.recipe.model.source);
  const open = useDownloads((state) => state.open);
  const { shelf, shelfError, loadShelf } = useHub();
  const { report, refresh } = useStorage();
  const status = useModel((state) => state.status);
  const training = useTraining((state) => state.phase !== 'idle');
  const [whole, setWhole] = useState(false);
  const why = training && 'A run is using the open model.';
  useEffect(() => void loadShelf(), [loadShelf]);
  // What is kept here changes with every model that is dropped or fetched: then another one opens.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  useEffect(() => void refresh(), [refresh, status]);
  const models = modelsKept(report);
  const hereOf = (card: ShelfModel) => models.find((item) => isModelOf(item.source, card.source))?.source;
  const cards = shelf.filter(
    (card, i) => whole || i < shown || isModelOf(source, card.source) || hereOf(card) !== undefined,
  );
  const kept = models.filter((item) => !shelf.some((card) => isModelOf(item.source, card.source)));
  return (
    <Panel title="Choose a model">
      {shelfError && (
        <div className="mb-3">
          <ErrorNotice error={shelfError} />
        </div>
      )}
      <div className="grid gap-3 sm:grid-cols-2">
        {builtin.map((model) => (
          <ChoiceCard
            key={model.name}
            name={model.title}
            chosen={source === `builtin:${model.name}`}
            why={why}
            onChoose={() => open(`builtin:${model.name}`)}
            badge={<Badge>built in</Badge>}
            facts={`${formatCompact(model.parameters)} parameters · ${formatBytes(model.bytes)} · ${model.licence}`}
          >
            {model.description}
          </ChoiceCard>
        ))}
        {kept.map((item) => (
          <ChoiceCard
            key={item.source}
            name={item.name}
            chosen={source === item.source}
            why={why}
            onChoose={() => open(item.source)}
            badge={<Badge tone="accent">{item.source.startsWith('hf:') ? 'downloaded' : 'from your disk'}</Badge>}
            facts={`${formatBytes(item.bytes)} · ${formatWhen(item.createdAt)}`}
          >
            Kept in this browser, so that it is here after a reload.
          </ChoiceCard>
        ))}
        {cards.map((model) => (
          <ShelfCard
            key={model.source}
            model={model}
            here={hereOf(model)}
            chosen={isModelOf(source, model.source)}
            why={why}
          />
        ))}
      </div>
      {cards.length < shelf.length && (
        <Button className="mt-3" onClick={() => setWhole(true)}>
          Show all {shelf.length} models
        </Button>
      )}
      <div className="mt-3 flex gap-3 rounded-lg border border-dashed border-edge/60 p-4 text-muted">
        <FolderDown aria-hidden size={20} strokeWidth={1.5} className="mt-0.5 shrink-0" />
        <div>
          <p className="font-medium text-ink">Your own model</p>
          <p>
            Drop a model folder in the Hugging Face layout (<code>config.json</code>, <code>tokenizer.json</code> and
            safetensors), or a <code>.gguf</code> file, anywhere on this page.
          </p>
        </div>
      </div>
    </Panel>
  );
}

function ShelfCard({
  model,
  here,
  chosen,
  why,
}: {
  model: ShelfModel;
  /** Its source with the commit, when it is downloaded. */
  here: string | undefined;
  chosen: boolean;
  why: string | false;
}) {
  const look = useHub((state) => state.look);
  const open = useDownloads((state) => state.open);
  const download = useDownloads((state) =>
    state.downloads.find(({ source: of, state: now }) => now !== 'done' && isModelOf(of, model.source)),
  );
  const { source, title, description, licence, parameters, bytes, gated, precisions } = model;
  const plan = bestPrecision(precisions);
  return (
    <ChoiceCard
      name={title}
      chosen={chosen}
      // Looking at another one does no harm to a run; opening it would.
      why={here !== undefined && why}
      onChoose={() => (here === undefined ? void look(source) : void open(here, plan?.quantization))}
      badge={
        <>
          {download ? (
            <Badge tone="accent">
              {download.state === 'paused' || download.state === 'failed' ? 'unfinished' : 'downloading'}
            </Badge>
          ) : (
            here !== undefined && <Badge tone="accent">downloaded</Badge>
          )}
          {gated && (
            <Badge tone="warning">
              <Lock aria-hidden size={12} /> gated
            </Badge>
          )}
        </>
      }
      facts={`${formatCompact(parameters)} parameters · ${formatBytes(bytes)}${here === undefined ? ' to download' : ''} · ${licence}`}
    >
      <span className="block">{description}</span>
      {plan && (
        <span className="mt-1 block text-ink">
          <Fit plan={plan} />
        </span>
      )}
    </ChoiceCard>
  );
}
