/** Writes the folder of an adapter: weights, config, tokeniser, recipe and model card. */
import type { ExportResult, ExportWriter } from './export';
import { modelCard } from './model-card';
import { builtinBase, jsonBlob, tokenizerFilesOf } from './source-files';

/** A float32 file holds what was trained, so only the order of sums may differ. */
const EXACT = { logits: 1e-3 };

export const writeAdapter: ExportWriter = async (source, job) => {
  const { files: own, notes } = await source.adapter();
  const files: ExportResult['files'] = own.map(({ path, bytes }) => ({ path, blob: new Blob([bytes.slice()]) }));
  const proof = await source.proveAdapter(files, EXACT, job);
  files.push(...(await tokenizerFilesOf(source)));
  const base = await builtinBase(source, job);
  files.push(...base.files);
  if (source.recipe) files.push({ path: 'recipe.json', blob: jsonBlob(source.recipe) });
  if (source.card) {
    const card = modelCard({ ...source.card, notes, proof, baseFolder: base.folder });
    files.push({ path: 'README.md', blob: new Blob([card]) });
  }
  return { files, notes, proof };
};
