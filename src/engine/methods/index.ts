/** The engine's half of the methods. To add one, add a file and a line in all.ts, here and in src/methods. */
import { type MethodSection, methodOf } from '../../methods';
import { isSavedIn } from '../../methods/peft-saved';
import type { LanguageModel, ModelTensor } from '../models/model';
import * as all from './all';
import type { Method, MethodOptions, MethodTwin } from './method';
import { alongside, headTensors, openTensors } from './opened-tensors';
import { savedTensors } from './read-tensors';
import type { NamedTensors } from './tensors';

export type { MethodOptions } from './method';

/** Typed to take any section, but must only be given its own. */
type AnyTwin = MethodTwin<MethodSection>;
const twins = new Map<string, AnyTwin>(Object.values(all).map((twin) => [twin.type, twin as unknown as AnyTwin]));

const twinOf = ({ type }: MethodSection): AnyTwin => {
  const twin = twins.get(type);
  if (!twin) throw new Error(`src/engine/methods has no implementation of ${type}.`);
  return twin;
};

/** Whether the section trains the output projection of a tied model by name, and so apart from the embedding. */
export function opensOutput(model: Pick<LanguageModel, 'ties' | 'family'>, section: MethodSection): boolean {
  const names = methodOf(section).modulesToSave?.(section) ?? [];
  return model.ties.some(({ name }) => isSavedIn(model, name, names));
}

/** Tensors of the checkpoint that are trained along with an adapter: the objective's head and `modules_to_save`. */
export function trainedBeside(model: LanguageModel, section: MethodSection): ModelTensor[] {
  const twin = twinOf(section);
  if (twin.opens) return [];
  const saved = twin.modulesToSave?.(model, section) ?? [];
  return [...saved, ...headTensors(model).filter((tensor) => !saved.includes(tensor))];
}

export async function createMethod(
  model: LanguageModel,
  section: MethodSection,
  { values, ...options }: MethodOptions,
): Promise<Method> {
  const beside = trainedBeside(model, section);
  const separate = new Set(beside.map(({ name }) => name));
  const own = values && new Map([...values].filter(([name]) => !separate.has(name)));
  const method = await twinOf(section).create(model, section, { ...options, values: own });
  if (beside.length === 0) return method;
  try {
    return alongside(method, openTensors(beside, values));
  } catch (error) {
    method.dispose();
    throw error;
  }
}

/** Shapes of a method's tensors if a dry run should not initialise so many values at random; otherwise null. */
export const methodShapes = (model: LanguageModel, section: MethodSection): Map<string, { shape: number[] }> | null =>
  twinOf(section).shapes?.(model, section) ?? null;

/** The contents of an adapter's files: its tensors, and the config fields that depend on the model. `toTrain`: as a trainer starts from them. */
export async function exportedMethod(
  model: LanguageModel,
  method: Method,
  section: MethodSection,
  { toTrain = false } = {},
): Promise<{ config: Record<string, unknown>; tensors: NamedTensors }> {
  const { exported, started } = twinOf(section);
  const write = (toTrain && started) || exported;
  return (await write?.(model, method, section)) ?? { config: {}, tensors: await savedTensors(method) };
}
