/**
 * Checks tokenizer.json before the library reads it. The library would build a table as long as the highest id, and
 * would misinterpret what it does not know.
 */
import { show } from '../base/bad-model';
import { TabtuneError } from '../base/errors';
import { field, isRecord } from './raw-table';

/** The largest known vocabularies have about 260,000 entries. */
const MAX_VOCAB = 2 ** 24;
/** The model types that the library supports, as named in tokenizer.json. */
const MODELS = ['BPE', 'WordPiece', 'Unigram'];

/**
 * Returns the highest id + 1. `embeddings` is the number of rows in the model's embedding, if known. Added tokens may
 * exceed it, like Gemma 3's image tokens; then only texts that contain one are refused.
 */
export function checkTokenizer(json: Record<string, unknown>, embeddings: number | null): number {
  const { model, added_tokens: added } = json;
  if (!isRecord(model)) throw badTokenizer('tokenizer.json has no model.', '"model" is missing');
  const type = modelType(model);
  if (typeof type !== 'string' || !MODELS.includes(type)) {
    throw badTokenizer(
      'This model’s type of tokeniser is not supported.',
      `model ${JSON.stringify(type).slice(0, 60)}; ${MODELS.join(', ')} are supported`,
    );
  }
  const own = idsOf(model.vocab, type);
  if (own.length === 0) throw badTokenizer('tokenizer.json has an empty vocabulary.', 'no tokens');
  if (type === 'BPE') checkMerges(model.merges);
  const size = highest(own);
  if (embeddings !== null && size > embeddings) {
    throw badTokenizer(
      'This tokeniser has more tokens than the model, so they do not belong together.',
      `ids up to ${size - 1}, vocab_size ${embeddings}`,
    );
  }
  return Math.max(size, highest(addedIds(added)));
}

/** Old files, such as RoBERTa's, do not say which type it is. */
export function modelType(model: Record<string, unknown>): unknown {
  return model.type ?? (Array.isArray(model.vocab) ? 'Unigram' : model.merges ? 'BPE' : 'WordPiece');
}

function idsOf(vocab: unknown, type: string): unknown[] {
  if (isRecord(vocab)) return Object.values(vocab);
  // Unigram lists its tokens with their scores, in id order.
  if (type === 'Unigram' && Array.isArray(vocab)) return vocab.length === 0 ? [] : [vocab.length - 1];
  throw badTokenizer('tokenizer.json has no readable vocabulary.', '"vocab" is not a table of tokens and ids');
}

function highest(ids: readonly unknown[]): number {
  let size = 0;
  for (const id of ids) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= MAX_VOCAB) {
      throw badTokenizer('tokenizer.json has an invalid token id.', `id ${show(id)}`);
    }
    size = Math.max(size, (id as number) + 1);
  }
  return size;
}

/** Each merge joins two tokens: ["a", "b"] or "a b". */
function checkMerges(merges: unknown): void {
  if (!Array.isArray(merges)) throw badTokenizer('tokenizer.json has no readable merges.', '"merges" is not a list');
  const at = merges.findIndex((merge) => {
    const pieces: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    return !Array.isArray(pieces) || pieces.length !== 2 || pieces.some((p) => typeof p !== 'string' || p === '');
  });
  if (at !== -1) {
    throw badTokenizer(
      'tokenizer.json has a merge that does not join two tokens.',
      `merges[${at}]: ${JSON.stringify(merges[at]).slice(0, 80)}`,
    );
  }
}

function addedIds(added: unknown): unknown[] {
  if (added === undefined || added === null) return [];
  if (!Array.isArray(added))
    throw badTokenizer('The added tokens in tokenizer.json cannot be read.', '"added_tokens" is not a list');
  return added.map((token, i) => {
    const content = field(token, 'content');
    if (typeof content !== 'string' || content === '') {
      throw badTokenizer('tokenizer.json has an added token without text.', `added_tokens[${i}]`);
    }
    return field(token, 'id');
  });
}

export function badTokenizer(message: string, details: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_model',
    message,
    where: 'tokenizer.json',
    action: 'Download the model’s files again, or choose another model.',
    details,
  });
}
