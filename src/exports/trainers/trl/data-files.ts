/** The rows and their order as lines of JSON. */
import type { TokenizedExample } from '../../../data/types';
import type { ExportedFile } from '../../export';
import { linesBlob } from '../lines';
import type { TrainingData } from '../training-data';
import type { TrlObjective } from './part';

export function dataFiles(data: TrainingData, objective: TrlObjective<{ type: string }>): ExportedFile[] {
  const { train, validation, replayed, steps } = data;
  const rows = (name: string, lists: readonly (readonly TokenizedExample[])[]): ExportedFile => {
    const all = lists.flat();
    return {
      path: `data/${name}.jsonl`,
      blob: linesBlob(all.length, (i) => JSON.stringify(objective.row(all[i]!, data))),
    };
  };
  return [
    rows('train', [train, replayed]),
    // A file without rows is an error to datasets' own reader.
    ...(validation.length > 0 ? [rows('validation', [validation])] : []),
    { path: 'data/steps.jsonl', blob: linesBlob(steps, (step) => JSON.stringify(data.microBatches(step).flat())) },
  ];
}
