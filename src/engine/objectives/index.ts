/** The objectives by the recipe's names. */
import { TabtuneError } from '../../base/errors';
import type { TaskData } from '../../data/types';
import type { ObjectiveSection } from '../../recipe/types';
import { maskedLm } from './masked-lm';
import type { Objective } from './objective';
import { pretraining } from './pretraining';
import { sequenceClassification } from './sequence-classification';
import { sft } from './sft';
import { tokenClassification } from './token-classification';

export interface ObjectiveInfo {
  /** The tokenizer's; null where it has none. */
  maskTokenId: number | null;
  /** How many tokens there are to choose from at random. */
  vocabSize: number;
  /** What the data say of the labels; null where the objective needs none. */
  task: TaskData | null;
}

/** Throws a sentence where the objective lacks what it needs. */
export function createObjective(section: ObjectiveSection, info: ObjectiveInfo): Objective {
  switch (section.type) {
    case 'sft':
      return sft;
    case 'pretraining':
      return pretraining;
    case 'masked_lm':
      return maskedLm(section.mlm_probability, info);
    case 'sequence_classification': {
      const problem = info.task?.problemType;
      if (!problem || problem === 'token_classification') throw noLabels('a label or number for each text');
      return sequenceClassification(problem);
    }
    case 'token_classification':
      if (info.task?.problemType !== 'token_classification') throw noLabels('a label for each word');
      return tokenClassification;
  }
}

const noLabels = (what: string) =>
  new TabtuneError({
    code: 'bad_data',
    message: `The data do not hold ${what}, which this objective learns from.`,
    where: 'dataset.source',
    action: 'Choose data with labels, or another objective.',
  });
