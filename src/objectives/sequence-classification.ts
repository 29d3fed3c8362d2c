/** Classification of whole texts through a new head. The loss is in src/engine/objectives/sequence-classification.ts. */
import type { TextProblemType } from '../base/task';
import { options, type Refusal } from '../recipe/spec';
import type { ObjectiveDescriptor } from './objective';

export interface ClassificationObjective {
  type: 'sequence_classification';
  /** transformers' names. `auto`: several labels per row mean multi_label, fractions mean regression. */
  problem_type: 'auto' | TextProblemType;
}

/** Also for a problem type that only the data tell. */
export const smoothingRefusal = (problemType: 'regression' | 'multi_label_classification'): Refusal => ({
  where: 'training.label_smoothing_factor',
  message: `has no meaning for ${problemType}, whose targets are not one choice among several.`,
  action: 'Set it to 0.',
});

export const sequenceClassification: ObjectiveDescriptor<ClassificationObjective> = {
  type: 'sequence_classification',
  label: 'Classification of texts',
  learns: 'labels',
  writes: false,
  models: 'any',
  labels: 'texts',
  packs: false,
  goal: {
    name: 'Sort texts into classes',
    text: 'It learns to put a label on a text: a topic, a mood, how urgent it is. Needs texts with labels.',
    formats: ['labelled'],
  },
  fields: {
    problem_type: {
      kind: 'select',
      label: 'Kind of problem',
      help: 'auto: several labels per row mean multi_label_classification, fractions mean regression.',
      default: 'auto',
      options: options({
        auto: 'Decide from the labels',
        single_label_classification: 'One class per text',
        multi_label_classification: 'Any number of classes per text',
        regression: 'A number per text',
      }),
      source: 'transformers',
    },
  },
  *refusals({ problem_type }, { training }) {
    if (training.label_smoothing_factor === 0) return;
    if (problem_type === 'regression' || problem_type === 'multi_label_classification') {
      yield smoothingRefusal(problem_type);
    }
  },
  metrics: [],
  taskType: 'SEQ_CLS',
  autoClass: 'AutoModelForSequenceClassification',
  pipelineTag: 'text-classification',
  python: `inputs = tokenizer("A text to sort", return_tensors="pt")
print(model(**inputs).logits)  # one score for each label`,
};
