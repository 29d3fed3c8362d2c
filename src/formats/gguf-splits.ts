/**
 * How byte-level vocabularies split text before merging. GGUF files give only a name (`tokenizer.ggml.pre`). The
 * expressions come from the models' tokenizer.json files, as listed in llama.cpp's llama-vocab.cpp. Each expression
 * splits the pieces of the previous one, and text it does not match stays a separate piece. Case-insensitive groups are
 * spelled out for older engines.
 */
export const SHORT_FORMS = "'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])";
const SPACES = '\\s+(?!\\S)|\\s+';

const gpt2 = [`'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|${SPACES}`];
const singleDigits = ['\\p{N}', ...gpt2];
const words = (digits: string, letters = '\\p{L}', marks = '\\p{L}') => [
  `${SHORT_FORMS}|[^\\r\\n\\p{L}\\p{N}]?${letters}+|${digits}| ?[^\\s${marks}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|${SPACES}`,
];
const llama3 = words('\\p{N}{1,3}');
const qwen2 = words('\\p{N}');
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const cased = (ending: string, digits: string) => [
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${ending}|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${ending}` +
    `|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|${SPACES}`,
];
const deepseek3 = [
  '\\p{N}{1,3}',
  '[一-龥぀-ゟ゠-ヿ]+',
  '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+' +
    `| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|${SPACES}`,
];

const BY_NAME = new Map<string, readonly string[]>();
for (const [names, splits] of [
  ['gpt-2 phi-2 mpt olmo jina-es jina-de roberta-bpe a.x-4.0 mellum gigachat trillion granite-docling', gpt2],
  ['smollm starcoder refact command-r codeshell exaone minerva-7b', singleDigits],
  ['llama-bpe llama3 llama-v3 falcon3 pixtral midm-2.0 lfm2 smaug-bpe dbrx', llama3],
  ['qwen2 stablelm2 deepseek-r1-qwen kormo megrez hunyuan', qwen2],
  ['qwen35', words('\\p{N}', '[\\p{L}\\p{M}]', '\\p{L}\\p{M}')],
  ['tekken', cased('', '\\p{N}')],
  ['gpt-4o llama4 kanana2', cased(`(?:${SHORT_FORMS})?`, '\\p{N}{1,3}')],
  ['deepseek-coder', ['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', '[一-龥ࠀ-一가-퟿]+', '\\p{N}']],
  ['deepseek-v3 deepseek-r1', deepseek3],
  // llama.cpp's fallback for files without a name.
  ['default', ['[\\p{P}$+<=>^~|]+', gpt2[0]!, '\\p{N}+', '[0-9][0-9][0-9]']],
] as const) {
  for (const name of names.split(' ')) BY_NAME.set(name, splits);
}

/** The expressions of a pre-tokeniser; undefined if its name is unknown. */
export const splitsOf = (pre: string): readonly string[] | undefined => BY_NAME.get(pre);

export const knownSplits: readonly string[] = [...BY_NAME.keys()];

/** Vocabularies in which a whole word that is a token is used before any merges. */
export const ignoresMerges = (pre: string): boolean =>
  ['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'pixtral', 'midm-2.0', 'lfm2', 'tekken'].includes(pre);

/** Vocabularies whose tokeniser applies NFC first (composing é from e and ´), which GGUF files do not record. */
export const composes = (pre: string): boolean => pre === 'qwen2' || pre === 'olmo';
