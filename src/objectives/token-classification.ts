/** Classification of words through a new head. The loss is in src/engine/objectives/token-classification.ts. */
import type { ObjectiveDescriptor } from './objective';

export interface TokenClassificationObjective {
  type: 'token_classification';
}

export const tokenClassification: ObjectiveDescriptor<TokenClassificationObjective> = {
  type: 'token_classification',
  label: 'Classification of words',
  learns: 'labels',
  writes: false,
  models: 'any',
  labels: 'words',
  packs: false,
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
