/** BERT (Devlin et al., 2018), after transformers' modeling_bert.py. */
import { bert, bertPaths } from '../../families/bert';
import { loadEncoder } from './encoder';
import type { LanguageModel } from './model';
import type { Loader } from './weights';

export function loadBert(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const config = bert.readConfig(json);
  return loadEncoder(config, bertPaths(config), load);
}
