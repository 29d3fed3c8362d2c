/**
 * The data worker's interface: everything that processes untrusted input on the CPU (parsers, chat templates, tokeniser
 * regexes). Served by src/workers/data/data-worker.ts, which the session kills if a call exceeds its deadline.
 */
import type { TokenizerSource } from '../../data/tokenizer-files';
import type { ParsedDataset, SpanView, TokenizedDataset, TokenizedExample, TokenView } from '../../data/types';
import type { ReadingSection } from '../../recipe/sections';
import type { DatasetSection, ObjectiveSection, ObjectiveType } from '../../recipe/types';

export interface TokenizerInfo {
  vocabSize: number;
  bosTokenId: number | null;
  eosTokenId: number | null;
  padTokenId: number;
  /** The mask token (BERT's [MASK]); null if there is none. */
  maskTokenId: number | null;
  /** Ids that end an answer: EOS, and the template's end-of-turn token if it is different. */
  stopTokenIds: number[];
  hasChatTemplate: boolean;
  /** What the template does not write, each continuing "The chat template …"; empty without a template. */
  templateGaps: string[];
}

export interface EncodedForTask {
  ids: Int32Array;
  /** For words: the word's index at its first token, otherwise -1 (truncated words are absent). Null for a text. */
  words: Int32Array | null;
}

export interface DataApi {
  openTokenizer(source: TokenizerSource): TokenizerInfo;
  /** A promise for files that need code to be loaded first: archives, workbooks, Parquet. */
  parse(name: string, bytes: ArrayBuffer, section: ReadingSection): ParsedDataset | Promise<ParsedDataset>;
  /**
   * Uses the last parsed dataset and the open tokeniser. `contextLength` caps max_length, and so does `memoryLength` where it
   * is automatic. `onRow` is told now and then which example is next (each of them if it is `careful`); `leftOut` are rows
   * at which that never went on.
   */
  tokenize(
    section: DatasetSection,
    objective: ObjectiveSection,
    contextLength: number,
    seed: number,
    memoryLength?: number,
    leftOut?: readonly number[],
    careful?: boolean,
    onRow?: (at: number) => void,
  ): TokenizedDataset;
  viewTokens(row: number, section: DatasetSection, objective: ObjectiveSection, maxLength: number): TokenView;
  /** The same example as text, in spans that are learned or not, each with the text of at most `most` tokens. */
  viewSpans(most: number, ...of: Parameters<DataApi['viewTokens']>): SpanView;
  /** Formats a prompt (with the chat template and generation prompt if there is a template) and tokenises it. */
  encodePrompt(prompt: string, system?: string): Int32Array;
  /**
   * Encodes texts with the tokeniser's special tokens (BERT's [CLS] and [SEP]). Texts longer than `maxLength` are
   * truncated at the end, but keep their special tokens.
   */
  encodeTexts(texts: string[], maxLength: number): Int32Array[];
  /**
   * Tokenises a file of text like the base model's training data, for replay, EWC and measuring forgetting. Returns
   * pieces of at most `maxLength` tokens, all of them targets of `objective` except special tokens. It must learn from plain
   * text; left out, it is the one for decoders. Does not affect the open dataset.
   */
  tokenizeBaseText(name: string, bytes: ArrayBuffer, maxLength: number, objective?: ObjectiveType): TokenizedExample[];
  /** Encodes a text to classify, or words to tag, in the same way as the training examples. */
  encodeForTask(input: string | string[], maxLength: number): EncodedForTask;
  /** Decodes ids, skipping special tokens. */
  decode(ids: Int32Array): string;
}
