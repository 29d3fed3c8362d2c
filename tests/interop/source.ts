/** What exports are made of, with the engine on tfjs's CPU backend in place of a session's worker. */
import type { LanguageModel } from '../../src/engine/models/model';
import type { ExportJob, ExportSource } from '../../src/exports/export';
import { ggufTokenizer } from '../../src/exports/gguf/tokenizer/section';
import { readGgufAdapter } from '../../src/formats/gguf-adapter';
import type { CheckedModel } from '../../src/hub/check';
import { summarizeModel } from '../../src/hub/summary';
import type { Recipe } from '../../src/recipe/types';
import { tokenizerFiles } from '../../src/session/tokenizer-files';
import { adapterFiles, adapterNotes } from '../../src/workers/engine/adapter-files';
import { adapterModel } from '../../src/workers/engine/adapter-model';
import type { HeadSource, OpenAdapter } from '../../src/workers/engine/adapters';
import { tensorsOf } from '../../src/workers/engine/merge';
import type { MergeModel } from '../../src/workers/engine/merged-tensors';
import { proveAdapter, proveModel } from '../../src/workers/engine/prove';
import { writeModel } from '../../src/workers/engine/write-model';

export const quietJob: ExportJob = { onProgress: () => {} };

export interface OnBase {
  base: LanguageModel;
  checked: CheckedModel;
  head?: HeadSource;
  /** What adapters call it. */
  baseName: string;
  recipe: Recipe;
  /** Texts, as token ids, on which files are compared with the model. */
  texts: Int32Array[];
}

export async function sourceOf(open: OpenAdapter, on: OnBase): Promise<ExportSource> {
  const { checked, recipe, base } = on;
  const merged: MergeModel = { checked, model: open.model, method: open.method };
  const names = { name: on.baseName, revision: null };
  let written = 0;
  return {
    exported: { method: open.settings, objective: open.objective, family: checked.config.model_type },
    name: recipe.name,
    fileName: recipe.name,
    hasAdapter: true,
    recipe,
    card: null,
    model: {
      info: await summarizeModel(checked),
      folder: checked.folder,
      config: checked.json,
      base: names,
      licence: null,
      padTokenId: 1,
      endTokenIds: [],
      quantization: 'none',
    },
    promptStyle: async () => ({ plainChat: false, separator: '\n' }),
    tensors: async () => tensorsOf(merged),
    async ggufTokenizer(rows) {
      const { tokenizerJson, ...texts } = await tokenizerFiles(checked.folder);
      if (typeof tokenizerJson !== 'string') throw new Error('The vocabulary of a GGUF file is its own.');
      const { folder } = checked;
      const model = folder.has('tokenizer.model') ? new Uint8Array(await folder.bytes('tokenizer.model')) : null;
      return ggufTokenizer({
        ...texts,
        tokenizerJson,
        config: checked.json,
        sentencePiece: model,
        rows,
        endTokenIds: [],
      });
    },
    adapter: async () => ({ files: await adapterFiles(open, names), notes: adapterNotes(open, base) }),
    writeModel: (layout, { onProgress, signal }) =>
      writeModel(merged, layout, { folder: 'test', name: `weights-${++written}` }, onProgress, signal),
    proveModel: (files, tolerance, { onProgress, signal }) => {
      const dropped = files.map(({ path, blob }) => ({ path, file: blob }));
      return proveModel(merged, dropped, { texts: on.texts, tolerance }, onProgress, signal);
    },
    async proveAdapter(files, tolerance, { onProgress, signal }) {
      const read = await Promise.all(
        files.map(async ({ path, blob }) => ({ path, bytes: new Uint8Array(await blob.arrayBuffer()) })),
      );
      // By the door through which a person would bring them in.
      const [only] = read;
      const adapter = only!.path.endsWith('.gguf') ? readGgufAdapter(only!, adapterModel(base)) : read;
      return proveAdapter(merged, base, adapter, on.head ?? {}, { texts: on.texts, tolerance }, onProgress, signal);
    },
  };
}
