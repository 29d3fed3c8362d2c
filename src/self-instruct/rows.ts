/** What was written, as a dataset: instructions with inputs and outputs, and where each of them came from. */
import type { SelfInstructDraft } from './types';

export interface DatasetRow {
  instruction: string;
  input: string;
  output: string;
  source: 'seed' | 'machine';
  round: number | null;
  /** ROUGE-L of the instruction with the most similar one that was there before it, and that one. */
  rouge_l: number | null;
  nearest: string | null;
  model: string | null;
  seed: number | null;
}

export function datasetRows({ seeds, tasks, settings }: SelfInstructDraft): DatasetRow[] {
  const human = settings.include_seed_tasks ? seeds : [];
  const none = { round: null, rouge_l: null, nearest: null, model: null, seed: null };
  return [
    ...human.flatMap(({ instruction, instances }) =>
      instances.map(({ input, output }): DatasetRow => ({ instruction, input, output, source: 'seed', ...none })),
    ),
    ...tasks.flatMap(({ instruction, instances, round, nearest: [first], model, seed }) =>
      (instances ?? []).map(
        ({ input, output }): DatasetRow => ({
          ...{ instruction, input, output, source: 'machine', round },
          ...{ rouge_l: first?.score ?? 0, nearest: first?.instruction ?? null, model, seed },
        }),
      ),
    ),
  ];
}

export const datasetLines = (draft: SelfInstructDraft): string =>
  datasetRows(draft)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('');

export const machineRows = ({ tasks }: SelfInstructDraft): number =>
  tasks.reduce((sum, { instances }) => sum + (instances?.length ?? 0), 0);
