/**
 * RoBERTa (Liu et al., 2019), after transformers' modeling_roberta.py: BERT with positions counted from after the
 * padding token's id, and a head whose activation is always GELU.
 */
import { roberta, robertaPaths } from '../../families/roberta';
import { loadEncoder } from './encoder';
import type { LanguageModel } from './model';
import type { Loader } from './weights';

export function loadRoberta(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const config = roberta.readConfig(json);
  return loadEncoder(config, robertaPaths(config), load, 'gelu');
}
