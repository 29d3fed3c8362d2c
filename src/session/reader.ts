/**
 * A second data worker, for files that are being opened: it must not wait for a dataset that is being tokenised, and one that
 * hangs must not take that with it. Started on demand, and stopped after some idle time.
 */
import type { GgufTokenizer, TokenizerTexts } from '../exports/gguf/tokenizer/section';
import type { HeaderKind } from '../formats/large-headers';
import type { ZipContext, ZipEntry } from '../formats/zip';
import type { Connection } from '../rpc/rpc';
import type { DataWorkerApi } from '../workers/data/edit-dataset';

const IDLE_MS = 30_000;
const UNZIP_MS = 120_000;
const HEADER_MS = 60_000;
const TOKENIZER_MS = 120_000;

export class Reader {
  private connection: Connection<DataWorkerApi> | null = null;
  private idle: ReturnType<typeof setTimeout> | undefined;
  private atWork = 0;

  constructor(private readonly start: () => Connection<DataWorkerApi>) {}

  unzip(archive: Blob, wanted: RegExp, context: ZipContext): Promise<ZipEntry[]> {
    return this.ask((worker) =>
      worker
        .within(UNZIP_MS, {
          message: 'Unpacking the archive took longer than two minutes and was stopped.',
          where: context.where,
          action: 'Unpack it and drop the folder.',
        })
        .unzip(archive, wanted, context),
    );
  }

  parseHeader = (kind: HeaderKind, bytes: Uint8Array, args: unknown[]): Promise<unknown> =>
    this.ask((worker) =>
      worker
        .within(HEADER_MS, {
          message: 'Reading the list of tensors took longer than a minute and was stopped.',
          where: kind,
          action: 'Get a fresh copy of the file, or choose another model.',
        })
        .parseHeader(kind, bytes, args),
    );

  ggufTokenizer(texts: TokenizerTexts): Promise<GgufTokenizer> {
    return this.ask((worker) =>
      worker
        .within(TOKENIZER_MS, {
          message: 'Writing the tokeniser for llama.cpp took longer than two minutes and was stopped.',
          where: 'tokenizer.json',
          action: 'Export the model for transformers instead.',
        })
        .ggufTokenizer(texts),
    );
  }

  close(): void {
    clearTimeout(this.idle);
    this.connection?.terminate();
    this.connection = null;
  }

  private async ask<T>(work: (worker: Connection<DataWorkerApi>) => Promise<T>): Promise<T> {
    clearTimeout(this.idle);
    this.atWork++;
    try {
      if (!this.connection || this.connection.death) this.connection = this.start();
      return await work(this.connection);
    } finally {
      this.atWork--;
      if (this.atWork === 0) {
        this.idle = setTimeout(() => this.close(), IDLE_MS);
        // A timer alone must not keep a script alive.
        (this.idle as { unref?: () => void }).unref?.();
      }
    }
  }
}
