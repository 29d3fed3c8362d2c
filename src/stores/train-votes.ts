/** From votes to a run: the dataset that they become, and a recipe that learns from it. */

import { methodOf } from '../methods';
import type { AnyObjective } from '../objectives';
import { objectives } from '../objectives';
import type { RecipePath } from '../recipe/fields';
import { type DatasetFormat, readAsDetected } from '../recipe/sections';
import type { Vote } from '../session/comparison-types';
import { decided, judgedLines, pairLines, type VoteForm } from '../session/votes';
import type { RunRecord } from '../storage/types';
import { runIdOf } from './compared';
import { useData } from './data';
import { toErrorData } from './errors';
import { useLibrary } from './library';
import { useModel } from './model';
import { usePlan } from './plan';
import { useRecipe } from './recipe';
import { useRuns } from './runs';
import { getSession } from './session';
import { useVotes } from './votes';

/** What votes are learned as: pairs of a better and a worse answer, or single answers with a mark. */
export type Lesson = 'pairs' | 'judged';

const FORMATS: Record<Lesson, DatasetFormat> = {
  pairs: 'preference',
  judged: 'unpaired_preference',
};
const NAMES: Record<Lesson, string> = { pairs: 'My votes', judged: 'My marked answers' };

/** The objective that a lesson is made for; null where none learns from it. */
export const objectiveOfLesson = (lesson: Lesson): AnyObjective | null =>
  objectives.find(({ goal }) => goal.formats.includes(FORMATS[lesson])) ?? null;

/** Steps that a handful of votes need to show, and what is too few to hold any out. */
const STEPS = 30;
const BATCH = 4;
const HOLD_OUT_FROM = 20;

/** The form that the open model reads. */
export const formOfModel = (): VoteForm => (useModel.getState().info?.hasChatTemplate === false ? 'text' : 'messages');

export const linesOf = (lesson: Lesson, votes: readonly Vote[]): string =>
  lesson === 'pairs' ? pairLines(votes, formOfModel()) : judgedLines(votes, formOfModel());

/** Why nothing can be learned from the votes yet; null if something can. */
export function lackingVotes(lesson: Lesson, votes: readonly Vote[]): 'pairs' | 'both' | null {
  if (lesson === 'pairs') return decided(votes).length > 0 ? null : 'pairs';
  if (votes.length === 0) return 'pairs';
  const marks = new Set(votes.map(({ verdict }) => verdict));
  return marks.has('a') || marks.has('b') || marks.size > 1 ? null : 'both';
}

/** Examples that a lesson has. */
export const countOf = (lesson: Lesson, votes: readonly Vote[]): number =>
  lesson === 'pairs' ? decided(votes).length : 2 * votes.length;

/**
 * The run whose answers most votes are about: it is what should get better. Null for the base, for adapters of files, and for a run
 * that is gone, is of another model, or left no adapter to continue.
 */
export function votedRun(votes: readonly Vote[], runs: readonly RunRecord[], model: string): RunRecord | null {
  const counts = new Map<string, number>();
  for (const { a, b } of votes) {
    for (const { model: from } of [a, b]) {
      const run = runIdOf(from);
      if (run !== null) counts.set(run, (counts.get(run) ?? 0) + 1);
    }
  }
  const most = [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
  const run = runs.find(({ id }) => id === most);
  return run && run.recipe.model.source === model && methodOf(run.recipe.method).files ? run : null;
}

/** A name that no file has which was edited by hand. */
function freeName(lesson: Lesson): string {
  const edited = new Set(useLibrary.getState().own.flatMap(({ name, edited }) => (edited ? [name] : [])));
  for (let n = 1; ; n++) {
    const name = `${NAMES[lesson]}${n === 1 ? '' : ` ${n}`}.jsonl`;
    if (!edited.has(name)) return name;
  }
}

/** How long to train on so many examples, and what to hold out of them. */
export function settingsForVotes(examples: number): Partial<Record<RecipePath, number>> {
  const perEpoch = Math.max(1, Math.ceil(examples / BATCH));
  return {
    'training.num_train_epochs': Math.min(20, Math.max(1, Math.ceil(STEPS / perEpoch))),
    'training.per_device_train_batch_size': BATCH,
    'training.gradient_accumulation_steps': 1,
    'dataset.validation_split': examples < HOLD_OUT_FROM ? 0 : 0.1,
  };
}

/**
 * Stores the votes as a dataset, chooses it, and sets a recipe that learns from it: on the adapter whose answers were voted on, if a
 * run left one. Resolves to the dataset's source; null when it could not be stored.
 */
export async function chooseVotes(lesson: Lesson): Promise<string | null> {
  const { votes } = useVotes.getState();
  try {
    await useLibrary.getState().refresh();
    const source = await getSession().importDataset(new File([linesOf(lesson, votes)], freeName(lesson)));
    const { recipe, set } = useRecipe.getState();
    const run = votedRun(votes, useRuns.getState().runs, recipe.model.source);
    const type = objectiveOfLesson(lesson)?.type;
    set({
      ...readAsDetected,
      'dataset.source': source,
      // What was set for another goal does not suit this one.
      ...(type === recipe.objective.type ? {} : { 'training.learning_rate': undefined }),
      'training.max_steps': undefined,
      'dataset.packing': undefined,
      'objective.type': type,
      ...(run
        ? { 'method.type': run.recipe.method.type, 'method.init_adapter': `run:${run.id}` }
        : 'init_adapter' in recipe.method
          ? { 'method.init_adapter': undefined }
          : {}),
      name: undefined,
      ...settingsForVotes(countOf(lesson, votes)),
    });
    // The same name with other votes: no field of the recipe has changed, so nobody else notices.
    if (recipe.dataset.source === source) usePlan.getState().forget();
    if (recipe.dataset.source === source) await useData.getState().open(useRecipe.getState().recipe.dataset);
    await useLibrary.getState().refresh();
    return source;
  } catch (cause) {
    useVotes.setState({ error: toErrorData(cause, 'The votes could not become a dataset.') });
    return null;
  }
}
