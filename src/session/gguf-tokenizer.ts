/** The tokenizer section of a GGUF file, from the files of an open model. */
import { TabtuneError } from '../base/errors';
import type { GgufTokenizer, TokenizerTexts } from '../exports/gguf/tokenizer/section';
import type { ModelFolder } from '../hub/types';
import type { Reader } from './reader';
import { tokenizerFiles } from './tokenizer-files';

/** Gemma's has 4 MB. */
const MOST_SENTENCEPIECE_BYTES = 32 * 2 ** 20;
const SENTENCEPIECE = 'tokenizer.model';

/** Throws `bad_model` for a tokenizer that llama.cpp does not have. */
export async function ggufTokenizerOf(
  folder: ModelFolder,
  model: Pick<TokenizerTexts, 'rows' | 'endTokenIds'>,
  reader: Reader,
): Promise<GgufTokenizer> {
  const { tokenizerJson, embeddings: _, ...texts } = await tokenizerFiles(folder);
  if (typeof tokenizerJson !== 'string') {
    // A GGUF file hands on its own section.
    throw new TabtuneError({ code: 'internal', message: 'The vocabulary of a GGUF file was to be made anew.' });
  }
  const size = folder.has(SENTENCEPIECE) ? (folder.size(SENTENCEPIECE) ?? 0) : Number.POSITIVE_INFINITY;
  return reader.ggufTokenizer({
    ...texts,
    tokenizerJson,
    config: JSON.parse(await folder.text('config.json')) as Record<string, unknown>,
    sentencePiece: size <= MOST_SENTENCEPIECE_BYTES ? new Uint8Array(await folder.bytes(SENTENCEPIECE)) : null,
    ...model,
  });
}
