import { defaultMethod } from '../../../methods';
import { field } from '../../../recipe/fields';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { Panel } from '../../ui/Panel';
import { Segmented } from '../../ui/Segmented';
import { costWords, methodGroups } from './method-cards';
import { refusalOf, refusalText } from './refusals';

const attention = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];
const same = (a: string[], b: string[]) => [...a].sort().join() === [...b].sort().join();

/** Where an adapter is added; left out for families whose attention has other names. */
function Targets() {
  const { recipe, set } = useRecipe();
  const modules = useModel((state) => state.info?.linearModules) ?? attention;
  const { method } = recipe;
  const spec = field('method.target_modules', recipe);
  const everywhere = 'target_modules' in method && spec.kind === 'modules' && spec.word === 'all-linear';
  if (!everywhere || !attention.every((name) => modules.includes(name))) return null;
  const targets = method.target_modules;
  const where = !Array.isArray(targets) ? 'all' : same(targets, attention) ? 'attention' : 'own';
  return (
    <div className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-2">
      <span className="font-medium">Adapts</span>
      <Segmented
        label="Adapted layers"
        value={where}
        onChange={(value) => set({ 'method.target_modules': value === 'attention' ? attention : undefined })}
        options={[
          { value: 'all', label: 'Every linear layer' },
          { value: 'attention', label: 'Attention only' },
          ...(where === 'own' ? [{ value: 'own' as const, label: 'Chosen modules' }] : []),
        ]}
      />
      <span className="min-w-0 flex-1 basis-64 text-[0.8125rem] text-muted">
        {where === 'attention'
          ? 'About half the size. Enough to change a tone, less so to learn facts.'
          : where === 'own' && Array.isArray(targets)
            ? `Chosen in Advanced: ${targets.join(', ')}.`
            : 'Learns most.'}
      </span>
    </div>
  );
}

/** How it learns, as cards with what each costs. */
export function Method() {
  const { recipe, set } = useRecipe();
  const model = useModel((state) => state.info);
  return (
    <Panel title="Method">
      <div className="space-y-5">
        {methodGroups.map(({ title, methods }) => (
          <section key={title} aria-label={title}>
            <h3 className="mb-2 text-[0.8125rem] font-medium text-muted">{title}</h3>
            <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
              {methods.map(({ type, label, card: { text, memory, file, speed } }) => {
                const chosen = recipe.method.type === type;
                const refusal = chosen ? null : refusalOf(recipe, 'method.type', type, model);
                return (
                  <ChoiceCard
                    key={type}
                    name={label}
                    chosen={chosen}
                    why={refusal && refusalText(refusal, 'method.type')}
                    onChoose={() => set({ 'method.type': type === defaultMethod ? undefined : type })}
                    facts={
                      !refusal && (
                        <dl className="mt-2 space-y-0.5">
                          <Cost name="Memory" value={costWords(memory, model)} />
                          <Cost name="File" value={costWords(file, model)} />
                          <Cost name="Speed" value={speed} />
                        </dl>
                      )
                    }
                  >
                    {text}
                  </ChoiceCard>
                );
              })}
            </div>
            {methods.some(({ type }) => type === recipe.method.type) && <Targets />}
          </section>
        ))}
      </div>
    </Panel>
  );
}

function Cost({ name, value }: { name: string; value: string }) {
  return (
    <div className="flex gap-2">
      <dt className="w-14 shrink-0">{name}</dt>
      <dd className="min-w-0 text-ink">{value}</dd>
    </div>
  );
}
