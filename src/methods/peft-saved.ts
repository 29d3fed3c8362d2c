/**
 * `modules_to_save` between PEFT's files and a model here. PEFT's files have transformers' module names, and every tensor of every
 * module that a name stands for. Where a model is tied, PEFT saves and trains the embedding and the output projection apart: one that
 * is not in the file stays as in the base.
 */
import { isSaved, isSavedByWholeName, moduleOf } from '../base/saved-modules';
import { checkpointName, familyNamed, transformersName } from '../families';
import type { AdapterModel, AdapterTensors } from '../formats/adapter-format';
import { ADAPTER_WEIGHTS } from '../formats/peft';
import { EXPORT_AGAIN, refuse } from '../formats/peft/refuse';

type SavedIn = Pick<AdapterModel, 'family' | 'tensorNames' | 'idleTensors' | 'ties'>;

/** Whether the names stand for a tensor of the checkpoint, under its own name or transformers'. */
export const isSavedIn = ({ family }: Pick<SavedIn, 'family'>, tensor: string, names: readonly string[]): boolean =>
  isSaved(tensor, names) || isSaved(transformersName(familyNamed(family), tensor), names);

/**
 * The names and values of an adapter from PEFT for this model. Embeddings alone mean here that a tied output projection is trained
 * with them, so the projection is named too where PEFT leaves it as in the base.
 */
export function savedFromPeft(
  names: readonly string[],
  values: AdapterTensors,
  model: SavedIn,
): { names: string[]; values: AdapterTensors } {
  const family = familyNamed(model.family);
  const own: AdapterTensors = new Map(
    [...values].map(([name, tensor]) => [isSaved(name, names) ? checkpointName(family, name) : name, tensor]),
  );
  for (const name of model.idleTensors) own.delete(name);
  const all = [...model.tensorNames, ...model.ties.map(({ name }) => name)];
  // PEFT passes over names that stand for nothing.
  let used = names.filter((name) => all.some((tensor) => isSavedIn(model, tensor, [name])));
  const missing = all.filter((tensor) => isSavedIn(model, tensor, used) && !own.has(tensor));
  if (missing.length > 0) {
    const odd = missing.find((tensor) => isSavedByWholeName(tensor, used));
    if (odd !== undefined) {
      refuse(
        `${ADAPTER_WEIGHTS}, tensor ${odd.slice(0, 120)}`,
        'The file lacks this tensor of a module that modules_to_save names.',
        EXPORT_AGAIN,
      );
    }
    // Tabtune once took names after a dot only, and saved no more.
    used = [...new Set(all.filter((tensor) => own.has(tensor) && isSavedIn(model, tensor, used)).map(moduleOf))];
  }
  for (const { name, of } of model.ties) {
    const [embedding, output] = [own.get(of), own.get(name)];
    if (!embedding) continue;
    if (!output) {
      used.push(moduleOf(name));
      continue;
    }
    // Both alike, as Tabtune and `ensure_weight_tying` write them: still tied, unless the module holds more.
    const beside = [...own.keys()].some((other) => other !== name && moduleOf(other) === moduleOf(name));
    const rest = used.filter((other) => !isSavedIn(model, name, [other]));
    if (beside || !isSavedIn(model, of, rest) || !same(embedding.data, output.data)) continue;
    own.delete(name);
    used = rest;
  }
  return { names: [...new Set(used)], values: own };
}

const same = (a: Float32Array, b: Float32Array) => a.length === b.length && a.every((value, i) => value === b[i]);

/** `modules_to_save` with names that transformers 5 has; `beside` are the paths of further modules in the file. */
export function savedForPeft(names: readonly string[], beside: readonly string[], model: SavedIn): string[] {
  const family = familyNamed(model.family);
  const written = names.flatMap((name) => {
    const old = model.tensorNames.filter((tensor) => {
      const renamed = transformersName(family, tensor);
      return renamed !== tensor && isSaved(tensor, [name]) && !isSaved(renamed, [name]);
    });
    const here = model.tensorNames.some((tensor) => isSaved(transformersName(family, tensor), [name]));
    const others = old.map((tensor) => moduleOf(transformersName(family, tensor)));
    return here || old.length === 0 ? [name, ...others] : others;
  });
  return [...new Set([...written, ...beside.map((path) => moduleOf(transformersName(family, `${path}.weight`)))])];
}
