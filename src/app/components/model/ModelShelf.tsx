import { FolderDown } from 'lucide-react';
import { useCatalogue } from '../../../stores/catalogue';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useTraining } from '../../../stores/training';
import { Badge } from '../../ui/Badge';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { Panel } from '../../ui/Panel';
import { formatBytes, formatCompact } from '../../util/format';

/** The models that can be chosen: those that come with the page, and a folder of one's own. */
export function ModelShelf() {
  const models = useCatalogue((state) => state.models);
  const source = useRecipe((state) => state.recipe.model.source);
  const set = useRecipe((state) => state.set);
  const info = useModel((state) => state.info);
  const training = useTraining((state) => state.phase !== 'idle');
  const why = training && 'A run is using the open model.';
  const own = source.startsWith('file:') ? source.slice('file:'.length) : null;
  return (
    <Panel title="Choose a model">
      <div className="grid gap-3 sm:grid-cols-2">
        {models.map((model) => (
          <ChoiceCard
            key={model.name}
            name={model.title}
            chosen={source === `builtin:${model.name}`}
            why={why}
            onChoose={() => set({ 'model.source': `builtin:${model.name}` })}
            badge={<Badge>built in</Badge>}
            facts={`${formatCompact(model.parameters)} parameters · ${formatBytes(model.bytes)} · ${model.licence}`}
          >
            {model.description}
          </ChoiceCard>
        ))}
        {own !== null && (
          <ChoiceCard
            name={info?.source === source ? info.title : own}
            chosen
            onChoose={() => {}}
            badge={<Badge tone="accent">from your disk</Badge>}
            facts={info ? `${formatCompact(info.parameters)} parameters · ${formatBytes(info.bytes)}` : own}
          >
            Kept in this browser, so that it is here after a reload.
          </ChoiceCard>
        )}
        <div className="flex gap-3 rounded-lg border border-dashed border-edge/60 p-4 text-muted">
          <FolderDown aria-hidden size={20} strokeWidth={1.5} className="mt-0.5 shrink-0" />
          <div>
            <p className="font-medium text-ink">Your own model</p>
            <p>
              Drop a model folder in the Hugging Face layout anywhere on this page: <code>config.json</code>,{' '}
              <code>tokenizer.json</code> and <code>model.safetensors</code>. Llama-style models work, SmolLM2-135M for
              one.
            </p>
          </div>
        </div>
      </div>
    </Panel>
  );
}
