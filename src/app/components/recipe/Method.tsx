import type { MethodType } from '../../../recipe/types';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import type { ModelInfo } from '../../../worker/api';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { Panel } from '../../ui/Panel';
import { Segmented } from '../../ui/Segmented';
import { formatBytes } from '../../util/format';
import { refusalOf, refusalText } from './refusals';

interface MethodCard {
  type: MethodType;
  name: string;
  /** When to use it. */
  text: string;
  memory: (model: ModelInfo | null) => string;
  file: (model: ModelInfo | null) => string;
  speed: string;
}

/** Weight, gradient and AdamW's two moments, four bytes each, for every parameter. */
const everything = (model: ModelInfo | null, share = '') =>
  model ? `${share}${formatBytes(model.parameters * 16)}, and the activations` : 'four times the model and more';
const wholeModel = (model: ModelInfo | null) =>
  model ? `the whole model, ${formatBytes(model.bytes)}` : 'the whole model';

const groups: { title: string; cards: MethodCard[] }[] = [
  {
    title: 'Small parts beside a frozen model',
    cards: [
      {
        type: 'lora',
        name: 'LoRA',
        text: 'Small matrices beside its layers learn. The right choice nearly always.',
        memory: () => 'little more than the model',
        file: () => 'a hundredth of the model or less',
        speed: 'fast; none lost once merged',
      },
      {
        type: 'bottleneck',
        name: 'Bottleneck adapters',
        text: 'A narrow network after each layer learns. For many tasks on one base, as AdapterHub shares them.',
        memory: () => 'little more than the model',
        file: () => 'a hundredth of the model or so',
        speed: 'fast; answers a little slower',
      },
      {
        type: 'ia3',
        name: 'IA³',
        text: 'One factor for each inner value learns. For few examples, or when the file must be tiny.',
        memory: () => 'hardly more than the model',
        file: () => 'a few kilobytes',
        speed: 'fast; none lost once merged',
      },
    ],
  },
  {
    title: 'A learned beginning before every text',
    cards: [
      {
        type: 'prefix_tuning',
        name: 'Prefix tuning',
        text: 'Learned keys and values in every layer. Steers a manner or a task without touching a weight.',
        memory: () => 'hardly more than the model',
        file: () => 'small',
        speed: 'fast; takes room in the context',
      },
      {
        type: 'prompt_tuning',
        name: 'Prompt tuning',
        text: 'Learned words before the text. Best on large models; a small one learns slowly this way.',
        memory: () => 'hardly more than the model',
        file: () => 'a few kilobytes',
        speed: 'slow to learn; takes room in the context',
      },
      {
        type: 'p_tuning',
        name: 'P-tuning',
        text: 'Learned words that a small network makes. Steadier than prompt tuning, mostly for sorting texts.',
        memory: () => 'hardly more than the model',
        file: () => 'a few kilobytes',
        speed: 'slow to learn; takes room in the context',
      },
    ],
  },
  {
    title: 'The model itself',
    cards: [
      {
        type: 'full',
        name: 'Full fine-tuning',
        text: 'Every weight learns. For small models and much data; it forgets most of what it knew before.',
        memory: (model) => everything(model),
        file: wholeModel,
        speed: 'slower, with the largest effect',
      },
      {
        type: 'head',
        name: 'Head only',
        text: 'The model stays as it is, and only the classifier on top learns. A quick first try at sorting.',
        memory: () => 'hardly more than the model',
        file: wholeModel,
        speed: 'the fastest',
      },
      {
        type: 'gradual_unfreezing',
        name: 'Gradual unfreezing',
        text: 'The top learns first, then one layer more after another (ULMFiT). For little data and less forgetting.',
        memory: (model) => everything(model, 'up to '),
        file: wholeModel,
        speed: 'fast at first, slower in the end',
      },
    ],
  },
];

const attention = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];
const same = (a: string[], b: string[]) => [...a].sort().join() === [...b].sort().join();

/** Where LoRA's matrices stand; left out for families whose attention has other names. */
function LoraTargets() {
  const { recipe, set } = useRecipe();
  const modules = useModel((state) => state.info?.linearModules) ?? attention;
  if (recipe.method.type !== 'lora' || !attention.every((name) => modules.includes(name))) return null;
  const targets = recipe.method.target_modules;
  const where = targets === 'all-linear' ? 'all' : same(targets, attention) ? 'attention' : 'own';
  return (
    <div className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-2">
      <span className="font-medium">LoRA stands beside</span>
      <Segmented
        label="LoRA stands beside"
        value={where}
        onChange={(value) => set({ 'method.target_modules': value === 'attention' ? attention : undefined })}
        options={[
          { value: 'all', label: 'Every linear layer' },
          { value: 'attention', label: 'Attention only' },
          ...(where === 'own' ? [{ value: 'own' as const, label: 'Modules of your own' }] : []),
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
        {groups.map(({ title, cards }) => (
          <section key={title} aria-label={title}>
            <h3 className="mb-2 text-[0.8125rem] font-medium text-muted">{title}</h3>
            <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
              {cards.map(({ type, name, text, memory, file, speed }) => {
                const chosen = recipe.method.type === type;
                const refusal = chosen ? null : refusalOf(recipe, 'method.type', type, model);
                return (
                  <ChoiceCard
                    key={type}
                    name={name}
                    chosen={chosen}
                    why={refusal && refusalText(refusal, 'method.type')}
                    onChoose={() => set({ 'method.type': type === 'lora' ? undefined : type })}
                    facts={
                      !refusal && (
                        <dl className="mt-2 space-y-0.5">
                          <Cost name="Memory" value={memory(model)} />
                          <Cost name="File" value={file(model)} />
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
            {cards.some(({ type }) => type === 'lora') && <LoraTargets />}
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
