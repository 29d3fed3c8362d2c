/** The files that a tokeniser and its chat template are read from. */
import type { GgufVocabulary } from '../formats/gguf-vocabulary';

/** Larger chat templates are refused. */
export const MAX_TEMPLATE_BYTES = 64 * 1024;

export interface TokenizerFiles {
  tokenizerJson: string;
  tokenizerConfig: string | null;
  /** chat_template.jinja if the folder has it; otherwise the template in tokenizer_config.json is used. */
  chatTemplate: string | null;
  /** special_tokens_map.json */
  specialTokensMap: string | null;
  generationConfig: string | null;
  /** Rows in the model's embedding (vocab_size in config.json); the model has no meaning for higher ids. */
  embeddings?: number;
}

/** The same, or a GGUF file's vocabulary from which tokenizer.json has yet to be built. */
export type TokenizerSource = Omit<TokenizerFiles, 'tokenizerJson'> & { tokenizerJson: string | GgufVocabulary };
