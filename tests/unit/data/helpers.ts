import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { parseDataset } from '../../../src/data/parse';
import type { TokenizerFiles } from '../../../src/data/tokenizer-files';
import type { ParsedDataset, TokenizedExample } from '../../../src/data/types';
import type { ReadingSection } from '../../../src/recipe/sections';
import type { DatasetSection } from '../../../src/recipe/types';
import type { DataApi } from '../../../src/workers/data/api';
import { createDataApi } from '../../../src/workers/data/service';

const ROOT = new URL('../../../', import.meta.url);

export const utf8 = (text: string) => new TextEncoder().encode(text);

export function parse(
  name: string,
  content: string | Uint8Array,
  section: Partial<ReadingSection> = {},
): ParsedDataset {
  const bytes = typeof content === 'string' ? utf8(content) : content;
  return parseDataset(name, bytes, { format: 'auto', columns: null, ...section });
}

/** Returns the TabtuneError that `run` throws. Anything else fails the test. */
export function errorOf(run: () => unknown): TabtuneError {
  try {
    run();
  } catch (error) {
    if (error instanceof TabtuneError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

export const codes = (dataset: { problems: { code: string; row?: number }[] }) =>
  dataset.problems.map((p) => (p.row === undefined ? p.code : `${p.code}@${p.row}`));

/** A tokeniser's files, from a folder relative to the repository root. */
export function tokenizerFiles(folder: string, changes: Partial<TokenizerFiles> = {}): TokenizerFiles {
  const read = (file: string) => {
    try {
      return readFileSync(new URL(`${folder}/${file}`, ROOT), 'utf8');
    } catch {
      return null;
    }
  };
  return {
    tokenizerJson: read('tokenizer.json')!,
    tokenizerConfig: read('tokenizer_config.json'),
    chatTemplate: read('chat_template.jinja'),
    specialTokensMap: read('special_tokens_map.json'),
    generationConfig: read('generation_config.json'),
    ...changes,
  };
}

export const STORIES = 'public/models/stories';

/** The stories tokeniser without its chat template, as for a base model. */
export function baseFiles(): TokenizerFiles {
  const files = tokenizerFiles(STORIES);
  const { chat_template: _, ...config } = JSON.parse(files.tokenizerConfig!);
  return { ...files, tokenizerConfig: JSON.stringify(config) };
}

/** A BERT-like tokeniser: [CLS] (2) at the start, [SEP] (3) at the end, [MASK] (4), and the given words from 5. */
export function bertFiles(words: readonly string[]): TokenizerFiles {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
  const flags = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false };
  const around = (content: string, id: number) => ({ id: content, ids: [id], tokens: [content] });
  return {
    tokenizerConfig: JSON.stringify({ mask_token: '[MASK]', pad_token: '[PAD]' }),
    specialTokensMap: null,
    generationConfig: null,
    chatTemplate: null,
    tokenizerJson: JSON.stringify({
      added_tokens: special.map((content, id) => ({ id, content, ...flags })),
      normalizer: { type: 'BertNormalizer', clean_text: true, lowercase: true },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      // As in all-MiniLM-L6-v2's file. Both must be ignored, because they are up to the caller.
      truncation: { max_length: 3, strategy: 'LongestFirst', stride: 0 },
      padding: { strategy: { Fixed: 8 }, direction: 'Right', pad_id: 0, pad_type_id: 0, pad_token: '[PAD]' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [
          { SpecialToken: { id: '[CLS]', type_id: 0 } },
          { Sequence: { id: 'A', type_id: 0 } },
          { SpecialToken: { id: '[SEP]', type_id: 0 } },
        ],
        pair: [],
        special_tokens: { '[CLS]': around('[CLS]', 2), '[SEP]': around('[SEP]', 3) },
      },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        vocab: Object.fromEntries([...special, ...words].map((token, id) => [token, id])),
      },
    }),
  };
}

export function apiWith(files: TokenizerFiles, name: string, content: string): DataApi {
  const api = createDataApi();
  api.openTokenizer(files);
  api.parse(name, utf8(content).buffer as ArrayBuffer, { format: 'auto', columns: null });
  return api;
}

/** The examples, which must all be of this kind. */
export function allOf<K extends TokenizedExample['kind']>(kind: K, examples: readonly TokenizedExample[]) {
  expect([...new Set(examples.map((example) => example.kind))]).toEqual([kind]);
  return examples as Extract<TokenizedExample, { kind: K }>[];
}

export const section = (changes: Partial<DatasetSection> = {}): DatasetSection => ({
  source: 'file:test',
  format: 'auto',
  columns: null,
  merge_labels: false,
  encoding: 'auto',
  table: null,
  replace_personal: [],
  drop_personal: [],
  near_duplicates: 'keep',
  validation_leaks: 'allow',
  leave_out_rows: null,
  max_samples: null,
  mix: {},
  validation_split: 0,
  shuffle: true,
  max_length: 'auto',
  packing: false,
  system_fallback: 'first_question',
  templated_text: 'ask',
  base_text: null,
  ...changes,
});

export const jsonl = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');
