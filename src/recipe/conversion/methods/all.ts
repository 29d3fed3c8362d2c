import { full } from './full';
import { ia3 } from './ia3';
import { lora } from './lora';
import { pTuning } from './p-tuning';
import { prefixTuning } from './prefix-tuning';
import { promptTuning } from './prompt-tuning';

/** Methods that other trainers have too. A config is read as the first one that claims it. */
export const all = [lora, ia3, prefixTuning, promptTuning, pTuning, full] as const;
