/** labels.json next to an adapter's files: the names of its head's labels, which PEFT's files do not have. */

import { TabtuneError } from '../base/errors';
import { parseUntrusted } from '../base/json';
import { problemTypes, type TaskData } from '../base/task';
import { type AdapterFiles, fileNamed } from './adapter-format';

export const LABELS = 'labels.json';

export function labelsFile({ problemType, labels }: TaskData): { path: string; bytes: Uint8Array } {
  const id2label = Object.fromEntries(labels.map((label, i) => [i, label]));
  return {
    path: LABELS,
    bytes: new TextEncoder().encode(`${JSON.stringify({ problem_type: problemType, id2label }, null, 2)}\n`),
  };
}

/** Null without such a file. Throws bad_adapter if it is corrupt. */
export function readLabels(files: AdapterFiles): TaskData | null {
  const file = fileNamed(files, LABELS);
  if (!file) return null;
  try {
    const { problem_type, id2label } = parseUntrusted(new TextDecoder().decode(file.bytes)) as {
      problem_type: TaskData['problemType'];
      id2label: Record<string, string>;
    };
    const labels = Object.keys(id2label).map((_, i) => id2label[i]);
    if (labels.every((label) => typeof label === 'string') && problemTypes.includes(problem_type)) {
      return { problemType: problem_type, labels };
    }
  } catch {
    // Reported below, like any other corruption.
  }
  throw new TabtuneError({
    code: 'bad_adapter',
    message: 'The label names cannot be read.',
    where: LABELS,
    action: 'Export the adapter again, or remove this file to number the labels instead.',
  });
}
