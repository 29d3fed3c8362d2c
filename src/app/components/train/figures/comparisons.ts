/** What is drawn of a run that learns from comparisons, and what is said of it. The names are TRL's. */
import type { ChartInfo, Figures, RunRemark } from './types';

export const MARGINS: ChartInfo = {
  title: 'Reward margin',
  help: 'How much further the model has moved towards the better answers than towards the others: it should rise above 0. Margins of 15 and more are learned by heart.',
  lines: [{ metric: 'rewards/margins', label: 'Margin' }],
};

export const ACCURACIES: ChartInfo = {
  title: 'Pairs told apart',
  help: 'Share of the pairs in which the better answer gained more than the other: it starts at 0 by definition, 0.5 is guessing, and held-out pairs (dots) say what was learned.',
  lines: [{ metric: 'rewards/accuracies', label: 'Accuracy' }],
};

export const CHOSEN_AND_REJECTED: ChartInfo = {
  title: 'Better and worse answers',
  help: 'The implicit reward of both kinds of answers. That both fall is usual, because only the distance between them is learned.',
  lines: [
    { metric: 'rewards/chosen', label: 'Better' },
    { metric: 'rewards/rejected', label: 'Worse' },
  ],
};

export const LIKELIHOODS: ChartInfo = {
  title: 'Log-probability of the answers',
  help: 'Of whole answers: if that of the better ones falls far, the model forgets how to write them. A lower learning rate holds it.',
  lines: [
    { metric: 'logps/chosen', label: 'Better' },
    { metric: 'logps/rejected', label: 'Worse' },
  ],
};

/** Of objectives without a reference: the rewards are scaled log-probabilities. */
export const OWN_COMPARISON_CHARTS: readonly ChartInfo[] = [
  {
    ...MARGINS,
    help: 'How much likelier the model finds the better answers than the others: it should rise above 0.',
  },
  {
    ...ACCURACIES,
    help: 'Share of the pairs whose better answer the model finds likelier: it starts where the model already agrees, and held-out pairs (dots) say what was learned.',
  },
  {
    ...CHOSEN_AND_REJECTED,
    help: 'The scaled log-probabilities of both kinds of answers, always below 0: the better ones should rise, or fall less.',
  },
  LIKELIHOODS,
];

export const PREFERENCE_CHARTS: readonly ChartInfo[] = [MARGINS, ACCURACIES, CHOSEN_AND_REJECTED, LIKELIHOODS];

/** Remarks look at the mean over so many steps, since a batch is small. */
const WINDOW = 5;

/** The values of a metric at the steps that have it. */
export function valuesOf(figures: readonly Figures[], metric: string): number[] {
  return figures.flatMap(({ evaluation, metrics }) => {
    const value = metrics[metric];
    return evaluation || value === undefined || !Number.isFinite(value) ? [] : [value];
  });
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean of the first and of the last steps; null before there are enough of them. */
export function change(figures: readonly Figures[], metric: string): { first: number; last: number } | null {
  const values = valuesOf(figures, metric);
  if (values.length < 2 * WINDOW) return null;
  return { first: mean(values.slice(0, WINDOW)), last: mean(values.slice(-WINDOW)) };
}

/** As below, without what is true of comparisons with a reference only. */
export const ownComparisonRemarks = (figures: readonly Figures[]): RunRemark[] =>
  preferenceRemarks(figures).filter(({ tone }) => tone === 'warning');

/** What users of preference training ask most, answered when their run shows it. */
export function preferenceRemarks(figures: readonly Figures[]): RunRemark[] {
  const remarks: RunRemark[] = [];
  const chosen = change(figures, 'rewards/chosen');
  const margin = change(figures, 'rewards/margins');
  const likely = change(figures, 'logps/chosen');
  if (likely && likely.first < 0 && likely.last < 1.5 * likely.first) {
    remarks.push({
      tone: 'warning',
      title: 'The better answers have become much less likely.',
      text: 'The model moves away from both answers of a pair, and may soon write something else. Lower the learning rate or raise beta; DPO can also add the loss “sft” to loss_type.',
    });
  } else if (chosen && margin && chosen.last < 0 && margin.last > 0) {
    remarks.push({
      tone: 'note',
      title: 'The reward of the better answers is below 0. That is usual.',
      text: 'Only the distance to the worse answers is learned, and it grows. Look at the margin, and at the answers themselves.',
    });
  }
  if (margin && margin.last > 15) {
    remarks.push({
      tone: 'warning',
      title: 'The pairs are learned by heart.',
      text: 'A margin above 15 says that the model is surer than any data allow. Fewer epochs, a lower learning rate or a larger beta help.',
    });
  }
  return remarks;
}
