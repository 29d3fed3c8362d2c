/** Files of strangers whose reading takes long or much memory: archives, and large headers of weights. */
import { TabtuneError } from '../../base/errors';
import type { GgufTokenizer, TokenizerTexts } from '../../exports/gguf/tokenizer/section';
import { parseGgufHeader } from '../../formats/gguf';
import type { HeaderKind } from '../../formats/large-headers';
import { parseSafetensorsHeader, type ReadContext } from '../../formats/safetensors';
import { readZip, type ZipContext, type ZipEntry } from '../../formats/zip';

export interface ReadFilesApi {
  /** The wanted files of an archive. Nothing else is inflated. Throws `context.code`. */
  unzip(archive: Blob, wanted: RegExp, context: ZipContext): Promise<ZipEntry[]>;
  parseHeader(kind: HeaderKind, bytes: Uint8Array, args: unknown[]): unknown;
  /** Long lists are packed. Throws `bad_model`. */
  ggufTokenizer(texts: TokenizerTexts): Promise<GgufTokenizer>;
}

/** An archive is held in memory whole. */
const MOST_ARCHIVE_BYTES = 2 * 2 ** 30 - 1;

export const readFiles: ReadFilesApi = {
  async unzip(archive, wanted, context) {
    if (archive.size > MOST_ARCHIVE_BYTES) {
      throw new TabtuneError({
        code: context.code,
        message: `The archive has ${archive.size} bytes, more than the limit of 2 GB.`,
        where: context.where,
        action: 'Unpack it and drop the folder.',
      });
    }
    let bytes: ArrayBuffer;
    try {
      bytes = await archive.arrayBuffer();
    } catch (cause) {
      throw TabtuneError.from(cause, {
        code: context.code,
        message: 'The archive could not be read. It may have been changed, moved or deleted after you chose it.',
        where: context.where,
        action: 'Check that the file is still there, then open it again.',
      });
    }
    return readZip(new Uint8Array(bytes), context, (path) => wanted.test(path));
  },

  parseHeader(kind, bytes, args) {
    if (kind === 'gguf') return parseGgufHeader(bytes, ...(args as [fileSize: number, where: string]));
    return parseSafetensorsHeader(bytes, ...(args as [fileSize: number, context: ReadContext]));
  },

  async ggufTokenizer(texts) {
    const [{ ggufTokenizer }, { packed }] = await Promise.all([
      import('../../exports/gguf/tokenizer/section'),
      import('../../formats/gguf-write'),
    ]);
    const made = ggufTokenizer(texts);
    const pairs = made.pairs.map(([key, entry]): GgufTokenizer['pairs'][number] => [
      key,
      entry.type === 'strings' ? packed(key, entry) : entry,
    ]);
    return { ...made, pairs };
  },
};
