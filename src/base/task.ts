/**
 * What labels a classifier has. `problemType` is transformers' problem_type for whole texts, or says that every word has a label
 * (stored with runs and in labels.json).
 */
export interface TaskData {
  problemType: 'single_label_classification' | 'multi_label_classification' | 'regression' | 'token_classification';
  /** In the order of their numbers; for regression one, the column's name. */
  labels: string[];
}

export type TextProblemType = Exclude<TaskData['problemType'], 'token_classification'>;

export const problemTypes: readonly TaskData['problemType'][] = [
  'single_label_classification',
  'multi_label_classification',
  'regression',
  'token_classification',
];

/** Whether the labels are of words, not of whole texts. */
export const labelsWords = ({ problemType }: Pick<TaskData, 'problemType'>): boolean =>
  problemType === 'token_classification';
