/**
 * Whether an adapter belongs to a model, from names and shapes alone. What does not fit is said in the words of adapters: which
 * tensors, and which model the adapter was made for. A recipe's words ("use all-linear") would help nobody who opens a file.
 */
import { TabtuneError } from '../base/errors';
import { moduleOf } from '../base/saved-modules';
import { checkpointName, familyNamed } from '../families';
import type { FittedModel } from '../formats/adapter-format';

/** What a tensor of an adapter says about the linear layer that it belongs to; sizes that it does not know are left out. */
export interface OnLinear {
  path: string;
  out?: number;
  width?: number;
}

/** A tensor's name in the file, for messages, and what it says. */
export interface PlacedTensor extends OnLinear {
  where: string;
}

/** `Open the model that it was made for, ORG/NAME.` */
const openItsModel = (base: string | null): string =>
  base ? `Open the model that it was made for, ${base.slice(0, 100)}.` : 'Open the model that it was made for.';

const plural = (n: number, one: string) => `${n} ${one}${n === 1 ? '' : 's'}`;

const refuse = (where: string, message: string, base: string | null, details?: string): never => {
  throw new TabtuneError({ code: 'bad_adapter', message, where, action: openItsModel(base), details });
};

/** Throws `bad_adapter` if a tensor is for a linear layer that the model lacks or that has other sizes. */
export function checkLinears(tensors: readonly PlacedTensor[], model: FittedModel, base: string | null): void {
  const linears = new Map(model.linears.map((linear) => [linear.path, linear]));
  checkPlaces(tensors, (path) => linears.has(path), model, base);
  for (const { path, out, width, where } of tensors) {
    const own = linears.get(path)!;
    const wrong = (out !== undefined && out !== own.out) || (width !== undefined && width !== own.width);
    if (!wrong) continue;
    const given = out !== undefined ? `${out} outputs` : `${width} inputs`;
    const here = `this model’s has ${own.width} inputs and ${own.out} outputs`;
    refuse(where, `The adapter was made for a ${path} of ${given}; ${here}.`, base);
  }
}

/** Throws `bad_adapter` if the model `knows` nothing at the path of a tensor. */
export function checkPlaces(
  tensors: readonly PlacedTensor[],
  knows: (path: string) => boolean,
  model: FittedModel,
  base: string | null,
): void {
  const stranger = tensors.find(({ path }) => !knows(path));
  if (!stranger) return;
  const paths = [...new Set(tensors.map(({ path }) => path))];
  const missing = paths.filter((path) => !knows(path));
  const [count, all] = [missing.length, paths.length];
  const share =
    all === 1 ? 'The module' : count === all ? `None of the ${all} modules` : `${count} of the ${all} modules`;
  const are = all > 1 && count === all ? 'is in' : count === 1 ? 'is not in' : 'are not in';
  const here = `a ${model.family} with ${plural(model.blockPaths.length, 'layer')}`;
  const others = count > 1 ? ' and others' : '';
  refuse(
    stranger.where,
    `${share} that this adapter changes ${are} this model, ${here}: ${stranger.path}${others}.${reasonFor(stranger.path, model)}`,
    base,
    missing.join(', ').slice(0, 2000),
  );
}

/** Throws `bad_adapter` if the file has a tensor of a module that it saves in full and the model lacks. */
export function checkSaved(tensors: readonly string[], model: FittedModel, base: string | null): void {
  const { family, tensorNames, idleTensors, ties } = model;
  const known = new Set([...tensorNames, ...idleTensors, ...ties.map(({ name }) => name)]);
  const stranger = tensors.find((name) => !known.has(checkpointName(familyNamed(family), name)));
  if (stranger === undefined) return;
  const module = moduleOf(stranger).slice(0, 120);
  const message = `The adapter holds a module in full that this model, a ${family}, does not have: ${module}.`;
  refuse('adapter_config.json, modules_to_save', message, base, stranger.slice(0, 2000));
}

/** Names of wrappers around a text model that reads images too. */
const WITH_IMAGES = /(^|\.)(language_model|text_model)(?=\.)/;

function reasonFor(path: string, { blockPaths, linears }: FittedModel): string {
  const stem = (blockPaths[0] ?? '').replace(/\d+$/, '');
  const layer = stem !== '' && path.startsWith(stem) ? Number.parseInt(path.slice(stem.length), 10) : Number.NaN;
  if (layer >= blockPaths.length) return ` It is of layer ${layer}, and the last here is ${blockPaths.length - 1}.`;
  const inside = WITH_IMAGES.exec(path);
  if (inside) {
    return ` “${inside[2]}” in its name is of a model that reads images too; PEFT finds no such module here either.`;
  }
  const found = linears.some((linear) => linear.path.endsWith(`.${path}`) || path.endsWith(`.${linear.path}`));
  return found ? ' Its name has another beginning here, and PEFT would not find it either.' : '';
}

/**
 * What went wrong while a method was made from an adapter's settings and tensors. They came from its files, so a complaint about
 * a recipe's field is one about the adapter.
 */
export function inAdapterWords(cause: unknown, base: string | null): unknown {
  if (!(cause instanceof TabtuneError)) return cause;
  const { code, message, where = '', details } = cause;
  const field = code === 'bad_recipe' && /^method\.(?!type$|init_adapter$)(\w+)/.exec(where)?.[1];
  if (field) {
    return new TabtuneError({
      code: 'bad_adapter',
      message: `The adapter does not fit this model. ${message}`,
      where: `adapter_config.json, ${field}`,
      action: openItsModel(base),
      details,
    });
  }
  if (code !== 'bad_adapter') return cause;
  return new TabtuneError({ code, message, where, action: openItsModel(base), details });
}
