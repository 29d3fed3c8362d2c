import { useRecipe } from '../../../stores/recipe';
import { sliderText as text } from '../../text/recipe';
import { Panel } from '../../ui/Panel';
import { RangeField } from '../../ui/RangeField';
import { formatPlural, formatRate, formatShare } from '../../util/format';
import { CAREFUL_FIELD, LONG_FIELD } from '../../util/route';
import { FindRateButton } from './FindRateButton';
import { Goal } from './Goal';
import { MemoryChoices } from './MemoryChoices';
import { Method } from './Method';
import { Rewards } from './Rewards';
import { cares, nearestStop, type Stop, sizeOf, stopOf, strengthsFor } from './slider-stops';

function Sliders() {
  const recipe = useRecipe((state) => state.recipe);
  const set = useRecipe((state) => state.set);
  const { training, dataset } = recipe;
  const strengths = strengthsFor(recipe);
  const strength = nearestStop(recipe, strengths);
  const care = nearestStop(recipe, cares);
  const exactly = (stops: Stop[], i: number) => (stopOf(recipe, stops) < 0 ? text.custom : stops[i]!.name);
  return (
    <Panel title={text.title}>
      <div className="grid gap-6 pt-1">
        <RangeField
          id={LONG_FIELD}
          label={text.long}
          min={1}
          max={10}
          value={Math.min(10, Math.max(1, Math.round(training.num_train_epochs)))}
          text={
            training.max_steps > 0
              ? text.steps(formatPlural(training.max_steps, 'step'))
              : text.passes(formatPlural(training.num_train_epochs, 'pass', 'passes'))
          }
          hint={text.longHint}
          onChange={(value) => set({ 'training.num_train_epochs': value, 'training.max_steps': undefined })}
        />
        <RangeField
          label={text.strong}
          min={0}
          max={strengths.length - 1}
          value={strength}
          text={text.setting(
            exactly(strengths, strength),
            text.rate(sizeOf(recipe), formatRate(training.learning_rate)),
          )}
          hint={text.strongHint}
          onChange={(value) => set(strengths[value]?.values ?? {})}
        />
        <div className="-mt-4">
          <FindRateButton />
        </div>
        <RangeField
          id={CAREFUL_FIELD}
          label={text.careful}
          min={0}
          max={cares.length - 1}
          value={care}
          text={text.setting(
            exactly(cares, care),
            dataset.validation_split === 0 ? text.nothingHeldOut : text.heldOut(formatShare(dataset.validation_split)),
          )}
          hint={text.carefulHint}
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
      <Rewards />
      <Method />
      <Sliders />
      <MemoryChoices />
    </>
  );
}
