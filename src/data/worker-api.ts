/**
 * What the data worker does: everything that runs strangers' bytes on the CPU (parsers, chat templates, tokenizer
 * regexes). Served by src/worker/data-worker.ts, which the session kills when a call runs past its deadline.
 */
import type { GgufVocabulary } from '../formats/gguf-vocabulary';
import type { DatasetSection, ObjectiveSection, ObjectiveType } from '../recipe/types';
import type { ParsedDataset, TokenizedDataset, TokenizedExample, TokenView } from './types';

/** A chat template that is larger is not read. */
export const MAX_TEMPLATE_BYTES = 64 * 1024;

export interface TokenizerFiles {
  tokenizerJson: string;
  tokenizerConfig: string | null;
  /** chat_template.jinja, when the folder has it; else the template inside tokenizer_config.json counts. */
  chatTemplate: string | null;
  /** special_tokens_map.json */
  specialTokensMap: string | null;
  generationConfig: string | null;
  /** Rows of the model's embedding, vocab_size of config.json: an id beyond them means nothing to the model. */
  embeddings?: number;
}

/** The same, with a GGUF file's vocabulary where tokenizer.json has still to be made of it. */
export type TokenizerSource = Omit<TokenizerFiles, 'tokenizerJson'> & { tokenizerJson: string | GgufVocabulary };

export interface TokenizerInfo {
  vocabSize: number;
  bosTokenId: number | null;
  eosTokenId: number | null;
  padTokenId: number;
  /** What stands for a hidden token (BERT's [MASK]); null where there is none. */
  maskTokenId: number | null;
  /** Ids that end an answer: eos, and the template's end-of-turn token where it differs. */
  stopTokenIds: number[];
  hasChatTemplate: boolean;
}

export interface EncodedForTask {
  ids: Int32Array;
  /** For words: the number of the word whose first token this is, else -1; a word that was cut off has none. Null for a text. */
  words: Int32Array | null;
}

export interface DataApi {
  openTokenizer(source: TokenizerSource): TokenizerInfo;
  parse(name: string, bytes: ArrayBuffer, section: Pick<DatasetSection, 'format' | 'columns'>): ParsedDataset;
  /** Uses the last parsed dataset and the open tokenizer. `contextLength` caps max_length. */
  tokenize(section: DatasetSection, objective: ObjectiveSection, contextLength: number, seed: number): TokenizedDataset;
  viewTokens(row: number, section: DatasetSection, objective: ObjectiveSection, maxLength: number): TokenView;
  /** Renders a user's prompt (chat template with the generation prompt, or as it is) and tokenizes it. */
  encodePrompt(prompt: string, system?: string): Int32Array;
  /**
   * Texts as they are, with the tokens that the tokenizer puts around one (BERT's [CLS] and [SEP]). Of those longer than
   * `maxLength` the end is cut, not what stands around it.
   */
  encodeTexts(texts: string[], maxLength: number): Int32Array[];
  /**
   * A file of text of the kind that the base was trained on, in pieces of at most `maxLength` tokens that are all targets:
   * for replay, EWC and the measure of forgetting. With `masked_lm` the pieces stand between special tokens. The open
   * dataset is left as it is.
   */
  tokenizeBaseText(name: string, bytes: ArrayBuffer, maxLength: number, objective?: ObjectiveType): TokenizedExample[];
  /** One text to classify, or words to tag, as the examples of those objectives are encoded. */
  encodeForTask(input: string | string[], maxLength: number): EncodedForTask;
  /** Special tokens left out. */
  decode(ids: Int32Array): string;
}
