/** The rows and their order as lines of JSON. */
import type { TokenizedExample } from '../../../data/types';
import type { ExportedFile } from '../../export';
import { linesBlob } from '../lines';
import type { TrainingData } from '../training-data';
import type { TrlObjective } from './part';

type AnyObjective = TrlObjective<{ type: string }>;

/** `vocabSize` is the model's. */
export function dataFiles(data: TrainingData, objective: AnyObjective, vocabSize: number): ExportedFile[] {
  if (objective.drawn) return drawnFiles(data, objective.drawn, vocabSize);
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

/** What each step takes has rows of its own, in its order. */
function drawnFiles(data: TrainingData, drawn: NonNullable<AnyObjective['drawn']>, vocabSize: number): ExportedFile[] {
  const { recipe, train, validation, replayed, steps } = data;
  const all = [...train, ...replayed];
  const lines = (rows: readonly TokenizedExample[], pass: number | null) =>
    drawn(recipe.objective, rows, { data, vocabSize, pass }).map((row) => JSON.stringify(row));
  const taken: number[][] = [];
  let [count, pass] = [0, 0];
  const rows = linesBlob(steps, (step) => {
    const made = data.microBatches(step).flatMap((picks) =>
      lines(
        picks.map((i) => all[i]!),
        pass++,
      ),
    );
    taken.push(made.map(() => count++));
    return made.join('\n');
  });
  const size = recipe.training.per_device_train_batch_size;
  const evaluated = Array.from({ length: Math.ceil(validation.length / size) }, (_, i) =>
    lines(validation.slice(i * size, (i + 1) * size), null).join('\n'),
  );
  return [
    { path: 'data/train.jsonl', blob: rows },
    ...(evaluated.length > 0
      ? [{ path: 'data/validation.jsonl', blob: linesBlob(evaluated.length, (i) => evaluated[i]!) }]
      : []),
    { path: 'data/steps.jsonl', blob: linesBlob(steps, (step) => JSON.stringify(taken[step])) },
  ];
}
