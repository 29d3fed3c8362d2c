/** What a run would take, and everything that stands in its way, before it starts. */
import { type ErrorData, TabtuneError } from '../base/errors';
import type { TokenizedDataset } from '../data/types';
import { checkRecipe } from '../recipe/defaults';
import type { Recipe } from '../recipe/types';
import type { DeviceReport, Forecast } from './api';
import type { EngineHost } from './engine-host';
import type { OpenModel } from './session-model';

export interface ForecastNeeds {
  engine: EngineHost;
  device(): Promise<DeviceReport>;
  /** Throws when it is not open. */
  model(source: string): OpenModel;
  tokenize(recipe: Recipe): Promise<TokenizedDataset>;
}

const unknown: Omit<Forecast, 'blockers'> = {
  trainableParameters: 0,
  totalParameters: 0,
  memory: { weights: 0, adapter: 0, optimizer: 0, activations: 0, logits: 0 },
  totalBytes: 0,
  totalSteps: 0,
  tokens: 0,
  seconds: null,
};

/** Never rejects: what goes wrong on the way is a blocker. Figures that cannot be known are 0. */
export async function forecast(needs: ForecastNeeds, recipe: Recipe): Promise<Forecast> {
  const blockers: ErrorData[] = [];
  const attempt = async <T>(work: () => T | Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (cause) {
      const words = { code: 'internal', message: 'The run could not be planned.' } as const;
      blockers.push(TabtuneError.from(cause, words).toData());
      return null;
    }
  };
  const device = await attempt(() => needs.device());
  if (device?.problem) blockers.push(device.problem);
  const checked = checkRecipe(recipe);
  blockers.push(...checked.problems);
  if (!device?.available || !checked.recipe) return { ...unknown, blockers };

  const resolved = checked.recipe;
  const model = await attempt(() => needs.model(resolved.model.source));
  if (!model) return { ...unknown, blockers };
  const { target_modules } = resolved.method;
  const { linearModules } = model.info;
  if (target_modules !== 'all-linear' && !target_modules.some((target) => linearModules.includes(lastPart(target)))) {
    blockers.push({
      code: 'bad_recipe',
      message: `names no module of ${model.info.title}, so nothing would be trained.`,
      where: 'method.target_modules',
      action: `Use all-linear, or some of ${linearModules.join(', ')}.`,
    });
  }
  const tokenized = await attempt(() => needs.tokenize(resolved));
  if (!tokenized) return { ...unknown, blockers };
  const { stats, train, maxLength } = tokenized;
  if (train.length === 0) {
    blockers.push({
      code: 'bad_data',
      message: 'No example is left to train on.',
      where: resolved.dataset.source,
      action: 'Look at the problems listed with the data, or hold out a smaller share of it.',
    });
    return { ...unknown, blockers };
  }
  const figures = await attempt(() =>
    needs.engine.use((api) =>
      api.forecast(resolved, {
        trainExamples: train.length,
        tokens: stats.tokens,
        // Longer examples are cut: the widest batch is no longer than this.
        longest: Math.min(stats.longest, maxLength),
      }),
    ),
  );
  return { ...(figures ?? unknown), blockers };
}

const lastPart = (path: string) => path.split('.').at(-1)!;
