/**
 * The tokenizer section of a GGUF file, from the files of a Hugging Face folder. llama.cpp rebuilds the tokenizer from it, so whatever
 * it would do in another way is refused, or said. Takes seconds for the largest vocabularies, so it runs in a worker.
 */
import { refuse } from '../../../base/bad-model';
import type { GgufEntry } from '../../../formats/gguf-write';
import { sentencePieces } from '../../../formats/sentencepiece';
import { bool, type GgufPairs, string, strings } from '../entries';
import { isObject, type Json, list, parseJson } from './json';
import { preTokenizerOf } from './pre-tokenizer';
import { INSTEAD } from './refusal';
import { scoresOf } from './scores';
import { specialPairs } from './special';
import { templatePairs } from './templates';
import { type AddedToken, type Vocabulary, vocabularyOf } from './vocabulary';

/** As texts; null for what the folder does not have. */
export interface TokenizerTexts {
  tokenizerJson: string;
  tokenizerConfig: string | null;
  specialTokensMap: string | null;
  chatTemplate: string | null;
  generationConfig: string | null;
  /** config.json, which names special tokens too. */
  config: Json;
  /** tokenizer.model */
  sentencePiece: Uint8Array | null;
  /** Of the embedding: as many tokens llama.cpp wants. */
  rows: number;
  /** Tokens that end an answer; the one that the chat template writes behind an answer comes first. */
  endTokenIds: readonly number[];
}

export interface GgufTokenizer {
  /** Under `tokenizer.`. */
  pairs: GgufPairs;
  /** Special tokens take away the white space behind them, which llama.cpp does for models whose name says Phi-3. */
  swallowsSpace: boolean;
  /** Whether there is a chat template. */
  hasTemplate: boolean;
  notes: string[];
}

const WHERE = 'tokenizer.json';

/** Throws `bad_model` for a tokenizer that llama.cpp does not have. */
export function ggufTokenizer(files: TokenizerTexts): GgufTokenizer {
  const json = parsed(files.tokenizerJson);
  const names = { ...parsed(files.specialTokensMap), ...withoutNulls(parsed(files.tokenizerConfig)) };
  const { model } = json;
  if (!isObject(model) || !['BPE', undefined].includes(model.type as string | undefined)) {
    return refuse(WHERE, 'llama.cpp writes no text with a tokenizer of this type.', INSTEAD);
  }
  const affixes = [model.continuing_subword_prefix, model.end_of_word_suffix];
  if (affixes.some((affix) => typeof affix === 'string' && affix !== '')) {
    refuse(WHERE, 'The tokenizer marks the parts of words in a way that llama.cpp does not know.', INSTEAD);
  }
  const sentencePiece = model.byte_fallback === true;
  const vocabulary = vocabularyOf(json, files.rows, sentencePiece);
  const own = sentencePiece
    ? sentencePieceSection(json, model, vocabulary, files)
    : byteLevelSection(json, model, vocabulary);
  const special = specialPairs(
    { json, names, config: files.config, generation: parsed(files.generationConfig), endTokenIds: files.endTokenIds },
    vocabulary,
  );
  const templates = templatePairs(files.chatTemplate, names.chat_template);
  const stripped = stripping(vocabulary.added);
  return {
    pairs: [...own.pairs, ...special.pairs, ...templates],
    swallowsSpace: stripped.swallowsSpace,
    hasTemplate: templates.some(([key]) => key === 'tokenizer.chat_template'),
    notes: [...own.notes, ...special.notes, ...stripped.notes, ...beyondNotes(vocabulary)],
  };
}

interface Section {
  pairs: GgufPairs;
  notes: string[];
}

const key = (name: string) => `tokenizer.ggml.${name}`;
const types = ({ types: value }: Vocabulary): GgufEntry => ({ type: 'int32s', value });

function byteLevelSection(json: Json, model: Json, vocabulary: Vocabulary): Section {
  const pre = preTokenizerOf(json);
  if (!pre) {
    return refuse(
      `${WHERE}, pre_tokenizer`,
      'llama.cpp has no name for the way in which this tokenizer splits texts, and would split them differently.',
      INSTEAD,
    );
  }
  return {
    pairs: [
      [key('model'), string('gpt2')],
      [key('pre'), string(pre.name)],
      [key('tokens'), strings(vocabulary.tokens)],
      [key('token_type'), types(vocabulary)],
      [key('merges'), strings(list(model.merges).map(mergeText))],
    ],
    notes: [...(pre.composes ? [COMPOSES] : []), ...(pre.splitsMarks ? [SPLITS_MARKS] : [])],
  };
}

const COMPOSES =
  'llama.cpp does not compose letters and marks (NFC) before it tokenises, as this tokenizer does: texts with decomposed letters come out as other tokens there.';
const SPLITS_MARKS =
  'llama.cpp splits words with marks on their letters (in Thai or Hindi, for example) differently from this tokenizer.';

/** `a b`; a space in a part would be taken for the one between them. */
function mergeText(merge: unknown): string {
  if (typeof merge === 'string') return merge;
  return list(merge)
    .map((part) => String(part).replaceAll(' ', 'Ġ'))
    .join(' ');
}

function sentencePieceSection(json: Json, model: Json, vocabulary: Vocabulary, files: TokenizerTexts): Section {
  const space = spacePrefix(json);
  if (space === null) {
    return refuse(
      `${WHERE}, normalizer`,
      'The tokenizer changes texts before it splits them in a way that llama.cpp does not know.',
      INSTEAD,
    );
  }
  if (vocabulary.idOf('<0x00>') === null || vocabulary.idOf('<0xFF>') === null) {
    refuse(`${WHERE}, model`, 'The tokenizer has no tokens for single bytes, which llama.cpp needs.', INSTEAD);
  }
  const pieces = files.sentencePiece && sentencePieces(files.sentencePiece);
  const scores = scoresOf(vocabulary, model.merges, pieces);
  if (!scores) {
    return refuse(
      `${WHERE}, merges`,
      'llama.cpp joins letters by a score for each token, and the merges of this tokenizer say something else.',
      INSTEAD,
    );
  }
  return {
    pairs: [
      [key('model'), string('llama')],
      // Of byte-level vocabularies only; llama.cpp's own converter writes it here too.
      [key('pre'), string('default')],
      [key('tokens'), strings(vocabulary.tokens)],
      [key('scores'), { type: 'float32s', value: scores }],
      [key('token_type'), types(vocabulary)],
      [key('add_space_prefix'), bool(space !== 'never')],
    ],
    notes:
      space === 'words'
        ? [
            'llama.cpp puts a space before every text and behind every special token; this tokenizer puts none before a space, and perhaps none behind special tokens.',
          ]
        : [],
  };
}

/**
 * Where a space is put before a text: never, before all that is between special tokens, or before words only, as Metaspace does it. Null:
 * in another way.
 */
function spacePrefix({ normalizer, pre_tokenizer: pre }: Json): 'never' | 'pieces' | 'words' | null {
  const steps = isObject(normalizer) && normalizer.type === 'Sequence' ? list(normalizer.normalizers) : [normalizer];
  let prefix: 'never' | 'pieces' = 'never';
  let marked = false;
  for (const step of steps) {
    if (step === null || step === undefined) continue;
    if (!isObject(step)) return null;
    if (step.type === 'Prepend' && step.prepend === '▁' && !marked) prefix = 'pieces';
    else if (step.type === 'Replace' && isObject(step.pattern) && step.pattern.String === ' ' && step.content === '▁')
      marked = true;
    else return null;
  }
  if (isObject(pre) && pre.type === 'Metaspace') {
    if (marked || prefix !== 'never' || pre.replacement !== '▁' || pre.split !== false) return null;
    const scheme = pre.prepend_scheme ?? (pre.add_prefix_space === false ? 'never' : 'always');
    return scheme === 'never' ? 'never' : 'words';
  }
  if (!marked) return null;
  // Gemma's, which finds no space to split at any more.
  const idle = isObject(pre) && pre.type === 'Split' && isObject(pre.pattern) && pre.pattern.String === ' ';
  return pre === null || pre === undefined || idle ? prefix : null;
}

/** llama.cpp knows Phi-3's special tokens, which take the white space behind them away, by the model's name. */
function stripping(added: readonly AddedToken[]): { swallowsSpace: boolean; notes: string[] } {
  const phi = added.every(({ content, rstrip }) => rstrip === !/^<(unk|s|\|endoftext\|)>$/.test(content));
  const swallowsSpace = phi && added.some(({ rstrip }) => rstrip);
  const others = added.filter(({ lstrip, rstrip }) => lstrip || (rstrip && !swallowsSpace));
  if (others.length === 0) return { swallowsSpace, notes: [] };
  const some = others.slice(0, 3).map(({ content }) => content.trim());
  return {
    swallowsSpace,
    notes: [
      `This tokenizer takes away the white space beside ${others.length === 1 ? 'the token' : 'tokens such as'} ${some.join(', ')}; llama.cpp keeps it.`,
    ],
  };
}

const beyondNotes = ({ beyond }: Vocabulary): string[] =>
  beyond === 0
    ? []
    : [
        `The tokenizer has ${beyond} ${beyond === 1 ? 'token' : 'tokens'} that the model has no embedding for; the file leaves ${beyond === 1 ? 'it' : 'them'} out.`,
      ];

const parsed = (text: string | null): Json => (text === null ? {} : parseJson(text));

const withoutNulls = (json: Json): Json =>
  Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
