/** Every way to export what was trained: the Compare page, the headless runner and file names use this list. */
import { adapterExport } from './adapter';
import type { Export, Exported } from './export';
import { ggufAdapter } from './gguf/adapter';
import { ggufModels } from './gguf/model';
import { mergedExports } from './merged';
import { mlx } from './mlx';
import { ollamaWith } from './ollama';
import { pageExport } from './page/page';
import { adapterPython, type Exported as PythonFacts } from './python';
import { axolotl } from './trainers/axolotl';
import { llamafactory } from './trainers/llamafactory';
import { trl } from './trainers/trl';

export type { Export, Exported } from './export';
export { fileName, recipeFileName } from './names';

const ollama = ollamaWith(ggufModels.find(({ id }) => id === 'gguf-q8_0')!);

/** In the order in which they are shown. */
export const exports = [
  adapterExport,
  ggufAdapter,
  mlx,
  ...mergedExports,
  ...ggufModels,
  ollama,
  pageExport,
  trl,
  axolotl,
  llamafactory,
] as const satisfies readonly Export[];

export type ExportId = (typeof exports)[number]['id'];

export const isExportId = (id: string): id is ExportId => exports.some((one) => one.id === id);

export const exportBy = (id: ExportId): Export<ExportId> => exports.find((one) => one.id === id)!;

/** Exports that differ in precision only from this one, itself included; empty if there is no choice. */
export const variantsOf = (id: ExportId): Export<ExportId>[] => {
  const { variant } = exportBy(id);
  return variant ? exports.filter((other: Export) => other.variant?.of === variant.of) : [];
};

/** One of each kind: the first of those that differ in precision only. */
export const exportKinds: Export<ExportId>[] = exports.filter(({ id }) => (variantsOf(id)[0]?.id ?? id) === id);

/** The exports that are possible. */
export const exportsOf = (exported: Exported): Export<ExportId>[] =>
  exports.filter((one) => one.refusal(exported) === null);

/** Python code that loads an adapter's folder, as the screen shows it: the base's place and the labels are not known there. */
export const loadingCode = (facts: PythonFacts, folder: string): string =>
  adapterPython(facts, { base: 'path/to/base', folder, remark: 'the unpacked zip' });
