/** Classifies a text: labels with their probabilities, or a label for each word. */
import { TabtuneError } from '../base/errors';
import { labelsWords } from '../base/task';
import type { LabelScore } from './api';
import type { EmbedNeeds } from './embed';
import { answerLimit } from './engine-host';

export async function classify(
  { engine, data, models }: EmbedNeeds,
  text: string,
  strength: number,
): Promise<LabelScore[]> {
  const { tokenizer, info } = models.require();
  const { ids } = await data.encodeForTask(tokenizer, text, info.contextLength);
  if (ids.length === 0) {
    throw new TabtuneError({ code: 'bad_data', message: 'The text is empty.', action: 'Enter a text to classify.' });
  }
  const found = await engine.use((api) => api.classify(ids, strength), answerLimit);
  if (!labelsWords(found)) {
    return found.labels
      .map((label, i) => ({ label, probability: found.probabilities[i]! }))
      .sort((a, b) => b.probability - a.probability);
  }
  // Words are encoded as in the training examples, so that each is classified at the same token.
  const words = text.trim().split(/\s+/);
  const encoded = await data.encodeForTask(tokenizer, words, info.contextLength);
  const { labels, probabilities } = await engine.use((api) => api.classify(encoded.ids, strength), answerLimit);
  const scores: LabelScore[] = [];
  for (const [token, word] of (encoded.words ?? new Int32Array()).entries()) {
    if (word < 0) continue;
    const row = probabilities.subarray(token * labels.length, (token + 1) * labels.length);
    const best = row.reduce((most, share, i) => (share > row[most]! ? i : most), 0);
    scores.push({ label: labels[best]!, probability: row[best]!, word: words[word]! });
  }
  return scores;
}
