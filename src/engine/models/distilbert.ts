/** DistilBERT (Sanh et al., 2019), after transformers' modeling_distilbert.py: BERT without token types. */
import { distilbert, distilbertPaths } from '../../families/distilbert';
import { loadEncoder } from './encoder';
import type { LanguageModel } from './model';
import type { Loader } from './weights';

export function loadDistilbert(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const config = distilbert.readConfig(json);
  return loadEncoder(config, distilbertPaths(config), load);
}
