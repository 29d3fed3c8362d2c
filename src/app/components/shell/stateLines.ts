/** What each page's step in the rail says of its state, in one line. */
import { methodOf } from '../../../methods';
import type { Recipe } from '../../../recipe/types';
import type { RunRecord } from '../../../storage/types';
import { useCompare } from '../../../stores/compare';
import { problemsOf, useData } from '../../../stores/data';
import { useDownloads } from '../../../stores/downloads';
import { earnsRewards, shownLoss } from '../../../stores/evaluations';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { bestOfLatest, useRuns } from '../../../stores/runs';
import { useFields, useShallow } from '../../../stores/select';
import { isStarting, stepReached, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { stateText } from '../../text/shell';
import { formatBytes, formatCount, formatMetric, formatPlural } from '../../util/format';

export interface StateLine {
  text: string;
  tone: 'plain' | 'busy' | 'warning' | 'error' | 'done';
}

export function useModelLine(): StateLine {
  const { status, info, loaded, total, noWebGpu } = useModel(
    useShallow((state) => ({
      status: state.status,
      info: state.info,
      loaded: state.loaded,
      total: state.total,
      noWebGpu: Boolean(state.device?.problem),
    })),
  );
  const download = useDownloads((state) => state.downloads.find(({ state: now }) => now === 'downloading'));
  const quantization = useRecipe((state) => state.recipe.model.quantization);
  const { model } = stateText;
  if (noWebGpu) return { text: model.noWebGpu, tone: 'error' };
  if (download && download.total > 0) {
    const name = download.title.split('/').at(-1) ?? download.title;
    return { text: model.downloading(name, Math.floor((download.loaded / download.total) * 100)), tone: 'busy' };
  }
  if (status === 'ready' && info) {
    const size = quantization === 'none' ? formatBytes(info.bytes) : model.bits[quantization];
    return { text: `${info.title} · ${size}`, tone: 'done' };
  }
  if (status === 'failed') return { text: stateText.couldNotBeOpened, tone: 'error' };
  return { text: total > 0 ? model.openingAt(Math.round((loaded / total) * 100)) : model.opening, tone: 'busy' };
}

export function useDataLine(): StateLine {
  const { status, name, examples, problems, tokenError } = useData(
    useShallow((state) => ({
      status: state.status,
      name: state.dataset?.name,
      examples: state.dataset?.examples.length ?? 0,
      // As many as the page lists: one for each kind.
      problems: new Set(problemsOf(state).map(({ code, dropped }) => `${code} ${dropped}`)).size,
      tokenError: state.tokenError,
    })),
  );
  if (status === 'failed') return { text: stateText.couldNotBeOpened, tone: 'error' };
  if (status !== 'ready' || name === undefined) return { text: stateText.data.reading, tone: 'busy' };
  const parts = [name, formatPlural(examples, 'example')];
  if (problems > 0) parts.push(formatPlural(problems, 'finding'));
  return { text: parts.join(' · '), tone: tokenError ? 'error' : problems > 0 ? 'warning' : 'done' };
}

/** `QLoRA r16`, `Prompt tuning 20`. */
const methodTitle = ({ method, model }: Recipe): string =>
  methodOf(method).summary(method, model.quantization !== 'none');

export function useRecipeLine(): StateLine {
  const recipe = useRecipe((state) => state.recipe);
  const problems = useRecipe((state) => state.problems.length);
  if (problems > 0) return { text: formatPlural(problems, 'problem'), tone: 'error' };
  const { num_train_epochs, max_steps } = recipe.training;
  const length = max_steps > 0 ? formatPlural(max_steps, 'step') : formatPlural(num_train_epochs, 'epoch');
  return { text: `${methodTitle(recipe)} · ${length}`, tone: 'done' };
}

export function useTrainLine(): StateLine {
  const { phase, run, totalSteps, error } = useTraining(useFields('phase', 'run', 'totalSteps', 'error'));
  const step = useTraining(stepReached);
  const { train } = stateText;
  if (isStarting(phase)) return { text: train.starting, tone: 'busy' };
  if (phase === 'paused') return { text: train.pausedAt(step, totalSteps), tone: 'warning' };
  if (phase !== 'idle') return { text: common.stepOf(step, totalSteps), tone: 'busy' };
  if (error) return { text: train.failed, tone: 'error' };
  if (!run) return { text: train.notStarted, tone: 'plain' };
  if (run.status === 'completed' || run.status === 'early_stopped') return { text: finished(run), tone: 'done' };
  return { text: train.stoppedAt(run.step, run.totalSteps), tone: 'plain' };
}

function finished(run: RunRecord): string {
  const { train } = stateText;
  const { bestEvalLoss, finalLoss } = run;
  const best = formatMetric(shownLoss(run, bestEvalLoss));
  if (bestEvalLoss !== null) return earnsRewards(run) ? train.finishedEarning(best) : train.finishedWith(best);
  return finalLoss === null ? train.finished : train.finishedWithTraining(formatMetric(finalLoss));
}

export function useCompareLine(): StateLine {
  const opening = useCompare((state) => state.opening);
  const adapter = useCompare((state) => state.adapter);
  const { compare } = stateText;
  if (opening) return { text: compare.loading, tone: 'busy' };
  return adapter ? { text: compare.ready(adapter.name), tone: 'done' } : { text: compare.later, tone: 'plain' };
}

export function useRunsLine(): StateLine {
  const count = useRuns(({ runs }) => runs.length);
  const best = useRuns(({ runs }) => bestOfLatest(runs));
  const { runs } = stateText;
  if (count === 0) return { text: runs.none, tone: 'plain' };
  const known = formatCount(count);
  return { text: best === null ? known : runs.best(known, formatMetric(best)), tone: 'plain' };
}
