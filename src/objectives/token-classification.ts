/** Classification of words through a new head. The loss is in src/engine/objectives/token-classification.ts. */
import { IGNORE_INDEX } from '../base/ignore-index';
import { type TaskData, WORD_LABELS } from '../base/task';
import { encodeWords, firstOfWords } from '../data/encode-words';
import { exampleAs } from '../data/example-kinds';
import { sortLabels } from '../data/label-ids';
import type { ObjectiveData } from '../data/objective-data';
import { truncate } from '../data/truncate';
import type { Example } from '../data/types';
import { type Evaluated, highest, tokenMetrics } from '../metrics';
import { averages } from './metrics';
import type { BatchScores, ObjectiveDescriptor } from './objective';

export interface TokenClassificationObjective {
  type: 'token_classification';
}

export const tokenClassification: ObjectiveDescriptor<TokenClassificationObjective> = {
  type: 'token_classification',
  label: 'Token classification',
  order: 40,
  learns: 'labels',
  writes: false,
  trainers: ['trl'],
  models: 'any',
  labels: 'words',
  packs: false,
  data,
  goal: {
    name: 'Mark words in texts',
    text: 'It learns which words are names, places or products. Needs words with tags.',
    formats: ['tagged'],
  },
  fields: {},
  loss: 'Mean cross-entropy per word, in nats: lower is better, and 0 means that every tag was predicted with certainty.',
  metrics: [
    {
      name: 'f1',
      label: 'F1',
      help: 'Harmonic mean of precision and recall of whole entities: 1 means that all were found and nothing else was marked.',
    },
    {
      name: 'accuracy',
      label: 'Accuracy',
      help: 'Share of the words with the correct tag; high without effort if most words are outside entities.',
    },
    {
      name: 'precision',
      label: 'Precision',
      help: 'Share of the marked entities whose start, end and kind are right.',
    },
    {
      name: 'recall',
      label: 'Recall',
      help: 'Share of the entities in the texts that were marked with the right start, end and kind.',
    },
    ...averages({ things: 'words', one: 'kind', many: 'kinds' }),
  ],
  measure,
  taskType: 'TOKEN_CLS',
  autoClass: 'AutoModelForTokenClassification',
  pipelineTag: 'token-classification',
  python: `inputs = tokenizer("Some words to mark".split(), is_split_into_words=True, return_tensors="pt")
print(model(**inputs).logits)  # a row of scores for each token`,
};

function data(): ObjectiveData {
  return {
    needs: {
      kind: 'tagged',
      message: 'Classifying words needs a tag for each of them, and this dataset has none.',
      action: 'Use rows of tokens and tags or a CoNLL file, or choose another objective.',
    },
    counts: 'labelled',
    longTexts: 'truncated',
    encode(example, _options, tokenizer) {
      const { row, tokens } = tagged(example);
      const { ids, words } = encodeWords(tokens, tokenizer);
      const { before, behind } = tokenizer.around;
      return {
        rendered: tokens.join(' '),
        encoded: { row, ids, trained: firstOfWords(words), words, before: before.length, behind: behind.length },
      };
    },
    label({ examples }) {
      const rows = examples.map(tagged);
      const labels = sortLabels(rows.flatMap(({ tags }) => tags));
      const numbers = new Map(labels.map((label, n) => [label, n]));
      return {
        task: { problemType: WORD_LABELS, labels },
        problems: [],
        tokenize(encoded, i, { maxLength }) {
          const { trained, words } = encoded;
          const numberOf = (word: number) => numbers.get(rows[i]!.tags[word]!)!;
          const own = Int32Array.from(words!, (word, at) => (trained[at] === 1 ? numberOf(word) : IGNORE_INDEX));
          const { sequence, keep } = truncate(encoded, maxLength);
          return [{ kind: 'token_labels', ...sequence, labels: keep(own) }];
        },
      };
    },
    splitKey: (example) => JSON.stringify(tagged(example).tokens),
  };
}

const tagged = (example: Example) => exampleAs(example, 'tagged', 'a tag for each word');

function measure({ labels }: TaskData, scores: readonly BatchScores[]): Evaluated {
  const predicted: string[][] = [];
  const expected: string[][] = [];
  for (const { batch, values } of scores) {
    if (batch.kind !== 'token_labels') continue;
    const best = highest(values, labels.length);
    for (let b = 0; b < batch.batchSize; b++) {
      const labelled = Array.from({ length: batch.length }, (_, t) => b * batch.length + t).filter(
        (i) => batch.labels[i]! >= 0,
      );
      predicted.push(labelled.map((i) => labels[best[i]!]!));
      expected.push(labelled.map((i) => labels[batch.labels[i]!]!));
    }
  }
  return tokenMetrics(labels, predicted, expected);
}
