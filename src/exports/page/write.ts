/**
 * Writes a page: the base's files as they are with the adapter beside them, which is exact and smallest; a method that trains the
 * model itself leaves a model, which goes along in full precision. Large files are cut into parts, one in memory at a time.
 */
import { pageUrl } from '../../base/page-url';
import { leavesModel, methodOf } from '../../methods';
import { methodWords } from '../card-use';
import type { ExportedFile, ExportJob, ExportResult, ExportSource, ExportWriter, Proof } from '../export';
import { systemNotes } from '../system-note';
import { mergedWriter } from '../write-merged';
import { formOf } from './form';
import { ADAPTER_FOLDER, MODEL_FOLDER, type PageGeneration, type PageManifest } from './manifest';
import type { PageOptions } from './options';
import { cut, type LargeFile, largeFile } from './parts';
import { pageReadme, publishingNotes } from './readme';
import { type OwnFile, ownFiles, siteFiles } from './site';

/** As Compare begins, with room for longer answers. */
const GENERATION: PageGeneration = { maxNewTokens: 256, temperature: 0, topP: 0.95, seed: 0 };
/** The adapter is read from its own files, so only the order of additions may differ. */
const TOLERANCE = { logits: 1e-3 };
const PLAIN = { plainChat: false, separator: '\n' };
const STYLE_UNKNOWN =
  'The data of this run are no longer stored here, so the page writes prompts as plain text. If the run learned from chats, add its data again and export the page again.';
const WEIGHTS = /\.(safetensors|gguf)$/i;
const SINGLE = 'model.safetensors';
/** Besides the weights, what opens the model and writes its prompts; of the base's licence, its text. */
const NEEDED = /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|.*\.index)\.json$|\.jinja$/;
const LICENCE = /^(licen[cs]e|notice)(\.(md|txt))?$/i;
const UNNEEDED = new Set(['README.md', 'recipe.json', 'tokenizer.model', 'added_tokens.json']);

export const writePage: ExportWriter = (source, job) => writePageWith(source, job, ownFiles(pageUrl()));

export async function writePageWith(source: ExportSource, job: ExportJob, own: OwnFile): Promise<ExportResult> {
  const model = await modelFiles(source, job);
  const { listed, files } = await cut(model.files, job);
  const style = await source.promptStyle();
  const shared = job.page?.system === undefined ? ((await source.chats?.system()) ?? null) : null;
  const system = job.page?.system ?? shared ?? '';
  const manifest = { ...about(source, job.page ?? {}), system, style: style ?? PLAIN, files: listed };
  const held = systemNotes(shared, 'in page.json, where every visitor can read it');
  const notes = [...model.notes, ...(style ? [] : [STYLE_UNKNOWN]), ...held, ...publishingNotes(manifest)];
  const readme = { path: 'README.md', blob: new Blob([pageReadme(manifest, notes)]) };
  // GitHub Pages would otherwise look through all files for its own templates.
  const raw = { path: '.nojekyll', blob: new Blob() };
  const site = await siteFiles(own, manifest);
  return { files: [...site, readme, raw, ...files], notes, proof: model.proof };
}

function about(source: ExportSource, page: Partial<PageOptions>): Omit<PageManifest, 'files' | 'style' | 'system'> {
  const { exported, model, name, hasAdapter } = source;
  const form = formOf(exported);
  if (!form) throw new Error(`A page cannot be made of the objective ${exported.objective}.`);
  const lines = (page.prompts ?? []).map((prompt) => prompt.trim()).filter((prompt) => prompt !== '');
  return {
    version: 1,
    title: page.title?.trim() || name,
    about: page.about?.trim() ?? '',
    prompts: [...new Set(lines)],
    form,
    generation: { ...GENERATION, ...page.generation },
    quantization: model.quantization,
    model: {
      name,
      base: model.base.name,
      licence: model.licence,
      trained: hasAdapter ? methodWords(exported) : null,
    },
    madeWith: `Tabtune ${typeof __TABTUNE_VERSION__ === 'string' ? __TABTUNE_VERSION__ : '0'}`,
  };
}

interface ModelFiles {
  files: LargeFile[];
  notes: string[];
  proof: Proof | null;
}

const below = (folder: string, { path, blob }: ExportedFile): LargeFile => largeFile({ path: folder + path, blob });

async function modelFiles(source: ExportSource, job: ExportJob): Promise<ModelFiles> {
  if (source.hasAdapter && leavesModel(methodOf(source.exported.method))) {
    const { files, notes, proof } = await mergedWriter('F32')(source, job);
    const needed = files.filter(({ path }) => !UNNEEDED.has(path));
    return { files: needed.map((file) => below(MODEL_FOLDER, file)), notes, proof };
  }
  const base = await baseFiles(source);
  if (!source.hasAdapter) return { files: base, notes: [], proof: null };
  const { files, notes } = await source.adapter();
  const adapter = files.map(({ path, bytes }) => ({ path, blob: new Blob([bytes as BlobPart]) }));
  const proof = await source.proveAdapter(adapter, TOLERANCE, job);
  return { files: [...base, ...adapter.map((file) => below(ADAPTER_FOLDER, file))], notes, proof };
}

/** The base's own files, read piece by piece. Everything but the file itself is made from a GGUF file when it is opened. */
async function baseFiles({ model: { folder } }: ExportSource): Promise<LargeFile[]> {
  const gguf = folder.tensors !== undefined;
  const weights = folder.files.filter((name) => WEIGHTS.test(name));
  const chosen = gguf ? weights : folder.has(SINGLE) ? [SINGLE] : weights;
  const wanted = new Set(chosen);
  for (const name of folder.files) if (LICENCE.test(name) || (!gguf && NEEDED.test(name))) wanted.add(name);
  return Promise.all([...wanted].map(async (name) => baseFile(folder, name)));
}

async function baseFile(folder: ExportSource['model']['folder'], name: string): Promise<LargeFile> {
  const path = MODEL_FOLDER + name;
  const size = folder.size(name);
  if (size !== undefined) return { path, size, read: (start, end) => folder.bytes(name, start, end) };
  return largeFile({ path, blob: new Blob([await folder.bytes(name)]) });
}
