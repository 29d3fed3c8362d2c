/** What a test drive found, as ticks: each in plain words, and what fails with what to do. */
import { objectiveOf } from '../../../objectives';
import { field, type RecipePath } from '../../../recipe/fields';
import type { Recipe } from '../../../recipe/types';
import type { Forecast, TestDrive } from '../../../session/api';
import { hintsFor } from '../../../stores/hints';
import { driveText as text } from '../../text/trial';
import { formatBytes, formatCount, formatDuration, formatMetric, formatRate } from '../../util/format';

export interface Tick {
  id: 'step' | 'memory' | 'attached' | 'ends' | 'learned' | 'rate' | 'quicker';
  state: 'good' | 'warn' | 'bad';
  text: string;
  /** What to do about it. */
  action?: string;
  /** A change that can be made with one press. */
  press?: { label: string; changes: Partial<Record<RecipePath, unknown>> };
  /** The rate finder helps. */
  find?: true;
}

export function ticksOf(
  drive: TestDrive,
  recipe: Recipe,
  forecast: Pick<Forecast, 'seconds' | 'totalBytes' | 'verdict'> | null,
): Tick[] {
  return [
    stepTick(drive, forecast),
    memoryTick(drive, forecast),
    attachedTick(drive, recipe),
    ...endsTicks(drive, recipe),
    ...learnedTicks(drive, recipe),
    rateTick(recipe),
    ...quickerTicks(drive),
  ];
}

const seconds = (value: number) => (value < 10 ? `${value.toPrecision(2)} s` : formatDuration(value));

function stepTick({ secondsPerStep }: TestDrive, forecast: Pick<Forecast, 'seconds'> | null): Tick {
  const whole = forecast?.seconds == null ? null : `about ${formatDuration(forecast.seconds)}`;
  return { id: 'step', state: 'good', text: text.step(seconds(secondsPerStep), whole) };
}

function memoryTick({ gpuBytes }: TestDrive, forecast: Pick<Forecast, 'totalBytes' | 'verdict'> | null): Tick {
  const planned = forecast && forecast.totalBytes > 0 ? formatBytes(forecast.totalBytes) : null;
  const words = text.memory(formatBytes(gpuBytes), planned);
  const tight = forecast?.verdict === 'tight' || forecast?.verdict === 'too_big';
  if (!tight) return { id: 'memory', state: 'good', text: words };
  return { id: 'memory', state: 'warn', text: `${words} ${text.tight}`, action: text.tightAction };
}

/** It learns from answers that it writes itself: their loss does not show progress, and nothing of them is in the data. */
const writesItself = ({ objective }: Recipe) => objectiveOf(objective).answerTokens !== undefined;

function attachedTick({ finite, gradNorm, lossBefore, lossAfter }: TestDrive, recipe: Recipe): Tick {
  const id = 'attached';
  if (!finite || !Number.isFinite(lossAfter)) {
    return { id, state: 'bad', text: text.notFinite, action: text.notFiniteAction, find: true };
  }
  if (writesItself(recipe)) return { id, state: 'good', text: text.stepTaken };
  if (gradNorm === 0 || lossAfter === lossBefore) {
    return { id, state: 'bad', text: text.detached, action: text.detachedAction };
  }
  const [before, after] = [formatMetric(lossBefore), formatMetric(lossAfter)];
  if (lossAfter > lossBefore) {
    return { id, state: 'warn', text: text.rises(before, after), action: text.risesAction, find: true };
  }
  return { id, state: 'good', text: text.attached(before, after) };
}

/** A limit that was set by hand gives way to what the memory allows. */
const longer = ({ dataset }: Recipe): Tick['press'] =>
  dataset.max_length === 'auto' ? undefined : { label: text.longer, changes: { 'dataset.max_length': undefined } };

function endsTicks({ learned: { endless, examples } }: TestDrive, recipe: Recipe): Tick[] {
  const id = 'ends';
  if (endless === null) return [];
  if (endless === 0) return [{ id, state: 'good', text: text.ends }];
  if (endless === examples) {
    return [{ id, state: 'bad', text: text.noEnds, action: text.noEndsAction, press: longer(recipe) }];
  }
  const words = text.someEnds(formatCount(endless), formatCount(examples));
  return [{ id, state: 'warn', text: words, action: text.someEndsAction, press: longer(recipe) }];
}

function learnedTicks({ learned: { masked, examples } }: TestDrive, recipe: Recipe): Tick[] {
  const id = 'learned';
  if (writesItself(recipe)) return [];
  if (masked === 0) return [{ id, state: 'good', text: text.learned }];
  const words = text.masked(formatCount(masked), formatCount(examples));
  const state = masked === examples ? 'bad' : 'warn';
  return [{ id, state, text: words, action: text.maskedAction, press: longer(recipe) }];
}

function rateTick(recipe: Recipe): Tick {
  const id = 'rate';
  const path = 'training.learning_rate';
  const rate = recipe.training.learning_rate;
  const spec = field(path, recipe);
  const [low, high] = 'usual' in spec && spec.usual ? spec.usual : [rate, rate];
  const usual = rate >= low && rate <= high;
  const figures = [formatRate(rate), formatRate(low), formatRate(high)] as const;
  // What suits the open model widens the range: nothing in between is unusual for it.
  const suits = hintsFor(recipe)[path];
  if (!usual && typeof suits === 'number' && rate >= Math.min(low, suits) && rate <= Math.max(high, suits)) {
    return { id, state: 'good', text: text.suggested(...figures) };
  }
  const words = (usual ? text.usual : text.unusual)(...figures);
  return usual
    ? { id, state: 'good', text: words }
    : { id, state: 'warn', text: words, action: text.unusualAction, find: true };
}

function quickerTicks({ quicker }: TestDrive): Tick[] {
  if (!quicker) return [];
  const { batchSize, accumulation, secondsPerStep } = quicker;
  return [
    {
      id: 'quicker',
      state: 'good',
      text: text.quicker(batchSize, accumulation, seconds(secondsPerStep)),
      press: {
        label: text.takeQuicker(batchSize, accumulation),
        changes: {
          'training.per_device_train_batch_size': batchSize,
          'training.gradient_accumulation_steps': accumulation,
        },
      },
    },
  ];
}
