/** Resolves `target_modules` to a model's linear layers. */
import { TabtuneError } from '../../base/errors';
import { endsInModule } from '../../base/module-names';
import type { LanguageModel } from '../models/model';
import type { LinearModule } from '../types';

/** All linear layers, or those whose path equals or ends in one of the names. */
export function targetedLinears(
  model: Pick<LanguageModel, 'linears'>,
  targets: 'all-linear' | string[],
): LinearModule[] {
  if (targets === 'all-linear') return model.linears;
  const found = model.linears.filter(({ path }) => targets.some((target) => endsInModule(path, target)));
  const unused = targets.filter((target) => !model.linears.some(({ path }) => endsInModule(path, target)));
  if (unused.length > 0 || found.length === 0) {
    const known = [...new Set(model.linears.map(({ path }) => path.split('.').at(-1)))].join(', ');
    throw new TabtuneError({
      code: 'bad_recipe',
      message: `This model has no linear layer named ${unused.join(', ') || '(none given)'}.`,
      where: 'method.target_modules',
      action: `Use "all-linear" or some of: ${known}.`,
    });
  }
  return found;
}

/** Module names such as q_proj if they select the same modules as the full paths; PEFT matches either. */
export function shortTargets(model: Pick<LanguageModel, 'linears'>, paths: string[]): string[] {
  const last = (path: string) => path.slice(path.lastIndexOf('.') + 1);
  const names = new Set(paths.map(last));
  const matched = model.linears.filter(({ path }) => names.has(last(path)));
  return matched.length === paths.length ? [...names] : paths;
}
