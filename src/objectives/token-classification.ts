/** Classification of words through a new head. The loss is in src/engine/objectives/token-classification.ts. */
import { WORD_LABELS } from '../base/task';
import { IGNORE } from '../data/batches';
import { encodeWords, firstOfWords } from '../data/encode-words';
import { exampleAs } from '../data/example-kinds';
import type { ObjectiveData } from '../data/objective-data';
import { sortLabels } from '../data/task';
import { truncate } from '../data/truncate';
import type { Example } from '../data/types';
import type { ObjectiveDescriptor } from './objective';

export interface TokenClassificationObjective {
  type: 'token_classification';
}

export const tokenClassification: ObjectiveDescriptor<TokenClassificationObjective> = {
  type: 'token_classification',
  label: 'Classification of words',
  order: 40,
  learns: 'labels',
  writes: false,
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
  metrics: [],
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
          const own = Int32Array.from(words!, (word, at) => (trained[at] === 1 ? numberOf(word) : IGNORE));
          const { sequence, keep } = truncate(encoded, maxLength);
          return [{ kind: 'token_labels', ...sequence, labels: keep(own) }];
        },
      };
    },
    splitKey: (example) => JSON.stringify(tagged(example).tokens),
  };
}

const tagged = (example: Example) => exampleAs(example, 'tagged', 'a tag for each word');
