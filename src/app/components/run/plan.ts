/** The run in one sentence, from what the stores know: what is taught from what, what is kept, how long it takes, whether it fits. */
import type { ParsedDataset, TokenizedDataset } from '../../../data/types';
import { objectiveOf } from '../../../objectives';
import type { Recipe } from '../../../recipe/types';
import type { DeviceReport, Forecast, ModelInfo } from '../../../session/api';
import { type PlanPart, planText as text } from '../../text/plan';
import { formatCount, formatDuration, formatPlural } from '../../util/format';

export interface PlanInputs {
  recipe: Recipe;
  model: Pick<ModelInfo, 'title'> | null;
  dataset: Pick<ParsedDataset, 'examples'> | null;
  tokens: Pick<TokenizedDataset, 'stats' | 'task'> | null;
  /** Null as long as the run cannot be planned. */
  forecast: Pick<Forecast, 'seconds' | 'verdict'> | null;
  device: Pick<DeviceReport, 'software'> | null;
}

/** Null as long as there is no model or no data. */
export function planParts({ recipe, model, dataset, tokens, forecast, device }: PlanInputs): PlanPart[] | null {
  if (!model || !dataset) return null;
  const parts: PlanPart[] = [
    { text: text.teach },
    { text: model.title, to: 'model' },
    { text: text.space },
    ...taught(recipe, dataset, tokens),
  ];
  const more: PlanPart[] = [];
  if (tokens) {
    const kept = tokens.stats.validationExamples;
    more.push({ text: kept > 0 ? text.kept(formatCount(kept), kept === 1) : text.noneKept, to: 'kept' });
  }
  if (forecast) {
    const { seconds, verdict } = forecast;
    more.push({ text: timeOf(seconds), to: 'time' });
    if (verdict !== undefined && verdict !== 'unknown') {
      more.push({ text: text.fit(verdict, device?.software === true), to: 'memory' });
    }
  }
  for (const part of more) parts.push({ text: text.next }, part);
  return [...parts, { text: text.end }];
}

function timeOf(seconds: number | null): string {
  if (seconds === null) return text.timeUnknown;
  return seconds < 1 ? text.moment : text.about(formatDuration(seconds));
}

function taught(
  { objective, dataset: section }: Recipe,
  { examples }: NonNullable<PlanInputs['dataset']>,
  tokens: PlanInputs['tokens'],
): PlanPart[] {
  const { learns, labels, task: fixed, figures } = objectiveOf(objective);
  const count = tokens?.stats.examples ?? examples.length;
  const data = (one: string): PlanPart => {
    const things = formatPlural(count, one);
    const name = /^builtin:(.+)$/.exec(section.source)?.[1];
    return { text: name === undefined ? text.yours(things) : text.builtin(things, name), to: 'data' };
  };
  const goal = (words: string): PlanPart => ({ text: words, to: 'goal' });
  if (figures === 'rewards') return [goal(text.earn), { text: text.on }, data('prompt')];
  if (figures && learns === 'answers') return [goal(text.prefer), { text: text.from }, data('example')];
  if (learns === 'answers') return [goal(text.answer), { text: text.like }, data('example')];
  if (learns === 'text') return [goal(text.read), { text: text.space }, data('text')];
  if (fixed) return [goal(text.judge), { text: text.from }, data('pair')];
  const task = tokens?.task ?? null;
  const classes = task?.labels.length ?? 0;
  if (labels === 'words') {
    const tags = task ? [{ text: text.withTags(formatPlural(classes, 'tag')) }] : [];
    return [goal(text.tag), { text: text.space }, data('text'), ...tags];
  }
  switch (task?.problemType) {
    case 'regression':
      return [goal(text.rate), { text: text.space }, data('text')];
    case 'multi_label_classification':
      return [
        goal(text.mark),
        { text: text.space },
        data('text'),
        { text: text.withAny(formatPlural(classes, 'label')) },
      ];
    default: {
      const into = task ? [{ text: text.into(formatPlural(classes, 'class', 'classes')) }] : [];
      return [goal(text.sort), { text: text.space }, data('text'), ...into];
    }
  }
}
