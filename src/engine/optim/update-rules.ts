/** Every optimiser by its recipe name. A new one needs a file and an entry here. */
import type { OptimizerName } from '../../recipe/types';
import { adafactor } from './adafactor';
import { adam } from './adam';
import { adamw } from './adamw';
import { adamw8bit } from './adamw-8bit';
import { lion } from './lion';
import { sgd } from './sgd';
import type { RuleKind } from './update-rule';

export const RULES: Record<OptimizerName, RuleKind> = { adamw, adamw_8bit: adamw8bit, adam, sgd, lion, adafactor };
