import { useRecipe } from '../../../stores/recipe';
import { Panel } from '../../ui/Panel';
import { RangeField } from '../../ui/RangeField';
import { formatPlural, formatRate, formatShare } from '../../util/format';
import { Goal } from './Goal';
import { MemoryChoices } from './MemoryChoices';
import { Method } from './Method';
import { cares, nearestStop, type Stop, sizeOf, stopOf, strengthsFor } from './presets';

function Sliders() {
  const { recipe, set } = useRecipe();
  const { training, dataset } = recipe;
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
          text={`${exactly(strengths, strength)}: ${sizeOf(recipe)}learning rate ${formatRate(training.learning_rate)}`}
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
