/** What a GGUF file that was opened hands on to the one that is made of it, byte for byte. */
import { refuse } from '../../base/bad-model';
import { ggufOf } from '../../families/gguf';
import type { ModelFolder } from '../../hub/types';
import type { GgufPairs } from './entries';
import type { GgufTokenizer } from './tokenizer/section';

type Raw = NonNullable<ModelFolder['rawMetadata']>;

const pairsOf = (raw: Raw, which: (key: string) => boolean): Promise<GgufPairs> =>
  Promise.all(
    raw.keys
      .filter(which)
      .map(async (key): Promise<GgufPairs[number]> => [key, { type: 'raw', bytes: await raw.bytes(key) }]),
  );

/** What is still true of the model with other weights. Who made it, and when, is not. */
export const keptGeneral = (raw: Raw): Promise<GgufPairs> =>
  pairsOf(raw, (key) => /^general\.(size_label|languages|license(\.\w+)?|sampling\.\w+)$/.test(key));

/** Null for a model that did not come in a GGUF file. `rows`: of the embedding, of which each token has one. */
export async function keptTokenizer(
  { rawMetadata, vocabulary }: ModelFolder,
  family: string,
  rows: number,
): Promise<GgufTokenizer | null> {
  if (!rawMetadata || !vocabulary) return null;
  const tokens = vocabulary.tokens.ends.length;
  if (tokens !== rows) {
    refuse(
      'tokenizer.ggml.tokens',
      `The GGUF file that was opened has ${tokens} tokens, and the model now ${rows} rows for them.`,
      'Export the model for transformers instead, or the adapter alone.',
    );
  }
  return {
    pairs: await pairsOf(rawMetadata, (key) => key.startsWith('tokenizer.')),
    // A vocabulary with scores is SentencePiece's.
    swallowsSpace: vocabulary.scores !== null && ggufOf(family)?.swallowsSpace !== undefined,
    hasTemplate: rawMetadata.keys.includes('tokenizer.chat_template'),
    notes: [],
  };
}
