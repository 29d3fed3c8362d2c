import { FolderDown, Lock } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ShelfModel } from '../../../hub/descriptions';
import { useBuiltins } from '../../../stores/builtins';
import { useDownloads } from '../../../stores/downloads';
import { isModelOf, useHub } from '../../../stores/hub';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { modelsKept, useStorage } from '../../../stores/storage';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { shelfText as text } from '../../text/model';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { Rich } from '../../ui/Rich';
import { formatBytes, formatCompact, formatWhen } from '../../util/format';
import { bestPrecision, Fit } from './Fit';

/** Cards of the shelf shown at first. */
const shown = 6;

/** Models to choose with one press: the built-in ones, those stored in this browser, and a curated few of the Hub. */
export function ModelShelf() {
  const builtin = useBuiltins((state) => state.models);
  const source = useRecipe((state) => state.recipe.model.source);
  const open = useDownloads((state) => state.open);
  const { shelf, shelfError, loadShelf } = useHub(useFields('shelf', 'shelfError', 'loadShelf'));
  const report = useStorage((state) => state.report);
  const refresh = useStorage((state) => state.refresh);
  const status = useModel((state) => state.status);
  const training = useTraining(runActive);
  const [whole, setWhole] = useState(false);
  const why = training && common.modelInUse;
  useEffect(() => void loadShelf(), [loadShelf]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another model opens whenever one has been stored.
  useEffect(() => void refresh(), [refresh, status]);
  const models = modelsKept(report);
  const hereOf = (card: ShelfModel) => models.find((item) => isModelOf(item.source, card.source))?.source;
  const cards = shelf.filter(
    (card, i) => whole || i < shown || isModelOf(source, card.source) || hereOf(card) !== undefined,
  );
  const kept = models.filter((item) => !shelf.some((card) => isModelOf(item.source, card.source)));
  return (
    <Panel title={text.title}>
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
            badge={<Badge>{text.builtIn}</Badge>}
            facts={factsOf(model, formatBytes(model.bytes))}
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
            badge={<Badge tone="accent">{item.source.startsWith('hf:') ? text.downloaded : text.fromDisk}</Badge>}
            facts={`${formatBytes(item.bytes)} · ${formatWhen(item.createdAt)}`}
          >
            {text.kept}
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
          {text.showAll(shelf.length)}
        </Button>
      )}
      <div className="mt-3 flex gap-3 rounded-lg border border-dashed border-edge/60 p-4 text-muted">
        <FolderDown aria-hidden size={20} strokeWidth={1.5} className="mt-0.5 shrink-0" />
        <div>
          <p className="font-medium text-ink">{text.own.title}</p>
          <p>
            <Rich text={text.own.text} />
          </p>
        </div>
      </div>
    </Panel>
  );
}

const factsOf = ({ parameters, licence }: { parameters: number; licence: string }, size: string) =>
  `${common.parameters(formatCompact(parameters))} · ${size} · ${licence}`;

function ShelfCard({
  model,
  here,
  chosen,
  why,
}: {
  model: ShelfModel;
  /** Its source with the commit, if it has been downloaded. */
  here: string | undefined;
  chosen: boolean;
  why: string | false;
}) {
  const look = useHub((state) => state.look);
  const open = useDownloads((state) => state.open);
  const download = useDownloads((state) =>
    state.downloads.find(({ source: of, state: now }) => now !== 'done' && isModelOf(of, model.source)),
  );
  const { source, title, description, bytes, gated, precisions } = model;
  const plan = bestPrecision(precisions);
  return (
    <ChoiceCard
      name={title}
      chosen={chosen}
      // Looking at another model does not disturb a run; opening it would.
      why={here !== undefined && why}
      onChoose={() => (here === undefined ? void look(source) : void open(here, plan?.quantization))}
      badge={
        <>
          {download ? (
            <Badge tone="accent">
              {download.state === 'paused' || download.state === 'failed' ? text.unfinished : text.downloading}
            </Badge>
          ) : (
            here !== undefined && <Badge tone="accent">{text.downloaded}</Badge>
          )}
          {gated && (
            <Badge tone="warning">
              <Lock aria-hidden size={12} /> {text.gated}
            </Badge>
          )}
        </>
      }
      facts={factsOf(model, here === undefined ? text.toDownload(formatBytes(bytes)) : formatBytes(bytes))}
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
