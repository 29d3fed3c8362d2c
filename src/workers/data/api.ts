/**
 * The data worker's interface: everything that processes untrusted input on the CPU (parsers, chat templates, tokeniser
 * regexes). Served by src/workers/data/data-worker.ts, which the session kills if a call exceeds its deadline.
 */
import type { Augmented, AugmentOptions } from '../../data/augment';
import type { EncodedForTask } from '../../data/encode-input';
import type { Leak, NearGroup } from '../../data/near-duplicates';
import type { Part } from '../../data/pieces';
import type { PromptStyle, WrittenChats } from '../../data/prompt-style';
import type { ReadingProgress } from '../../data/reading-progress';
import type { TokenizerSource } from '../../data/tokenizer-files';
import type {
  ChatMessage,
  Example,
  ParsedDataset,
  SpanView,
  TokenizedDataset,
  TokenizedExample,
  TokenView,
} from '../../data/types';
import type { WrittenRow } from '../../data/written-row';
import type { ReadingSection } from '../../recipe/sections';
import type { DatasetSection, ObjectiveSection, ObjectiveType } from '../../recipe/types';
import type { RewardSection, ScoredAnswer } from '../../rewards';

export interface TokenizerInfo {
  vocabSize: number;
  bosTokenId: number | null;
  eosTokenId: number | null;
  padTokenId: number;
  /** The mask token (BERT's [MASK]); null if there is none. */
  maskTokenId: number | null;
  /** Ids that end an answer: EOS, and the template's end-of-turn token if it is different. */
  stopTokenIds: number[];
  /** The template's end-of-turn token, which is EOS in many models; null if there is none. */
  endOfTurnId: number | null;
  hasChatTemplate: boolean;
  /** What the template does not write, each continuing "The chat template …"; empty without a template. */
  templateGaps: string[];
}

/** What an augmentation would make of a few training examples. */
export interface AugmentPreview {
  made: Augmented[];
  /** Training examples that have a text to change. */
  examples: number;
}

export type Progress = (done: number, total: number) => void;
/** What is said of a file that is being read: how far it is, and then its examples, some at a time. */
export type ReadingPart = { progress: ReadingProgress } | { examples: Example[] };

export interface DataApi {
  openTokenizer(source: TokenizerSource): TokenizerInfo;
  /**
   * A promise for files that need code to be loaded first: archives, workbooks, Parquet. If somebody listens, the examples are
   * told in parts and are absent from the result: in one message, 200,000 of them would stop the page for half a second.
   */
  parse(
    name: string,
    bytes: ArrayBuffer,
    section: ReadingSection,
    onPart?: (part: ReadingPart) => void,
  ): ParsedDataset | Promise<ParsedDataset>;
  /**
   * Uses the last parsed dataset and the open tokeniser. `contextLength` caps max_length, and so does `memoryLength` where it
   * is automatic. `onRow` is told now and then which example is next (each of them if it is `careful`); `leftOut` are rows
   * at which that never went on. All but the last few examples go to `onExamples`, if it is given.
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
    onExamples?: (part: Part, examples: TokenizedExample[]) => void,
  ): TokenizedDataset;
  /** Of the last parsed dataset; as `leaks`, other calls are answered while it works. Throws `cancelled`. */
  nearDuplicates(onProgress: Progress, signal?: AbortSignal): Promise<NearGroup[]>;
  /** Validation examples whose text or prompt is trained on; the two sides as Example.row. */
  leaks(train: Int32Array, validation: Int32Array, onProgress: Progress, signal?: AbortSignal): Promise<Leak[]>;
  /** New texts for the first few training examples of the last parsed dataset; `heldOut` are rows that are none. */
  augmentPreview(options: AugmentOptions, heldOut: Int32Array, most: number): AugmentPreview;
  /** The whole as a JSON Lines file. Throws `cancelled`. */
  augment(
    options: AugmentOptions,
    heldOut: Int32Array,
    onProgress: Progress,
    signal?: AbortSignal,
  ): Promise<ArrayBuffer>;
  /** Rows of the last parsed dataset for another trainer's file, in the order in which they are asked for. */
  writeRows(rows: Int32Array, section: DatasetSection, objective: ObjectiveSection): WrittenRow[];
  viewTokens(row: number, section: DatasetSection, objective: ObjectiveSection, maxLength: number): TokenView;
  /** The same example as text, in spans that are learned or not, each with the text of at most `most` tokens. */
  viewSpans(most: number, ...of: Parameters<DataApi['viewTokens']>): SpanView;
  /** How prompts are written for a model without a chat template: as the data that were tokenised last. */
  promptStyle(): PromptStyle;
  /**
   * Formats a prompt (with the chat template and generation prompt if there is a template) and tokenises it. `shots` are
   * questions with their answers that come before it.
   */
  encodePrompt(prompt: string, system?: string, shots?: readonly { text: string; expected: string }[]): Int32Array;
  /** Conversations as text, as `encodePrompt` writes them. */
  writeChats(conversations: readonly (readonly ChatMessage[])[]): WrittenChats;
  /**
   * Tokenises a request (with the chat template, if there is one) and the beginning of its answer, which the model goes on
   * with. Without a template the two are one text.
   */
  encodeBegun(ask: string, begun: string): Int32Array;
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
  /**
   * Encodes an answer with its prompt as reward models read pairs of the open dataset. Longer texts throw bad_data, because half of
   * one cannot be judged.
   */
  encodeAnswer(prompt: string, answer: string, maxLength: number): Int32Array;
  /** Decodes ids, skipping special tokens. */
  decode(ids: Int32Array): string;
  /** The same of several texts. */
  decodeAll(texts: Int32Array[]): string[];
  /** What a reward that runs here gives for each answer. `onAnswer` is told which one is next. */
  scoreAnswers(
    reward: RewardSection,
    answers: ScoredAnswer[],
    onAnswer: (at: number) => void,
  ): Promise<(number | null)[]>;
}
