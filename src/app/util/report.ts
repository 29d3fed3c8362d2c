/** A report about a fault: the device, the versions, the recipe and the last error, without data and without file names. */
import type { ErrorData } from '../../base/errors';
import { catalogue } from '../../recipe/catalogue';
import type { Recipe } from '../../recipe/types';
import { useCompare } from '../../stores/compare';
import { useComparing } from '../../stores/comparing';
import { useData } from '../../stores/data';
import { useExports } from '../../stores/exports';
import { useHub } from '../../stores/hub';
import { useModel } from '../../stores/model';
import { usePlan } from '../../stores/plan';
import { useRecipe } from '../../stores/recipe';
import { useRuns } from '../../stores/runs';
import { useScreen } from '../../stores/screen';
import { useTraining } from '../../stores/training';
import { reportText as text } from '../text/settings';

const LEFT_OUT = '…';

/** Names of models and datasets that anybody can have. A name of one's own says something about one's data. */
const isPublic = (source: string) => /^(builtin|hf):/.test(source);

function cleaned(path: string, value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'string') {
    if (path === 'model.source' || path.startsWith('dataset.source')) return isPublic(value) ? value : LEFT_OUT;
    const kind = catalogue[path]?.kind;
    return kind === 'select' || kind === 'auto_bool' || path.endsWith('.type') ? value : LEFT_OUT;
  }
  return Array.isArray(value) ? `${value.length} values` : LEFT_OUT;
}

/** The recipe's numbers and choices. What a person typed as text is left out. */
export function cleanRecipe(recipe: Recipe): Record<string, unknown> {
  const { model, dataset, method, objective, training } = recipe;
  return Object.fromEntries(
    Object.entries({ model, dataset, method, objective, training }).map(([section, fields]) => [
      section,
      Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, cleaned(`${section}.${name}`, value)])),
    ]),
  );
}

/** What is quoted in a sentence may come from a file. */
const withoutQuotes = (sentence: string) => sentence.replace(/“[^”]*”|"[^"]*"|`[^`]*`/g, '“…”');

/** An error without what it quotes, and without names of files. */
export function cleanError(error: ErrorData, names: readonly string[]): string {
  const parts = [error.code, error.message, error.action, error.code === 'bad_data' ? undefined : error.details];
  let all = withoutQuotes(parts.filter((part) => part !== undefined).join('\n'));
  for (const name of names.filter(({ length }) => length > 2).sort((a, b) => b.length - a.length)) {
    all = all.replaceAll(name, LEFT_OUT);
  }
  return all;
}

/** The error that is shown, the run's first. */
function lastError(): ErrorData | null {
  const hub = useHub.getState();
  const shown = [
    useTraining.getState().error,
    useScreen.getState().error,
    useModel.getState().error,
    useModel.getState().device?.problem,
    useData.getState().error,
    useData.getState().tokenError,
    usePlan.getState().error,
    useCompare.getState().adapterError,
    useComparing.getState().error,
    useExports.getState().error,
    hub.modelError,
    hub.searchError,
    hub.shelfError,
    useRuns.getState().error,
  ];
  return shown.find((error) => error != null) ?? null;
}

const ownName = (source: string) => (isPublic(source) ? [] : [source, source.replace(/^\w+:/, '')]);

export function reportOf(): string {
  const { recipe } = useRecipe.getState();
  const { device } = useModel.getState();
  const { run } = useTraining.getState();
  const error = lastError();
  const names = [...ownName(recipe.model.source), ...ownName(recipe.dataset.source), recipe.name, run?.name ?? ''];
  const { crash } = useScreen.getState();
  const limits = device ? { ...device, problem: device.problem?.code ?? null } : text.none;
  const block = (value: unknown) => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
  return [
    `### ${text.what}\n\n`,
    `### Versions\n\nTabtune ${__TABTUNE_VERSION__}\n${navigator.userAgent}`,
    `### Device\n\n${block(limits)}`,
    `### Recipe\n\n${block(cleanRecipe(recipe))}`,
    `### Run\n\n${run ? `${run.status}, step ${run.step} of ${run.totalSteps}` : text.none}`,
    `### Last error\n\n\`\`\`\n${error ? cleanError(error, names) : (crash ?? text.none)}\n\`\`\``,
  ].join('\n\n');
}
