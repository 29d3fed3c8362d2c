/**
 * llama.cpp's name for how a byte-level tokenizer splits text before merging. llama.cpp's own converter recognises the ids of one text by
 * their hash, and so only vocabularies that somebody has added to its list. Here the rules themselves are recognised: it is what
 * llama.cpp does under a name that must be the same.
 */
import { ignoresMerges, SHORT_FORMS, splitsOf } from '../../../formats/gguf-splits';
import { isObject, type Json, list } from './json';

/** Names whose rules differ, of all that mean the same. The first that fits is taken. */
const NAMES = [
  ...['olmo', 'gpt-2', 'smollm', 'llama-bpe', 'smaug-bpe', 'qwen2', 'deepseek-r1-qwen', 'qwen35', 'tekken', 'gpt-4o'],
  ...['deepseek-coder', 'deepseek-v3'],
];
/** Names that stand for NFC too when such a file is read here; llama.cpp itself never composes. */
const COMPOSED = ['olmo', 'qwen2'];
/** llama.cpp cannot tell marks from letters in these, and approximates. */
const MARKS = ['tekken', 'gpt-4o'];

export interface PreTokenizer {
  name: string;
  /** The tokenizer composes letters (NFC) before anything else, which llama.cpp does not do. */
  composes: boolean;
  /** llama.cpp's own expression takes marks for no part of a word, and the tokenizer's does. */
  splitsMarks: boolean;
}

/** Null for rules that llama.cpp does not have. `json` is tokenizer.json. */
export function preTokenizerOf(json: Json): PreTokenizer | null {
  const normal = normalizers(json.normalizer);
  const splits = splitsIn(json.pre_tokenizer);
  if (normal === null || splits === null) return null;
  const ignoring = isObject(json.model) && json.model.ignore_merges === true;
  const composes = normal.includes('NFC');
  const same = NAMES.filter(
    (name) => splitsOf(name)!.join('\n') === splits.join('\n') && ignoresMerges(name) === ignoring,
  );
  const exact = same.find((name) => COMPOSED.includes(name) === composes);
  const name = exact ?? same[0];
  return name === undefined ? null : { name, composes, splitsMarks: MARKS.includes(name) };
}

/** Null for any that changes more than composing does. */
function normalizers(value: unknown): string[] | null {
  if (value === null || value === undefined) return [];
  if (!isObject(value)) return null;
  if (value.type === 'NFC') return ['NFC'];
  if (value.type !== 'Sequence') return null;
  const inside = list(value.normalizers).map(normalizers);
  return inside.includes(null) ? null : (inside as string[][]).flat();
}

/** The expressions one after another, each on the pieces of those before; null for what is none. */
function splitsIn(value: unknown): string[] | null {
  const steps = stepsOf(value);
  const last = steps.pop();
  if (!isObject(last) || last.type !== 'ByteLevel' || last.add_prefix_space !== false) return null;
  const splits = steps.map(splitOf);
  if (splits.includes(null)) return null;
  return [...(splits as string[]), ...(last.use_regex === false ? [] : splitsOf('gpt-2')!)];
}

const stepsOf = (value: unknown): unknown[] =>
  isObject(value) && value.type === 'Sequence' ? list(value.pretokenizers).flatMap(stepsOf) : [value];

function splitOf(step: unknown): string | null {
  if (!isObject(step)) return null;
  if (step.type === 'Digits' && step.individual_digits === true) return '\\p{N}';
  if (step.type !== 'Split' || !isObject(step.pattern)) return null;
  // The expressions here match all of a text, so that what they match is all that is left by the second.
  const isolated = step.behavior === 'Isolated' && step.invert === false;
  const kept = step.behavior === 'Removed' && step.invert === true;
  const { Regex: regex } = step.pattern;
  if (!(isolated || kept) || typeof regex !== 'string') return null;
  return regex.replaceAll("(?i:'s|'t|'re|'ve|'m|'ll|'d)", SHORT_FORMS).replaceAll('\r', '\\r').replaceAll('\n', '\\n');
}
