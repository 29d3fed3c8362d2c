import { methodOf } from '../../../methods';
import type { Recipe } from '../../../recipe/types';
import type { PageName } from '../../../stores/blockers';
import { useCompare } from '../../../stores/compare';
import { useData } from '../../../stores/data';
import { useDownloads } from '../../../stores/downloads';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useTraining } from '../../../stores/training';
import { formatBytes, formatFigure, formatPlural } from '../../util/format';

export interface StepState {
  text: string;
  tone: 'plain' | 'busy' | 'warning' | 'error' | 'done';
}

function useModelState(): StepState {
  const { status, info, loaded, total, device } = useModel();
  const fetching = useDownloads((state) => state.downloads.find(({ state: now }) => now === 'downloading'));
  if (device?.problem) return { text: 'WebGPU is not available', tone: 'error' };
  if (fetching && fetching.total > 0) {
    const percent = Math.floor((fetching.loaded / fetching.total) * 100);
    return { text: `Downloading ${fetching.title.split('/').at(-1)}, ${percent} %`, tone: 'busy' };
  }
  if (status === 'ready' && info) return { text: `${info.title} · ${formatBytes(info.bytes)}`, tone: 'done' };
  if (status === 'failed') return { text: 'Could not be opened', tone: 'error' };
  return { text: total > 0 ? `Opening, ${Math.round((loaded / total) * 100)} %` : 'Opening', tone: 'busy' };
}

function useDataState(): StepState {
  const { status, dataset, tokens, tokenError } = useData();
  if (status === 'failed') return { text: 'Could not be opened', tone: 'error' };
  if (status !== 'ready' || !dataset) return { text: 'Reading', tone: 'busy' };
  const problems = [...dataset.problems, ...(tokens?.problems ?? [])];
  const parts = [dataset.name, formatPlural(dataset.examples.length, 'example')];
  if (problems.length > 0) parts.push(formatPlural(problems.length, 'warning'));
  const text = parts.join(' · ');
  return { text, tone: tokenError ? 'error' : problems.length > 0 ? 'warning' : 'done' };
}

/** `QLoRA r16`, `Prompt tuning 20`. */
function methodTitle({ method, model }: Recipe): string {
  return methodOf(method).summary(method, model.quantization !== 'none');
}

function useRecipeState(): StepState {
  const { recipe, problems } = useRecipe();
  if (problems.length > 0) return { text: formatPlural(problems.length, 'problem'), tone: 'error' };
  const { num_train_epochs, max_steps } = recipe.training;
  const length = max_steps > 0 ? formatPlural(max_steps, 'step') : formatPlural(num_train_epochs, 'epoch');
  return { text: `${methodTitle(recipe)} · ${length}`, tone: 'done' };
}

function useTrainState(): StepState {
  const { phase, run, rows, totalSteps, error } = useTraining();
  const step = rows.at(-1)?.step ?? run?.step ?? 0;
  if (phase === 'starting') return { text: 'Starting', tone: 'busy' };
  if (phase === 'paused') return { text: `Paused at step ${step} of ${totalSteps}`, tone: 'warning' };
  if (phase !== 'idle') return { text: `Step ${step} of ${totalSteps}`, tone: 'busy' };
  if (error) return { text: 'Ended with an error', tone: 'error' };
  if (!run) return { text: 'Not started', tone: 'plain' };
  const loss = run.bestEvalLoss ?? run.finalLoss;
  if (run.status === 'completed' || run.status === 'early_stopped') {
    return { text: loss === null ? 'Finished' : `Finished · loss ${formatFigure(loss)}`, tone: 'done' };
  }
  return { text: `Stopped at step ${run.step} of ${run.totalSteps}`, tone: 'plain' };
}

function useCompareState(): StepState {
  const { adapter, opening } = useCompare();
  if (opening) return { text: 'Loading the adapter', tone: 'busy' };
  return adapter ? { text: `${adapter.name} is ready`, tone: 'done' } : { text: 'After training', tone: 'plain' };
}

/** A line of state for each of the five pages. */
export function useStepStates(): Record<PageName, StepState> {
  return {
    model: useModelState(),
    data: useDataState(),
    recipe: useRecipeState(),
    train: useTrainState(),
    compare: useCompareState(),
  };
}
