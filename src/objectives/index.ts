/** The objectives, in the order of the screen. Adding one adds a file and a line in all.ts, here and in src/engine/objectives. */
import { labelsWords, type TaskData } from '../base/task';
import * as all from './all';
import type { BatchSettings, ObjectiveDescriptor, Pace } from './objective';

type SectionOf<D> = D extends ObjectiveDescriptor<infer S> ? S : never;
/** The `objective` section of a recipe, resolved. */
export type ObjectiveSection = SectionOf<(typeof all)[keyof typeof all]>;
export type ObjectiveType = ObjectiveSection['type'];
/** A descriptor whose objective is not known: it takes any section, and is only ever given its own. */
export type AnyObjective = ObjectiveDescriptor<ObjectiveSection>;

/** The first is the default. */
export const objectives: readonly AnyObjective[] = (Object.values(all) as unknown as AnyObjective[]).sort(
  (a, b) => a.order - b.order,
);

const byType = new Map<string, AnyObjective>(objectives.map((objective) => [objective.type, objective]));

/** The descriptor of a recipe's objective. */
export function objectiveOf(section: { type: ObjectiveType }): AnyObjective {
  return byType.get(section.type)!;
}

/** How a run goes through its examples; null for micro-batches of examples, each step its own. */
export const paceOf = (section: ObjectiveSection, training: BatchSettings): Pace | null =>
  objectiveOf(section).pace?.(section, training) ?? null;

export const defaultObjective: ObjectiveType = objectives[0]!.type;

type ModelKind = 'decoder' | 'encoder';
const suits = ({ models }: AnyObjective, kind: ModelKind) => models === 'any' || models === kind;

/** What a model of this kind learns from plain text: for the measure of forgetting, EWC and replay. */
export const textObjective = (kind: ModelKind): AnyObjective =>
  objectives.find((objective) => objective.learns === 'text' && suits(objective, kind))!;

/** An objective's section of a recipe, with the defaults. */
export function defaultSection({ type, fields }: AnyObjective): ObjectiveSection {
  const defaults = Object.entries<{ default: unknown }>(fields).map(([key, field]) => [key, field.default]);
  return { type, ...Object.fromEntries(defaults) };
}

export const textSection = (kind: ModelKind): ObjectiveSection => defaultSection(textObjective(kind));

const sameTask = (one: TaskData, other: TaskData) =>
  one.problemType === other.problemType && one.labels.join('\n') === other.labels.join('\n');

/** What an adapter with this head (or none) was trained for, as far as its files say. */
export function objectiveOfTask(task: TaskData | null, kind: ModelKind): AnyObjective {
  const labels = task && (labelsWords(task) ? 'words' : 'texts');
  const named = task && objectives.find(({ task: own }) => own && sameTask(own, task));
  if (named) return named;
  return objectives.find((objective) => objective.labels === labels && suits(objective, kind))!;
}

/** The objective of a goal's card that the model can learn; the first of them while no model is open. */
export function objectiveOfGoal(goal: AnyObjective['goal'], kind: ModelKind | undefined): AnyObjective {
  const sharing = objectives.filter((objective) => objective.goal === goal);
  return (kind && sharing.find((objective) => suits(objective, kind))) || sharing[0]!;
}
