/**
 * What the data worker does: everything that runs strangers' bytes on the CPU (parsers, chat templates, tokenizer
 * regexes). Served by src/worker/data-worker.ts, which the session kills when a call runs past its deadline.
 */
import type { DatasetSection, ObjectiveSection } from '../recipe/types';
import type { ParsedDataset, TokenizedDataset, TokenView } from './types';

export interface TokenizerFiles {
  tokenizerJson: string;
  tokenizerConfig: string | null;
  /** chat_template.jinja, when the folder has it; else the template inside tokenizer_config.json counts. */
  chatTemplate: string | null;
  /** special_tokens_map.json */
  specialTokensMap: string | null;
  generationConfig: string | null;
}

export interface TokenizerInfo {
  vocabSize: number;
  bosTokenId: number | null;
  eosTokenId: number | null;
  padTokenId: number;
  /** Ids that end an answer: eos, and the template's end-of-turn token where it differs. */
  stopTokenIds: number[];
  hasChatTemplate: boolean;
}

export interface DataApi {
  openTokenizer(files: TokenizerFiles): TokenizerInfo;
  parse(name: string, bytes: ArrayBuffer, section: Pick<DatasetSection, 'format' | 'columns'>): ParsedDataset;
  /** Uses the last parsed dataset and the open tokenizer. `contextLength` caps max_length. */
  tokenize(section: DatasetSection, objective: ObjectiveSection, contextLength: number, seed: number): TokenizedDataset;
  viewTokens(row: number, section: DatasetSection, objective: ObjectiveSection, maxLength: number): TokenView;
  /** Renders a user's prompt (chat template with the generation prompt, or as it is) and tokenizes it. */
  encodePrompt(prompt: string, system?: string): Int32Array;
  /** Special tokens left out. */
  decode(ids: Int32Array): string;
}
