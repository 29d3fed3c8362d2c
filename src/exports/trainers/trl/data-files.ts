/** The rows and their order as lines of JSON, written in pieces: a file can be larger than what a page may hold at once. */
import type { TokenizedExample } from '../../../data/types';
import type { ExportedFile } from '../../export';
import type { TrainingData } from '../training-data';
import type { Settings, TrlObjective } from './part';

/** Letters that are handed to the browser at a time. */
const PIECE = 4 * 2 ** 20;

/** A file of lines. `line` is asked for each in turn. */
export function linesBlob(count: number, line: (i: number) => string): Blob {
  const parts: Blob[] = [];
  let text = '';
  for (let i = 0; i < count; i++) {
    text += `${line(i)}\n`;
    if (text.length < PIECE) continue;
    parts.push(new Blob([text]));
    text = '';
  }
  return new Blob([...parts, text]);
}

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
    rows('validation', [validation]),
    { path: 'data/steps.jsonl', blob: linesBlob(steps, (step) => JSON.stringify(data.microBatches(step).flat())) },
  ];
}

export type { Settings };
