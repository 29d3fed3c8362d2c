/** How a tokenizer's files spell the tokens that end and fill texts. */
import { parseUntrusted } from '../../../base/json';
import type { ExportSource } from '../../export';

export interface SpecialTokens {
  /** Null if the files name none. */
  eos: string | null;
  /** False if a trainer has to be told what to pad with. */
  hasPad: boolean;
  /** Whether a space is put in front of this text when it is tokenised by itself, which it does not have inside a longer one. */
  prefixes(text: string): boolean;
  /** The spelling of an id; null for one that is no added token. */
  spelled(id: number): string | null;
}

type Folder = Pick<ExportSource['model']['folder'], 'has' | 'text'>;

async function json(folder: Folder, name: string): Promise<Record<string, unknown>> {
  if (!folder.has(name)) return {};
  const value = parseUntrusted((await folder.text(name)).replace(/^\uFEFF/, ''));
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** `"</s>"`, or `{"content": "</s>"}`. */
const contentOf = (value: unknown): string | null => {
  if (typeof value === 'string') return value;
  const content = (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : null;
};

interface Step {
  type?: unknown;
  prepend_scheme?: unknown;
  add_prefix_space?: unknown;
}

/** A step of tokenizer.json, or those of a sequence. */
function steps(given: unknown, list: 'normalizers' | 'pretokenizers'): Step[] {
  const step = (given ?? {}) as Step & { [K in typeof list]?: unknown };
  const inside = step[list];
  return Array.isArray(inside) ? (inside as Step[]) : [step];
}

/** All but the first put no second space before one. */
const prefixes = ({ type, prepend_scheme, add_prefix_space }: Step, text: string): boolean =>
  type === 'Prepend' ||
  (!text.startsWith(' ') &&
    (type === 'Metaspace'
      ? prepend_scheme !== 'never' && add_prefix_space !== false
      : type === 'ByteLevel' && add_prefix_space === true));

export async function specialTokens(folder: Folder): Promise<SpecialTokens> {
  const [map, config, tokenizer] = await Promise.all([
    json(folder, 'special_tokens_map.json'),
    json(folder, 'tokenizer_config.json'),
    json(folder, 'tokenizer.json'),
  ]);
  const named = (key: string) => contentOf(map[key]) ?? contentOf(config[key]);
  const added = (Array.isArray(tokenizer.added_tokens) ? tokenizer.added_tokens : []) as {
    id?: unknown;
    content?: unknown;
  }[];
  const prefixing = [...steps(tokenizer.normalizer, 'normalizers'), ...steps(tokenizer.pre_tokenizer, 'pretokenizers')];
  return {
    eos: named('eos_token'),
    hasPad: named('pad_token') !== null,
    prefixes: (text) => prefixing.some((step) => prefixes(step, text)),
    spelled: (id) => contentOf(added.find((token) => token.id === id)?.content),
  };
}
