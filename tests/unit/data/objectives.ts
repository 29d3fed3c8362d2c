/** The objectives and the small tokeniser that tests of their examples share. */
import { IGNORE_INDEX } from '../../../src/base/ignore-index';
import type { TokenizedExample } from '../../../src/data/types';
import { bertFiles } from './helpers';

export const CLASSES = { type: 'sequence_classification', problem_type: 'auto' } as const;
export const TAGS = { type: 'token_classification' } as const;
export const MASKED = { type: 'masked_lm', mlm_probability: 0.25 } as const;
export const TEXTS = { type: 'pretraining' } as const;
export const SFT = { type: 'sft', assistant_only_loss: true } as const;
export const X = IGNORE_INDEX;

/** one is 5, two 6, … */
export const bert = bertFiles(['one', 'two', 'three', 'four', 'five', '##s']);
export const plain = (examples: TokenizedExample[]) =>
  examples.map((e) => {
    const ids = [...e.ids];
    switch (e.kind) {
      case 'text_targets':
        return { ids, targets: [...e.targets] };
      case 'hidden_tokens':
        return { ids, special: [...e.special] };
      case 'pair':
        return { ids, rejected: [...e.rejected], promptLength: e.promptLength };
      case 'judged':
        return { ids, promptLength: e.promptLength, good: e.good };
      case 'prompt':
        return { ids };
      default:
        return { ids, labels: [...e.labels] };
    }
  });
