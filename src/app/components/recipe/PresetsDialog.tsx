import { ExternalLink } from 'lucide-react';
import { checkRecipe } from '../../../recipe/defaults';
import { diffRecipes } from '../../../recipe/diff';
import { type Preset, presetsFor, withPreset } from '../../../recipe/presets';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { presetText as text } from '../../text/recipe';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { formatPlural } from '../../util/format';
import { Changes } from './Changes';
import { refusalOfRecipe } from './refusals';

function PresetCard({ preset, onUsed }: { preset: Preset; onUsed: () => void }) {
  const { input, recipe, apply } = useRecipe(useFields('input', 'recipe', 'apply'));
  const model = useModel((state) => state.info);
  const next = withPreset(input, preset);
  const { recipe: candidate } = checkRecipe(next);
  const refusal = candidate && refusalOfRecipe(recipe, candidate, model);
  const differences = candidate ? diffRecipes(recipe, candidate) : [];
  const why = refusal ? [refusal.where, refusal.message, refusal.action].filter(Boolean).join(' ') : null;
  return (
    <li className="py-4 first:pt-1 last:pb-0">
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-64">
          <h3 className="font-semibold">{preset.name}</h3>
          <p>{preset.text}</p>
          <p className="text-[0.8125rem] text-muted">
            {text.source}:{' '}
            <a
              href={preset.source.url}
              target="_blank"
              rel="noreferrer"
              className="inline-flex items-center gap-1 underline underline-offset-2"
            >
              {preset.source.title} <ExternalLink aria-hidden size={12} />
            </a>
            {preset.differs && <span className="block">{preset.differs}</span>}
          </p>
        </div>
        <Button
          aria-label={text.useNamed(preset.name)}
          why={why ?? (differences.length === 0 && text.inUse)}
          onClick={() => {
            apply(preset.name, next);
            onUsed();
          }}
        >
          {text.use}
        </Button>
      </div>
      {why && <p className="mt-1 text-[0.8125rem] text-warn">{why}</p>}
      {differences.length > 0 && (
        <details className="mt-1">
          <summary className="inline-block py-0.5 text-[0.8125rem] text-muted underline underline-offset-2">
            {text.changes(formatPlural(differences.length, 'field'))}
          </summary>
          <Changes differences={differences} caption={preset.name} heads={text.heads} />
        </details>
      )}
    </li>
  );
}

/** Published settings for the recipe's goal, each with its source and what it would change. */
export function PresetsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const goal = useRecipe((state) => state.recipe.objective.type);
  const own = presetsFor(goal);
  return (
    <Dialog open={open} onClose={onClose} title={text.title} description={text.description} shape="wide">
      {own.length === 0 && <p>{text.none}</p>}
      <ul className="divide-y">
        {own.map((preset) => (
          <PresetCard key={preset.id} preset={preset} onUsed={onClose} />
        ))}
      </ul>
    </Dialog>
  );
}
