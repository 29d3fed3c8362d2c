/** config.json of a merged model folder. */
import { labelsWords, type TaskData } from '../base/task';
import { families, familyOf } from '../families';
import { headClass, taskKindOf } from '../families/task-heads';
import type { MergedDtype } from './api';

export const DTYPE_NAMES: Record<MergedDtype, string> = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' };

/**
 * The base's own in the new precision, whatever quantisation it came in; with a classification head, that of transformers'
 * class with such a head, and its labels.
 */
export function mergedConfig(
  json: Record<string, unknown>,
  dtype: MergedDtype,
  task: TaskData | null,
): Record<string, unknown> {
  const { quantization_config: _quantised, _name_or_path: _path, ...kept } = json;
  // transformers 5 reads `dtype`, older ones `torch_dtype`.
  const stored = { ...kept, dtype: DTYPE_NAMES[dtype], torch_dtype: DTYPE_NAMES[dtype] };
  if (!task) return stored;
  const { problemType, labels } = task;
  const { problem_type: _problem, num_labels: _count, ...rest } = stored as Record<string, unknown>;
  return {
    ...rest,
    architectures: [headClass(familyOf(rest), taskKindOf(task))],
    id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
    ...(labelsWords(task) ? {} : { problem_type: problemType }),
  };
}

/** Fields that transformers 5 accepts as floats only: it refuses 30 for 30.0, and JSON.parse drops the point. */
const FLOATS = ['initializer_range', 'rms_norm_eps', 'layer_norm_eps', 'layer_norm_epsilon'];

/** As text that transformers opens. */
export function configText(config: Record<string, unknown>): string {
  const fields = [...FLOATS, ...families.flatMap(({ floatFields = [] }) => floatFields)];
  const whole = new RegExp(`^(\\s*"(?:${fields.join('|')})": -?\\d+)(?=,?$)`, 'gm');
  return `${JSON.stringify(config, null, 2).replace(whole, '$1.0')}\n`;
}
