/** The tokens of a tokenizer.json by id, each with the type that llama.cpp gives it a meaning by. */
import { OTHER_MODEL, refuse } from '../../../base/bad-model';
import { contentOf, isObject, type Json, list } from './json';

export const NORMAL = 1;
export const UNKNOWN = 2;
export const CONTROL = 3;
export const USER_DEFINED = 4;
export const UNUSED = 5;
export const BYTE = 6;

export interface AddedToken {
  id: number;
  content: string;
  special: boolean;
  /** It takes the white space before or behind it away. */
  lstrip: boolean;
  rstrip: boolean;
}

export interface Vocabulary {
  /** As many as the embedding has rows. */
  tokens: string[];
  types: Int32Array;
  added: AddedToken[];
  /** Tokens that the embedding has no rows for. */
  beyond: number;
  idOf(content: string): number | null;
}

/**
 * Added tokens that are not called special although they steer the model (convert_hf_to_gguf.py, does_token_look_special). As control
 * tokens they are not recognised in what a person types.
 */
const looksSpecial = (token: string): boolean =>
  ['<pad>', '<mask>', '<2mass>', '[@BOS@]'].includes(token) || /^<\|.*\|>$|^<｜.*｜>$|^<unused.*>$/s.test(token);

const BYTE_TOKEN = /^<0x[0-9A-F]{2}>$/;

/** `rows` of the embedding. Throws `bad_model` for ids or texts that occur twice: llama.cpp ends the program then. */
export function vocabularyOf(json: Json, rows: number, sentencePiece: boolean): Vocabulary {
  const ids = new Map<string, number>();
  const tokens: (string | undefined)[] = new Array<undefined>(rows);
  const types = new Int32Array(rows).fill(UNUSED);
  const beyond = new Set<number>();
  const put = (id: number, token: string, type: number) => {
    if (id >= rows) {
      beyond.add(id);
      return;
    }
    tokens[id] = token;
    types[id] = type;
  };
  const vocab = isObject(json.model) && isObject(json.model.vocab) ? json.model.vocab : {};
  for (const [token, id] of Object.entries(vocab)) {
    if (!isId(id)) continue;
    ids.set(token, id);
    put(id, token, sentencePiece && BYTE_TOKEN.test(token) ? BYTE : NORMAL);
  }
  const unknown = sentencePiece && isObject(json.model) ? contentOf(json.model.unk_token) : null;
  if (unknown !== null && ids.has(unknown)) put(ids.get(unknown)!, unknown, UNKNOWN);
  const added: AddedToken[] = [];
  for (const token of list(json.added_tokens)) {
    const content = contentOf(token);
    if (!isObject(token) || !isId(token.id) || content === null) continue;
    ids.set(content, token.id);
    const special = token.special === true || looksSpecial(content);
    // Tokens that are searched for in the text itself have its spaces.
    const text = sentencePiece && !special ? content.replaceAll('▁', ' ') : content;
    put(token.id, text, special ? CONTROL : USER_DEFINED);
    if (token.id < rows) {
      added.push({ id: token.id, content, special, lstrip: token.lstrip === true, rstrip: token.rstrip === true });
    }
  }
  return {
    tokens: filled(tokens),
    types,
    added,
    beyond: beyond.size,
    idOf: (content) => idBelow(ids.get(content), rows),
  };
}

const isId = (id: unknown): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0;
const idBelow = (id: number | undefined, rows: number) => (id !== undefined && id < rows ? id : null);

/** Rows without a token get one that no text has. */
function filled(tokens: readonly (string | undefined)[]): string[] {
  const seen = new Map<string, number>();
  const all = Array.from(tokens, (token, id) => token ?? `[PAD${id}]`);
  for (const [id, token] of all.entries()) {
    const before = seen.get(token);
    if (before !== undefined) {
      refuse(
        'tokenizer.json',
        `Two tokens (${before} and ${id}) are written alike, “${token.slice(0, 40)}”, which llama.cpp does not take.`,
        OTHER_MODEL,
      );
    }
    seen.set(token, id);
  }
  return all;
}
