/** Classes and numbers of texts, in transformers' Trainer. */
import type { ClassificationObjective } from '../../../../objectives/sequence-classification';
import type { TrlObjective } from '../part';
import collate from '../python/collate_texts.py?raw';
import padding from '../python/padding.py?raw';

const TRAINER = { name: 'Trainer', config: 'TrainingArguments', module: 'transformers' };

export const sequenceClassification: TrlObjective<ClassificationObjective> = {
  type: 'sequence_classification',
  trainer: TRAINER,
  command: null,
  virtualTokens: true,
  row(example, { task }) {
    if (example.kind !== 'text_targets') throw new Error(`A row of the kind ${example.kind} has no label.`);
    const { ids, targets } = example;
    const several = task?.problemType === 'multi_label_classification';
    return { input_ids: [...ids], labels: several ? [...targets] : targets[0]! };
  },
  batches({ task }) {
    const several = task?.problemType === 'multi_label_classification';
    const numbers = task?.problemType !== 'single_label_classification';
    const constants = [
      `LABEL_TYPE = torch.${numbers ? 'float32' : 'int64'}`,
      `NO_LABELS = ${several ? `[0.0] * ${task.labels.length}` : numbers ? '0.0' : '0'}`,
    ];
    return { imports: [], definitions: [constants.join('\n'), padding, collate] };
  },
  mean: 'micro_batch',
  settings: () => ({}),
};
