/** What a GGUF file that was opened hands on to the one that is made of it, byte for byte. */
import { refuse } from '../../base/bad-model';
import { ggufOf } from '../../families/gguf';
import { stringAt } from '../../formats/gguf';
import type { ModelFolder } from '../../hub/types';
import { type GgufPairs, uint32 } from './entries';
import { parseJson } from './tokenizer/json';
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

/**
 * Null for a model that did not come in a GGUF file. `rows`: of the embedding, of which each token has one. Nothing in the section is
 * changed; what it lacks to end an answer is added.
 */
export async function keptTokenizer(
  folder: ModelFolder,
  family: string,
  { rows, endTokenIds }: { rows: number; endTokenIds: readonly number[] },
): Promise<GgufTokenizer | null> {
  const { rawMetadata, vocabulary } = folder;
  if (!rawMetadata || !vocabulary) return null;
  const tokens = vocabulary.tokens.ends.length;
  if (tokens !== rows) {
    refuse(
      'tokenizer.ggml.tokens',
      `The GGUF file that was opened has ${tokens} tokens, and the model now ${rows} rows for them.`,
      'Export the model for transformers instead, or the adapter alone.',
    );
  }
  // The end of a text, of a turn and of a message, as the file names them.
  const named = parseJson(await folder.text('generation_config.json')).eos_token_id;
  const known = new Set([vocabulary.eos, ...(Array.isArray(named) ? named : [named])]);
  const unnamed = endTokenIds.find((id) => id < tokens && !known.has(id));
  const adds = unnamed !== undefined && !rawMetadata.keys.includes(EOT);
  return {
    pairs: [
      ...(await pairsOf(rawMetadata, (key) => key.startsWith('tokenizer.'))),
      ...(adds ? ([[EOT, uint32(unnamed)]] as GgufPairs) : []),
    ],
    // A vocabulary with scores is SentencePiece's.
    swallowsSpace: vocabulary.scores !== null && ggufOf(family)?.swallowsSpace !== undefined,
    hasTemplate: rawMetadata.keys.includes('tokenizer.chat_template'),
    notes: unnamed === undefined ? [] : [endNote(stringAt(vocabulary.tokens, unnamed) ?? '', unnamed, adds)],
  };
}

const EOT = 'tokenizer.ggml.eot_token_id';

const endNote = (token: string, id: number, added: boolean): string =>
  added
    ? `The base’s GGUF file does not say that ${token} ends an answer, so \`${EOT}\` was added to its tokenizer section; the rest of the section is unchanged.`
    : `The tokenizer section is that of the base’s GGUF file, byte for byte. It names another token than ${token} as the end of a turn, so llama.cpp may not stop after an answer: run it with \`--override-kv ${EOT}=int:${id}\`.`;
