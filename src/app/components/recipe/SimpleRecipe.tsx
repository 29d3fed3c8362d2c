import { useRecipe } from '../../../stores/recipe';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { Panel } from '../../ui/Panel';
import { RangeField } from '../../ui/RangeField';
import { formatPlural, formatRate, formatShare } from '../../util/format';
import { MemoryChoices } from './MemoryChoices';
import { cares, nearestStop, type Stop, stopOf, strengthsFor } from './presets';

function Goal() {
  const { recipe, set } = useRecipe();
  const answers = recipe.objective.type === 'sft' && recipe.objective.assistant_only_loss;
  return (
    <Panel title="Goal">
      <div className="grid gap-3 sm:grid-cols-2">
        <ChoiceCard
          name="Answer like my examples"
          chosen={answers}
          onChoose={() => set({ 'objective.assistant_only_loss': undefined })}
        >
          It learns the answers, not the questions. Right for chats, replies, labels.
        </ChoiceCard>
        <ChoiceCard
          name="Read more of my domain"
          chosen={!answers}
          onChoose={() => set({ 'objective.assistant_only_loss': false })}
        >
          It learns every word of the text, questions too. Right for documents and notes.
        </ChoiceCard>
      </div>
    </Panel>
  );
}

const attention = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];

function Method() {
  const { recipe, set } = useRecipe();
  const targets = recipe.method.type === 'lora' ? recipe.method.target_modules : 'all-linear';
  const everywhere = targets === 'all-linear';
  const onlyAttention = !everywhere && [...targets].sort().join() === [...attention].sort().join();
  return (
    <Panel title="Method">
      <div className="grid gap-3 sm:grid-cols-2">
        <ChoiceCard
          name="LoRA"
          chosen={everywhere}
          onChoose={() => set({ 'method.target_modules': undefined })}
          facts="method.target_modules: all-linear"
        >
          Small matrices beside every linear layer learn; the model itself stays as it is. The right choice nearly
          always.
        </ChoiceCard>
        <ChoiceCard
          name="LoRA on attention only"
          chosen={onlyAttention}
          onChoose={() => set({ 'method.target_modules': attention })}
          facts={`method.target_modules: ${attention.join(', ')}`}
        >
          About half the size. Enough to change a tone, less so to learn facts.
        </ChoiceCard>
      </div>
      {!everywhere && !onlyAttention && (
        <p className="mt-2 text-muted">Modules chosen in Advanced: {targets.join(', ')}.</p>
      )}
    </Panel>
  );
}

function Sliders() {
  const { recipe, set } = useRecipe();
  const { training, method, dataset } = recipe;
  const strengths = strengthsFor(recipe);
  const strength = nearestStop(recipe, strengths);
  const care = nearestStop(recipe, cares);
  const exactly = (stops: Stop[], i: number) => (stopOf(recipe, stops) < 0 ? 'Your own' : stops[i]!.name);
  return (
    <Panel title="How">
      <div className="grid gap-6 pt-1">
        <RangeField
          label="How long"
          min={1}
          max={10}
          value={Math.min(10, Math.max(1, Math.round(training.num_train_epochs)))}
          text={
            training.max_steps > 0
              ? `${formatPlural(training.max_steps, 'step')}, set in Advanced`
              : `${formatPlural(training.num_train_epochs, 'time')} through the examples`
          }
          hint="More lets it learn the examples better, and in the end by heart."
          onChange={(value) => set({ 'training.num_train_epochs': value, 'training.max_steps': undefined })}
        />
        <RangeField
          label="How strong"
          min={0}
          max={strengths.length - 1}
          value={strength}
          text={`${exactly(strengths, strength)}: ${method.type === 'lora' ? `rank ${method.r}, ` : ''}learning rate ${formatRate(training.learning_rate)}`}
          hint="Stronger changes more and forgets more of what the model could do before."
          onChange={(value) => set(strengths[value]?.values ?? {})}
        />
        <RangeField
          label="How careful"
          min={0}
          max={cares.length - 1}
          value={care}
          text={
            dataset.validation_split === 0
              ? `${exactly(cares, care)}: nothing is held out`
              : `${exactly(cares, care)}: ${formatShare(dataset.validation_split)} held out to check on`
          }
          hint="Examples that are held out show whether it learned the manner or only the words. The best moment of the run is kept."
          onChange={(value) => set(cares[value]?.values ?? {})}
        />
      </div>
    </Panel>
  );
}

/** What a newcomer decides: the goal, the method, and three sliders. */
export function SimpleRecipe() {
  return (
    <>
      <Goal />
      <Method />
      <Sliders />
      <MemoryChoices />
    </>
  );
}
