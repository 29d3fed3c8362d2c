import { defaultMethod } from '../../../methods';
import { field } from '../../../recipe/fields';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { methodText as text } from '../../text/recipe';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { Panel } from '../../ui/Panel';
import { Segmented } from '../../ui/Segmented';
import { costWords, methodGroups } from './method-cards';
import { refusalOf, refusalText } from './refusals';

const attention = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];
const same = (a: string[], b: string[]) => [...a].sort().join() === [...b].sort().join();

/** Where an adapter is added; left out for families whose attention has other names. */
function Targets() {
  const { recipe, set } = useRecipe(useFields('recipe', 'set'));
  const modules = useModel((state) => state.info?.linearModules) ?? attention;
  const { method } = recipe;
  const spec = field('method.target_modules', recipe);
  const everywhere = 'target_modules' in method && spec.kind === 'modules' && spec.word === 'all-linear';
  if (!everywhere || !attention.every((name) => modules.includes(name))) return null;
  const targets = method.target_modules;
  const where = !Array.isArray(targets) ? 'all' : same(targets, attention) ? 'attention' : 'own';
  return (
    <div className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-2">
      <span className="font-medium">{text.targets.adapts}</span>
      <Segmented
        label={text.targets.label}
        value={where}
        onChange={(value) => set({ 'method.target_modules': value === 'attention' ? attention : undefined })}
        options={[
          { value: 'all', label: text.targets.all },
          { value: 'attention', label: text.targets.attention },
          ...(where === 'own' ? [{ value: 'own' as const, label: text.targets.own }] : []),
        ]}
      />
      <span className="min-w-0 flex-1 basis-64 text-[0.8125rem] text-muted">
        {where === 'attention'
          ? text.targets.attentionHint
          : where === 'own' && Array.isArray(targets)
            ? text.targets.ownHint(targets.join(', '))
            : text.targets.allHint}
      </span>
    </div>
  );
}

/** How the model learns, as cards with what each method costs. */
export function Method() {
  const { recipe, set } = useRecipe(useFields('recipe', 'set'));
  const model = useModel((state) => state.info);
  return (
    <Panel title={text.title}>
      <div className="space-y-5">
        {methodGroups.map(({ title, methods }) => (
          <section key={title} aria-label={title}>
            <h3 className="mb-2 text-[0.8125rem] font-medium text-muted">{title}</h3>
            <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
              {methods.map(({ type, label, card }) => {
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
                          <Cost name={text.memory} value={costWords(card.memory, model)} />
                          <Cost name={text.file} value={costWords(card.file, model)} />
                          <Cost name={text.speed} value={card.speed} />
                        </dl>
                      )
                    }
                  >
                    {card.text}
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
