/** Classification of whole texts through a new head. The loss is in src/engine/objectives/sequence-classification.ts. */
import type { TextProblemType } from '../base/task';
import { encodeAround } from '../data/encode-text';
import { type ExampleOf, exampleAs, exampleKey, writtenLabel } from '../data/example-kinds';
import { classify } from '../data/label-ids';
import type { ObjectiveData } from '../data/objective-data';
import { excerpt } from '../data/problems';
import { truncate } from '../data/truncate';
import type { DataProblem, Example } from '../data/types';
import { classificationMetrics } from '../metrics';
import { options, type Refusal } from '../recipe/spec';
import { averages } from './metrics';
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
  label: 'Text classification',
  order: 30,
  learns: 'labels',
  writes: false,
  trainers: ['trl'],
  models: 'any',
  labels: 'texts',
  packs: false,
  data,
  goal: {
    name: 'Sort texts into classes',
    text: 'It learns to label a text with its topic, mood or urgency, for example. Needs texts with labels.',
    formats: ['labelled'],
  },
  fields: {
    problem_type: {
      kind: 'select',
      label: 'Problem type',
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
  loss: 'Mean cross-entropy per text, or mean squared error for numbers: lower is better, and 0 is perfect.',
  metrics: [
    {
      name: 'accuracy',
      label: 'Accuracy',
      help: 'Share of the texts whose labels are all correct; high without effort if one label is far more frequent than the others.',
    },
    ...averages({ things: 'texts', one: 'class', many: 'classes' }),
    {
      name: 'precision_micro',
      label: 'Micro precision',
      help: 'Share of all predicted labels that are right.',
    },
    { name: 'recall_micro', label: 'Micro recall', help: 'Share of all true labels that were predicted.' },
    {
      name: 'mae',
      label: 'Mean absolute error',
      help: 'Mean distance between prediction and target, in the unit of the data: lower is better.',
      open: true,
    },
    {
      name: 'pearson',
      label: 'Pearson correlation',
      help: 'How closely the predictions follow the targets along a straight line: 1 is perfect, 0 is not at all.',
    },
    {
      name: 'spearman',
      label: 'Spearman correlation',
      help: 'How well the predictions put the texts in the right order: 1 is perfect, 0 is not at all.',
    },
    {
      name: 'mse',
      label: 'Mean squared error',
      help: 'Mean squared distance between prediction and target: lower is better, and large errors dominate.',
      open: true,
    },
  ],
  measure: ({ problemType, labels }, scores) =>
    classificationMetrics(
      problemType as TextProblemType,
      labels,
      joined(scores.map(({ values }) => values)),
      joined(scores.map(({ batch }) => (batch.kind === 'text_targets' ? batch.targets : new Float32Array()))),
    ),
  taskType: 'SEQ_CLS',
  autoClass: 'AutoModelForSequenceClassification',
  pipelineTag: 'text-classification',
  python: `inputs = tokenizer(["A text to sort", "Another one"], padding=True, return_tensors="pt")
print(model(**inputs).logits)  # for each text, one score for each label`,
};

function data({ problem_type }: ClassificationObjective): ObjectiveData {
  return {
    needs: {
      kind: 'labelled',
      message: 'Classifying texts needs a label for each of them, and this dataset has none.',
      action: 'Map the columns of the text and its label, or choose another objective.',
    },
    counts: 'rows',
    longTexts: 'truncated',
    encode(example, _options, tokenizer) {
      const { row, text } = labelled(example);
      return { rendered: text, encoded: encodeAround(row, text, tokenizer) };
    },
    label({ name, examples, labelColumn }) {
      const rows = examples.map(labelled);
      const { task, classes, strata, problems } = classify(name, rows, problem_type, labelColumn);
      return {
        task,
        strata,
        problems: [...problems, ...contradictions(rows)],
        tokenize(encoded, i, { maxLength }) {
          const targets = classes[i];
          if (!targets) return null;
          const { ids, before = 0, behind = 0 } = encoded;
          // There is nothing to learn from special tokens alone.
          if (ids.length <= before + behind) return [];
          return [{ kind: 'text_targets', ...truncate(encoded, maxLength).sequence, targets }];
        },
      };
    },
    splitKey: (example) => labelled(example).text,
    shownLabel: (example) => writtenLabel(labelled(example)),
  };
}

const labelled = (example: Example) => exampleAs(example, 'labelled', 'a label');

/** Equal texts with different labels: whichever is right, the other teaches the opposite. */
function contradictions(examples: readonly ExampleOf<'labelled'>[]): DataProblem[] {
  const seen = new Map<string, Example>();
  return examples.flatMap((example) => {
    const before = seen.get(example.text);
    if (!before) seen.set(example.text, example);
    if (!before || exampleKey(before) === exampleKey(example)) return [];
    return {
      severity: 'warning',
      code: 'contradicting_labels',
      row: example.row,
      message: `Row ${example.row} has the text of row ${before.row} (“${excerpt(example.text, 40)}”) and a different label.`,
      action: 'Both were kept. Choose one of them, or give the row several labels.',
      dropped: false,
    };
  });
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
