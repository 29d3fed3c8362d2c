/** Two short tokenised texts for every objective, as src/data would produce them for any of the tiny models. */
import { IGNORE_INDEX } from '../../../src/base/ignore-index';
import type { TaskData, TokenizedExample } from '../../../src/data/types';
import { REWARD_TASK } from '../../../src/objectives/reward';
import type { Cell } from './cells';

/** The mask token in the fixtures' vocabularies; tests/oracle/make_task_fixtures.py uses it too. */
export const MASK = 5;
const TEXTS = [
  [3, 17, 9, 30, 12, 25, 41, 8, 4],
  [3, 22, 7, 36, 11, 4],
];
const TAGS = [
  [IGNORE_INDEX, 0, IGNORE_INDEX, 1, 2, 0, IGNORE_INDEX, 1, IGNORE_INDEX],
  [IGNORE_INDEX, 2, 0, IGNORE_INDEX, 1, IGNORE_INDEX],
];
const CLASSES = {
  single_label_classification: [[2], [0]],
  multi_label_classification: [
    [1, 0, 1],
    [0, 1, 0],
  ],
  regression: [[0.75], [-0.5]],
};

/** The text that virtual tokens start from. */
export const INIT_TEXT = Int32Array.of(14, 28, 33, 10);
/** Texts for comparing answers. */
export const PROBES = [Int32Array.of(3, 9, 24, 17, 31, 4), Int32Array.of(3, 22, 12)];

export function taskOf({ objective, problemType }: Cell): TaskData | null {
  const labels = ['red', 'green', 'blue'];
  if (objective === 'token_classification') return { problemType: objective, labels };
  if (objective === 'reward') return REWARD_TASK;
  if (objective !== 'sequence_classification') return null;
  return { problemType: problemType!, labels: problemType === 'regression' ? ['score'] : labels };
}

const rejectedOf = (ids: Int32Array, row: number) =>
  Int32Array.from([...ids.subarray(0, 3), ...TEXTS[1 - row]!.slice(3)]);

export function examplesOf({ objective, problemType }: Cell): TokenizedExample[] {
  return TEXTS.map((text, row): TokenizedExample => {
    const ids = Int32Array.from(text);
    const example = { row: row + 1, ids, truncatedBy: 0 };
    switch (objective) {
      case 'sft':
        // A prompt of three tokens, which is not trained on.
        return {
          kind: 'next_token',
          ...example,
          labels: ids.map((id, i) => (i < 3 ? IGNORE_INDEX : id)),
          starts: null,
        };
      case 'pretraining':
        return { kind: 'next_token', ...example, labels: ids.slice(), starts: null };
      case 'sequence_classification':
        return { kind: 'text_targets', ...example, targets: Float32Array.from(CLASSES[problemType!][row]!) };
      case 'token_classification':
        return { kind: 'token_labels', ...example, labels: Int32Array.from(TAGS[row]!) };
      case 'reward': {
        // Both begin with the same three tokens.
        const answer = TEXTS[1 - row]!.slice(3);
        return {
          kind: 'pair',
          ...example,
          rejected: Int32Array.from([...text.slice(0, 3), ...answer]),
          promptLength: 0,
          margin: 0.5,
        };
      }
      case 'masked_lm': {
        const special = Uint8Array.from(text, (_, i) => (i === 0 || i === text.length - 1 ? 1 : 0));
        return { kind: 'hidden_tokens', ...example, special };
      }
      case 'rejection_sampling':
      case 'grpo':
      case 'rloo':
      case 'ppo':
      case 'online_dpo':
        return { kind: 'prompt', ...example, ids: ids.slice(0, 3), prompt: '', columns: {} };
      case 'dpo':
      case 'orpo':
      case 'cpo':
        // The other text's end is the worse answer.
        return { kind: 'pair', ...example, promptLength: 3, rejected: rejectedOf(ids, row), margin: 0 };
      case 'kto':
        return { kind: 'judged', ...example, promptLength: 3, good: row === 0 };
    }
    throw new Error(`There are no examples for ${objective}.`);
  });
}
