/** The tokeniser metadata of a GGUF file, as plain data to send to the worker that rebuilds tokenizer.json. */
import { type GgufStrings, type GgufValue, isStrings, stringAt } from './gguf';

export interface GgufVocabulary {
  /** tokenizer.ggml.model: `gpt2` (byte-level BPE), `llama` (SentencePiece BPE), … */
  model: string;
  /** tokenizer.ggml.pre: llama.cpp's name for how text is split before merging; null in old files. */
  pre: string | null;
  /** general.architecture: a few families treat the same kind of vocabulary differently. */
  architecture: string;
  tokens: GgufStrings;
  scores: Float32Array | null;
  /** 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte */
  types: Int32Array | null;
  merges: GgufStrings | null;
  addSpacePrefix: boolean;
  addBos: boolean;
  addEos: boolean;
  bos: number | null;
  eos: number | null;
  unk: number | null;
  pad: number | null;
}

/** Pre-tokenisers that start every text with BOS unless the file says otherwise (llama.cpp, llama-vocab.cpp). */
const BEGIN_WITH_BOS = new Set(['llama3', 'llama-v3', 'llama-bpe', 'falcon3', 'pixtral', 'midm-2.0', 'lfm2', 'tekken']);

/** Null if the metadata has no vocabulary. Out-of-range special token ids count as absent. */
export function vocabularyOf(metadata: Map<string, GgufValue>): GgufVocabulary | null {
  const key = (name: string) => metadata.get(`tokenizer.ggml.${name}`);
  const text = (value: GgufValue | undefined) => (typeof value === 'string' ? value : null);
  const tokens = key('tokens');
  const model = text(key('model'));
  if (!isStrings(tokens) || model === null) return null;
  const id = (name: string, fallback: number | null) => {
    const value = key(name) ?? fallback;
    return typeof value === 'number' && stringAt(tokens, value) !== undefined ? value : null;
  };
  const flag = (name: string, fallback: boolean) => {
    const value = key(name);
    return typeof value === 'boolean' ? value : fallback;
  };
  const [scores, types, merges] = [key('scores'), key('token_type'), key('merges')];
  const pre = text(key('pre'));
  // SentencePiece's usual ids are the default, as in llama.cpp.
  const sentencePiece = model === 'llama';
  return {
    model,
    pre,
    architecture: text(metadata.get('general.architecture')) ?? '',
    tokens,
    scores: scores instanceof Float32Array && scores.length === tokens.ends.length ? scores : null,
    types: types instanceof Int32Array && types.length === tokens.ends.length ? types : null,
    merges: isStrings(merges) ? merges : null,
    addSpacePrefix: flag('add_space_prefix', sentencePiece),
    addBos: flag('add_bos_token', sentencePiece || (pre !== null && BEGIN_WITH_BOS.has(pre))),
    addEos: flag('add_eos_token', false),
    bos: id('bos_token_id', sentencePiece ? 1 : null),
    eos: id('eos_token_id', sentencePiece ? 2 : null),
    unk: id('unknown_token_id', sentencePiece ? 0 : null),
    pad: id('padding_token_id', null),
  };
}
