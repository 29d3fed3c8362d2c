/** The charts and remarks of each kind of figures that an objective's descriptor may name. */
import { objectiveOf } from '../../../../objectives';
import type { MetricsRow, RunRecord } from '../../../../storage/types';
import { OWN_COMPARISON_CHARTS, ownComparisonRemarks, PREFERENCE_CHARTS, preferenceRemarks } from './comparisons';
import { REINFORCEMENT_CHARTS, reinforcementRemarks } from './rewards';
import type { ChartInfo, Figures, RunRemark } from './types';

interface FigureSet {
  /** Drawn in this order. */
  charts: readonly ChartInfo[];
  /** What a person should know about the figures so far. */
  remarks(figures: readonly Figures[]): readonly RunRemark[];
}

const sets: Record<'comparisons' | 'own_comparisons' | 'rewards', FigureSet> = {
  comparisons: { charts: PREFERENCE_CHARTS, remarks: preferenceRemarks },
  own_comparisons: { charts: OWN_COMPARISON_CHARTS, remarks: ownComparisonRemarks },
  rewards: { charts: REINFORCEMENT_CHARTS, remarks: reinforcementRemarks },
};

/** Null for a run whose objective has no figures of its own. */
export function figureSetOf(run: RunRecord | null): FigureSet | null {
  const named = run ? objectiveOf(run.recipe.objective)?.figures : undefined;
  return named ? sets[named] : null;
}

/** The metrics in these rows that a chart draws, with what each is called. */
export function linesOf({ lines, each }: ChartInfo, rows: readonly MetricsRow[]): ChartInfo['lines'] {
  if (!each) return lines;
  const names = [...new Set(rows.flatMap(({ metrics }) => Object.keys(metrics ?? {})))];
  const further = names.flatMap((metric) => {
    const label = each.exec(metric)?.[1];
    return label === undefined ? [] : [{ metric, label }];
  });
  return [...lines, ...further];
}
