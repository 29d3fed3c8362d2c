/** Writes an adapter as mlx-lm's folder. */
import { readFamilyConfig } from '../../families';
import { writeMlx } from '../../formats/mlx';
import { readPeftAs, readPeftFolder } from '../../formats/peft';
import { loraKind, type PeftLoraConfig } from '../../formats/peft/lora';
import type { ExportResult, ExportWriter } from '../export';
import { builtinBase } from '../source-files';
import { mlxCard } from './card';

/** A float32 file holds what was trained, so only the order of sums may differ. */
const EXACT = { logits: 1e-3 };

export const writeMlxAdapter: ExportWriter = async (source, job) => {
  const { files: own, notes } = await source.adapter();
  const adapter = readPeftAs<PeftLoraConfig>(readPeftFolder(own), loraKind);
  const { family, config } = readFamilyConfig(source.model.config);
  const written = writeMlx(adapter, config.num_hidden_layers, source.model.base.name);
  const differs = family.mlx?.note?.(config) ?? null;
  const files: ExportResult['files'] = written.files.map(({ path, bytes }) => ({
    path,
    blob: new Blob([bytes.slice()]),
  }));
  const proof = await source.proveAdapter(files, EXACT, job);
  const said = [...notes, ...written.notes, ...(differs === null ? [] : [differs])];
  const base = await builtinBase(source, job);
  files.push(...base.files);
  if (source.card) {
    const card = mlxCard({ ...source.card, notes: said, proof, baseFolder: base.folder });
    files.push({ path: 'README.md', blob: new Blob([card]) });
  }
  return { files, notes: said, proof };
};
