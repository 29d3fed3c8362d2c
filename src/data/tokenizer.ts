/**
 * The model's own tokeniser, from the files in its folder: @huggingface/tokenizers for the ids, plus what a trainer
 * needs to know: special tokens, the ids that end an answer, and the padding id.
 */

import { Tokenizer } from '@huggingface/tokenizers';
import { TabtuneError } from '../base/errors';
import { parseUntrusted } from '../base/json';
import { badTokenizer, checkTokenizer, modelType } from './check-tokenizer';
import { field, isRecord } from './raw-table';
import { showBytes, type TokenSpelling, tokenBytes } from './token-offsets';
import type { TokenizerFiles } from './tokenizer-files';
import { fasterParts, fixParts, withNumericDigits } from './tokenizer-fixes';

/** Gemma 3's is 33 MB. */
const MAX_TOKENIZER_CHARS = 128 * 2 ** 20;
/** Usual EOS tokens for models whose files do not name one, most common first. */
const USUAL_EOS = ['</s>', '<|endoftext|>', '<|end_of_text|>', '<eos>', '<|im_end|>'];
/** The same for the mask token. */
const USUAL_MASK = ['[MASK]', '<mask>'];

export interface SpecialTokens {
  bos_token?: string;
  eos_token?: string;
  pad_token?: string;
  unk_token?: string;
  mask_token?: string;
}

export class TextTokenizer {
  readonly special: SpecialTokens;
  readonly vocabSize: number;
  /** Ids below this have a row in the model's embedding. */
  readonly knownIds: number;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
  readonly padTokenId: number;
  /** The mask token; null for models that were not trained with one. */
  readonly maskTokenId: number | null;
  /** EOS ids from the tokeniser and generation_config; data-api.ts adds the template's end of turn. */
  readonly eosTokenIds: number[];
  readonly spelling: TokenSpelling;
  private readonly tokenizer: Tokenizer;
  private readonly added: Map<number, { content: string; special: boolean }>;
  private readonly addedContents: Set<string>;
  private aroundText: { before: number[]; behind: number[] } | null = null;
  private prefix: '' | ' ' | null = null;
  private readonly spellings = new Map<string, Uint8Array[]>();

  /** Throws bad_model if a file is not JSON or describes an unsupported tokeniser. */
  constructor(files: Omit<TokenizerFiles, 'chatTemplate'>) {
    if (files.tokenizerJson.length > MAX_TOKENIZER_CHARS) {
      throw badTokenizer(
        'tokenizer.json is far larger than any known one.',
        `${files.tokenizerJson.length} characters`,
      );
    }
    const json = parseObject('tokenizer.json', files.tokenizerJson);
    const config = files.tokenizerConfig === null ? {} : parseObject('tokenizer_config.json', files.tokenizerConfig);
    const map = files.specialTokensMap === null ? {} : parseObject('special_tokens_map.json', files.specialTokensMap);
    const generation =
      files.generationConfig === null ? {} : parseObject('generation_config.json', files.generationConfig);
    const model = isRecord(json.model) ? json.model : {};
    this.vocabSize = checkTokenizer(json, files.embeddings ?? null);
    this.knownIds = files.embeddings ?? this.vocabSize;

    this.special = {};
    for (const key of ['bos_token', 'eos_token', 'pad_token', 'unk_token', 'mask_token'] as const) {
      const content = tokenContent(config[key]) ?? tokenContent(map[key]);
      if (content !== null) this.special[key] = content;
    }
    try {
      this.tokenizer = new Tokenizer(
        {
          normalizer: null,
          post_processor: null,
          decoder: null,
          ...json,
          model: { ...model, type: modelType(model), ...(model.merges ? { merges: [] } : {}) },
          pre_tokenizer: withNumericDigits(json.pre_tokenizer ?? null),
          added_tokens: json.added_tokens ?? [],
        },
        // The library reads unk_token and a few flags. Special tokens as objects would confuse it.
        { ...config, ...this.special, additional_special_tokens: undefined },
      );
      fixParts(this.tokenizer);
      fasterParts(this.tokenizer, mergesOf(model.merges));
    } catch (error) {
      const details = error instanceof Error ? error.message : String(error);
      throw badTokenizer('This model’s tokeniser is not supported, or its file is damaged.', details);
    }
    this.added = this.tokenizer.get_added_tokens_decoder();
    this.addedContents = new Set([...this.added.values()].map((token) => token.content));
    this.spelling = spellingOf(json);

    const generationEos = idList(generation.eos_token_id).filter((id) => id < this.vocabSize);
    if (this.special.eos_token === undefined) {
      const fromIds = generationEos[0] === undefined ? undefined : this.tokenizer.id_to_token(generationEos[0]);
      const usual = USUAL_EOS.find((token) => this.addedContents.has(token));
      const eos = fromIds ?? usual;
      if (eos !== undefined) this.special.eos_token = eos;
    }
    this.eosTokenId = this.idOf(this.special.eos_token);
    const generationBos = idList(generation.bos_token_id)[0];
    this.bosTokenId =
      this.idOf(this.special.bos_token) ??
      (generationBos !== undefined && generationBos < this.vocabSize ? generationBos : null);
    this.eosTokenIds = [...new Set([...(this.eosTokenId === null ? [] : [this.eosTokenId]), ...generationEos])];
    const usualMask = USUAL_MASK.find((token) => this.addedContents.has(token));
    this.maskTokenId = this.idOf(this.special.mask_token ?? usualMask);
    // Padding is masked everywhere, so any id will do; EOS is the usual choice.
    this.padTokenId = this.idOf(this.special.pad_token) ?? this.eosTokenId ?? this.idOf(this.special.unk_token) ?? 0;
  }

  idOf(token: string | undefined): number | null {
    if (token === undefined) return null;
    const id = this.tokenizer.token_to_id(token);
    return id === undefined ? null : id;
  }

  /**
   * Ids of a text and the vocabulary's spelling of each. `addSpecialTokens` lets the post-processor add BOS etc.: true
   * for plain text, false for a rendered chat, whose template writes them itself (as in transformers). A lone surrogate
   * counts as U+FFFD, which is what it becomes in UTF-8. Throws bad_model if part of the text has no id and the
   * tokeniser has no unknown token.
   */
  encode(text: string, addSpecialTokens: boolean): { ids: number[]; tokens: string[] } {
    const { ids, tokens } = running(
      () => this.tokenizer.encode(text.toWellFormed(), { add_special_tokens: addSpecialTokens }),
      text.length,
    );
    const hole = ids.indexOf(undefined as unknown as number);
    if (hole !== -1) {
      throw badTokenizer(
        'This model’s tokeniser cannot encode part of the text.',
        `“${tokens[hole]}” has no id, and there is no unknown token`,
      );
    }
    return { ids, tokens };
  }

  /** The same, without a second BOS or EOS where the text has its own: one that a chat template wrote, for example. */
  encodeOnce(text: string, addSpecialTokens: boolean): { ids: number[]; tokens: string[] } {
    const { ids, tokens } = this.encode(text, addSpecialTokens);
    if (!addSpecialTokens) return { ids, tokens };
    const { before, behind } = this.around;
    const start = startsTwice(ids, before) ? before.length : 0;
    const end = ids.length - (startsTwice(ids.toReversed(), behind.toReversed()) ? behind.length : 0);
    return start === 0 && end === ids.length
      ? { ids, tokens }
      : { ids: ids.slice(start, end), tokens: tokens.slice(start, end) };
  }

  /** The special tokens that the tokeniser puts before and after a text: BERT's [CLS] and [SEP], Llama's <s>. */
  get around(): { before: readonly number[]; behind: readonly number[] } {
    if (!this.aroundText) {
      const plain = this.encode('a', false).ids;
      const whole = this.encode('a', true).ids;
      const at = whole.findIndex((_, i) => plain.length > 0 && plain.every((id, k) => whole[i + k] === id));
      this.aroundText =
        at === -1 ? { before: [], behind: [] } : { before: whole.slice(0, at), behind: whole.slice(at + plain.length) };
    }
    return this.aroundText;
  }

  /**
   * The prefix for encoding a word on its own, so that it is tokenised as it would be inside a text: a space for
   * tokenisers whose words start with one, unless they add it themselves (as with add_prefix_space).
   */
  get wordPrefix(): '' | ' ' {
    if (this.prefix === null) {
      const first = this.spelling === 'none' ? undefined : this.encode('a', false).tokens[0];
      this.prefix = first === undefined || (this.spellingsOf(first)[0]?.[0] ?? 0x20) === 0x20 ? '' : ' ';
    }
    return this.prefix;
  }

  /** Decodes ids; ids outside the vocabulary (a model's padding rows) are skipped. */
  decode(ids: Iterable<number>, skipSpecialTokens: boolean): string {
    const known: number[] = [];
    for (const id of ids) {
      if (this.tokenizer.id_to_token(id) === undefined) continue;
      if (skipSpecialTokens && this.added.get(id)?.special) continue;
      known.push(id);
    }
    if (known.length === 0) return '';
    // "Cleaning up" spaces before punctuation was designed for BERT and would change what the model wrote.
    return running(() =>
      this.tokenizer.decode(known, { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    );
  }

  isSpecial(id: number): boolean {
    return this.added.get(id)?.special === true;
  }

  isAdded(token: string): boolean {
    return this.addedContents.has(token);
  }

  /** The contents of special tokens, for finding them in people's texts. */
  specialContents(): string[] {
    return [...this.added.values()].filter((token) => token.special).map((token) => token.content);
  }

  /**
   * The byte sequences that a token (as spelled by `encode`) may represent; empty if the tokeniser's spelling is
   * unknown. An added token that follows the spelling has two: Gemma's "▁▁" is two spaces, or itself if the text
   * contains it.
   */
  spellingsOf(token: string): readonly Uint8Array[] {
    let found = this.spellings.get(token);
    if (found === undefined) {
      found = [];
      if (this.spelling !== 'none') {
        if (this.addedContents.has(token)) found.push(new TextEncoder().encode(token));
        const spelled = tokenBytes(token, this.spelling);
        if (spelled) found.push(spelled);
      }
      this.spellings.set(token, found);
    }
    return found;
  }

  /** Display text for tokens in a row: characters that several of them spell are whole, special tokens are shown by name. */
  showTokens(ids: Iterable<number>): string {
    if (this.spelling === 'none') return this.decode(ids, false);
    const texts: string[] = [];
    let bytes: number[] = [];
    const flush = () => {
      texts.push(showBytes(Uint8Array.from(bytes)));
      bytes = [];
    };
    for (const id of ids) {
      const token = this.tokenizer.id_to_token(id);
      const spelled = token === undefined || this.added.has(id) ? undefined : this.spellingsOf(token)[0];
      if (spelled) bytes.push(...spelled);
      else {
        flush();
        texts.push(this.showToken(id));
      }
    }
    flush();
    return texts.join('');
  }

  /** Display text for a single token: incomplete characters as bytes, special tokens by name. */
  showToken(id: number): string {
    const token = this.tokenizer.id_to_token(id);
    if (token === undefined) return `<${id}>`;
    if (this.added.has(id)) return token;
    const bytes = this.spellingsOf(token)[0];
    return bytes === undefined ? token : showBytes(bytes);
  }
}

/** Of a text that exhausts the stack or the largest array by itself, which its caller reports. */
const LONG_TEXT = 100_000;

/** The library looks at some parts of a tokenizer.json only when they run. */
function running<T>(work: () => T, letters = 0): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError && letters > LONG_TEXT) throw error;
    const details = error instanceof Error ? error.message : String(error);
    throw badTokenizer('This model’s tokeniser is not supported, or its file is damaged.', details);
  }
}

function parseObject(file: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    // A byte order mark is not valid JSON, but some editors write it.
    value = parseUntrusted(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new TabtuneError({
      code: 'bad_model',
      message: `The model’s ${file} is not valid JSON.`,
      where: file,
      action: 'Download the model’s files again.',
      details: error instanceof Error ? error.message.slice(0, 200) : String(error),
    });
  }
  if (!isRecord(value)) {
    throw new TabtuneError({
      code: 'bad_model',
      message: `The model’s ${file} is not a JSON object.`,
      where: file,
      action: 'Download the model’s files again.',
      details: 'The top level is not an object.',
    });
  }
  return value;
}

function startsTwice(ids: readonly number[], added: readonly number[]): boolean {
  return added.length > 0 && [...added, ...added].every((id, i) => ids[i] === id);
}

/** Each merge as its two halves; checkTokenizer has seen that it has two. */
function mergesOf(merges: unknown): string[][] {
  return Array.isArray(merges) ? merges.map((merge) => (typeof merge === 'string' ? merge.split(' ') : merge)) : [];
}

/** The content of a special token, written as "</s>" or {"content": "</s>", …}. */
function tokenContent(value: unknown): string | null {
  const content = isRecord(value) ? field(value, 'content') : value;
  return typeof content === 'string' && content !== '' ? content : null;
}

function idList(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter(
    (id): id is number => Number.isInteger(id) && (id as number) >= 0,
  );
}

/** How vocabulary entries spell text, inferred from the parts of tokenizer.json. */
function spellingOf(json: Record<string, unknown>): TokenSpelling {
  const parts = JSON.stringify([json.pre_tokenizer ?? null, json.decoder ?? null, json.normalizer ?? null]);
  if (parts.includes('"ByteLevel"')) return 'byte-level';
  return parts.includes('▁') || parts.includes('"Metaspace"') ? 'sentencepiece' : 'none';
}
