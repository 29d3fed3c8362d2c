/** Exports the open model with its adapter merged in, as a folder that transformers loads like any other model. */
import { TabtuneError } from '../base/errors';
import { mergedCard } from '../exports/merged-card';
import { readFamilyConfig } from '../families';
import { leavesModel, methodOf } from '../methods';
import { getRun } from '../storage/runs';
import type { AdapterSession } from './adapters';
import { folderName } from './adapters';
import type { MergedDtype, MergedExport, MergeProgress } from './api';
import type { DataHost } from './data-host';
import type { EngineHost } from './engine-host';
import { configText, DTYPE_NAMES, mergedConfig, mergedTokenizerConfig, tokenizerClassOf } from './merged-config';
import { type ModelSession, tokenizerFileNames } from './models';

export interface MergeNeeds {
  engine: EngineHost;
  data: DataHost;
  models: ModelSession;
  adapters: AdapterSession;
}

/** Texts on which the merged and unmerged models are compared: prose, a question, code, another script. */
const PROBES = [
  'The old lighthouse keeper climbed the stairs every evening and lit the lamp for the ships.',
  'What is the capital of France, and why is it famous?',
  'def add(a, b):\n    return a + b  # 1 + 2 = 3',
  'Größe, naïve façade; 東京 🙂 {"key": [1, 2.5, null]}',
];
/**
 * What else a tokenizer may come in. transformers reads tokenizer.json, but llama.cpp's converter needs the vocabulary of some
 * families (Gemma 2, Phi-3) as it was first published, with the tokens that were added to it.
 */
const VOCABULARIES = ['tokenizer.model', 'added_tokens.json'];
/** Bytes collected before they are moved into the Blob, which the browser can keep on disk. */
const GATHER_BYTES = 64 * 2 ** 20;

export async function exportMerged(
  { engine, data, models, adapters }: MergeNeeds,
  dtype: MergedDtype,
  onProgress: (progress: MergeProgress) => void = () => {},
  signal?: AbortSignal,
): Promise<MergedExport> {
  const model = models.require();
  const origin = engine.currentAdapter;
  const probes: Int32Array[] = [];
  for (const text of PROBES) {
    const ids = await data.encodePrompt(model.tokenizer, text);
    if (ids.length > 0) probes.push(ids.slice(0, model.info.contextLength));
  }
  let weights = new Blob();
  let gathered: ArrayBuffer[] = [];
  let size = 0;
  const gather = () => {
    weights = new Blob([weights, ...gathered]);
    gathered = [];
    size = 0;
  };
  const take = (piece: ArrayBuffer) => {
    gathered.push(piece);
    size += piece.byteLength;
    if (size >= GATHER_BYTES) gather();
  };
  const files: MergedExport['files'] = [];
  const text = (path: string, content: string) => files.push({ path, blob: new Blob([content]) });
  let tokenizerClass: string | null = null;
  const config = JSON.parse(await model.folder.text('config.json')) as Record<string, unknown>;
  const { report, check } = await engine.use(async (api) => {
    const report = await api.mergeModel(dtype, take, onProgress, signal);
    gather();
    if (weights.size !== report.bytes) {
      throw new TabtuneError({
        code: 'internal',
        message: 'The merged model is incomplete.',
        action: 'Export it again.',
        details: `${weights.size} of ${report.bytes} bytes`,
      });
    }
    files.push({ path: 'model.safetensors', blob: weights });
    const { padTokenId } = model.tokens;
    const { outputApart, task } = report;
    text('config.json', configText(mergedConfig(config, dtype, task, { outputApart, padTokenId })));
    for (const path of [...tokenizerFileNames, ...VOCABULARIES, 'generation_config.json']) {
      if (!model.folder.has(path)) continue;
      if (path !== 'tokenizer_config.json') files.push({ path, blob: new Blob([await model.folder.bytes(path)]) });
      else {
        const own = await model.folder.text(path);
        tokenizerClass = tokenizerClassOf(own);
        text(path, mergedTokenizerConfig(own, task !== null));
      }
    }
    const folder = files.map(({ path, blob }) => ({ path, file: blob }));
    return { report, check: await api.checkMerged({ dtype, files: folder, probes }, onProgress, signal) };
  });
  const notes = outputNotes(config, report.outputApart, model.info.headApart === true);
  const run = origin?.kind === 'run' ? origin : null;
  const record = run ? await getRun(run.runId) : null;
  if (run) text('recipe.json', `${JSON.stringify(run.recipe, null, 2)}\n`);
  const base = model.info.title;
  const kind = run && leavesModel(methodOf(run.recipe.method)) ? 'model' : 'merged';
  const name = folderName(`${run?.recipe.name ?? (origin?.kind === 'files' ? origin.name : base)}-${kind}`);
  text(
    'README.md',
    mergedCard({
      name,
      run: record ? await adapters.card(record, model) : null,
      base,
      licence: model.info.licence,
      adapter: origin !== null,
      dtype: DTYPE_NAMES[dtype],
      stored: model.info.dtype,
      maxLogitDifference: check.maxLogitDifference,
      largestLogit: check.largestLogit,
      notes,
      texts: probes.length,
      folder: {
        family: model.info.architecture,
        files: files.map(({ path }) => path),
        // The built-in model's was made for it.
        tokenizerClass,
        knownTokenizer: model.source.startsWith('builtin:') ? false : null,
      },
    }),
  );
  const bytes = files.reduce((sum, { blob }) => sum + blob.size, 0);
  return { name, files, bytes, maxLogitDifference: check.maxLogitDifference, notes };
}

/** What a person should know about the files, a sentence each. */
function outputNotes(json: Record<string, unknown>, outputApart: boolean, apartBefore: boolean): string[] {
  const { tie_word_embeddings: tied } = readFamilyConfig(json).config;
  return outputApart && tied
    ? [
        `The output projection of this model is ${apartBefore ? 'not its embedding, in the base neither' : 'no longer its embedding, as it is in the base'}: the file holds both, and config.json says so (tie_word_embeddings: false).`,
      ]
    : [];
}
