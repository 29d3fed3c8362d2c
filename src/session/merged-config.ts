/** config.json of a merged model folder. */
import { labelsWords, type TaskData } from '../base/task';
import { families, familyOf } from '../families';
import { headClass, taskKindOf } from '../families/task-heads';
import type { MergedDtype } from './api';

export const DTYPE_NAMES: Record<MergedDtype, string> = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' };

/**
 * The base's own in the new precision, whatever quantisation it came in; with a classification head, that of transformers'
 * class with such a head, and its labels. `outputApart`: the file holds an output projection that is not the embedding.
 */
export function mergedConfig(
  json: Record<string, unknown>,
  dtype: MergedDtype,
  task: TaskData | null,
  outputApart = false,
): Record<string, unknown> {
  const { quantization_config: _quantised, _name_or_path: _path, ...kept } = json;
  // transformers 5 reads `dtype`, older ones `torch_dtype`.
  const stored = { ...kept, dtype: DTYPE_NAMES[dtype], torch_dtype: DTYPE_NAMES[dtype] };
  if (!task) return { ...stored, ...outputFields(stored, outputApart) };
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

/** What config.json says of the output projection: whether it is the embedding, and that the class has one. */
function outputFields(json: Record<string, unknown>, apart: boolean): Record<string, unknown> {
  const family = familyOf(json);
  const { architectures } = json;
  const bare = Array.isArray(architectures) && !architectures.some((name) => family.architectures.includes(name));
  return {
    ...(apart && family.readConfig(json).tie_word_embeddings && { tie_word_embeddings: false }),
    ...(bare && { architectures: [family.architectures[0]] }),
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
