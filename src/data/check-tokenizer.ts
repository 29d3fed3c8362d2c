/**
 * Checks of tokenizer.json that come before the library reads it: it would build a table as long as the highest id, and
 * takes what it does not understand for something else.
 */
import { TabtuneError } from '../base/errors';
import { field, isRecord } from './raw-table';

/** The largest known vocabularies have about 260,000 entries. */
const MAX_VOCAB = 2 ** 24;
/** Kinds of model that the library runs, named as tokenizer.json names them. */
const MODELS = ['BPE', 'WordPiece', 'Unigram'];

/**
 * The highest id + 1. `embeddings` is the number of rows that the model has for them, where it is known. Added tokens may
 * go past it, as Gemma 3's for images do, and only a text that has one is refused.
 */
export function checkTokenizer(json: Record<string, unknown>, embeddings: number | null): number {
  const { model, added_tokens: added } = json;
  if (!isRecord(model)) throw badTokenizer('The tokenizer file has no model in it.', 'tokenizer.json has no "model"');
  const type = modelType(model);
  if (typeof type !== 'string' || !MODELS.includes(type)) {
    throw badTokenizer(
      'This model’s tokenizer is of a kind that Tabtune cannot run.',
      `model ${JSON.stringify(type).slice(0, 60)}; ${MODELS.join(', ')} are known`,
    );
  }
  const own = idsOf(model.vocab, type);
  if (own.length === 0) throw badTokenizer('The tokenizer file has an empty vocabulary.', 'no tokens');
  if (type === 'BPE') checkMerges(model.merges);
  const size = highest(own);
  if (embeddings !== null && size > embeddings) {
    throw badTokenizer(
      'This tokenizer has more words than the model knows: they do not belong together.',
      `ids up to ${size - 1}, vocab_size ${embeddings}`,
    );
  }
  return Math.max(size, highest(addedIds(added)));
}

/** Old files do not say which it is; RoBERTa's is one. */
export function modelType(model: Record<string, unknown>): unknown {
  return model.type ?? (Array.isArray(model.vocab) ? 'Unigram' : model.merges ? 'BPE' : 'WordPiece');
}

function idsOf(vocab: unknown, type: string): unknown[] {
  if (isRecord(vocab)) return Object.values(vocab);
  // Unigram lists its pieces with their scores, in the order of their ids.
  if (type === 'Unigram' && Array.isArray(vocab)) return vocab.length === 0 ? [] : [vocab.length - 1];
  throw badTokenizer('The tokenizer file has no vocabulary that can be read.', '"vocab" is no table of tokens and ids');
}

function highest(ids: readonly unknown[]): number {
  let size = 0;
  for (const id of ids) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= MAX_VOCAB) {
      throw badTokenizer('The tokenizer file has an impossible token id.', `id ${String(id)}`);
    }
    size = Math.max(size, (id as number) + 1);
  }
  return size;
}

/** Each merge joins two pieces: ["a", "b"] or "a b". */
function checkMerges(merges: unknown): void {
  if (!Array.isArray(merges))
    throw badTokenizer('The tokenizer file has no merges that can be read.', 'no list of merges');
  const at = merges.findIndex((merge) => {
    const pieces: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    return !Array.isArray(pieces) || pieces.length !== 2 || pieces.some((p) => typeof p !== 'string' || p === '');
  });
  if (at !== -1) {
    throw badTokenizer(
      'The tokenizer file has a merge that does not join two pieces.',
      `merges[${at}]: ${JSON.stringify(merges[at]).slice(0, 80)}`,
    );
  }
}

function addedIds(added: unknown): unknown[] {
  if (added === undefined || added === null) return [];
  if (!Array.isArray(added)) throw badTokenizer('The tokenizer file’s added tokens cannot be read.', 'no list');
  return added.map((token, i) => {
    const content = field(token, 'content');
    if (typeof content !== 'string' || content === '') {
      throw badTokenizer('The tokenizer file has an added token without a text.', `added_tokens[${i}]`);
    }
    return field(token, 'id');
  });
}

export function badTokenizer(message: string, details: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_model',
    message,
    where: 'tokenizer.json',
    action: 'Choose another model, or download this one’s files again.',
    details,
  });
}
