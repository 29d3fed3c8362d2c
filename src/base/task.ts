/** The problem type of labels for words, as stored with runs and in labels.json. */
export const WORD_LABELS = 'token_classification';

/** The labels of a classifier. `problemType` is transformers' problem_type for whole texts, or `WORD_LABELS`. */
export interface TaskData {
  problemType: 'single_label_classification' | 'multi_label_classification' | 'regression' | typeof WORD_LABELS;
  /** In the order of their numbers; for regression one, the column's name. */
  labels: string[];
}

export type TextProblemType = Exclude<TaskData['problemType'], typeof WORD_LABELS>;

export const problemTypes: readonly TaskData['problemType'][] = [
  'single_label_classification',
  'multi_label_classification',
  'regression',
  WORD_LABELS,
];

/** Whether words have labels, not whole texts. */
export const labelsWords = ({ problemType }: Pick<TaskData, 'problemType'>): boolean => problemType === WORD_LABELS;
