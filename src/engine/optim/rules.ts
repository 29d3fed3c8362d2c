/** Every optimiser by its recipe name. A new one needs a file and an entry here. */
import type { OptimizerName } from '../../recipe/types';
import { adafactor } from './adafactor';
import { adam } from './adam';
import { adamw } from './adamw';
import { adamw8bit } from './adamw-8bit';
import { lion } from './lion';
import type { RuleKind } from './rule';
import { sgd } from './sgd';

export const RULES: Record<OptimizerName, RuleKind> = { adamw, adamw_8bit: adamw8bit, adam, sgd, lion, adafactor };
