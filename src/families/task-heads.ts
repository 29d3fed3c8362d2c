/**
 * The modules of transformers' …ForSequenceClassification and …ForTokenClassification (5.23), and how a config.json
 * describes them. Their arithmetic is in engine/models/task-head.ts.
 */
import { refuse, show } from '../base/bad-model';
import { labelsWords, type TaskData, WORD_LABELS } from '../base/task';
import { CONFIG, RESTORE } from './config';
import type { Family, FamilyConfig, TensorSpec } from './family';
import type { ClassificationHead, TaskKind } from './heads';

export const taskKindOf = (task: Pick<TaskData, 'problemType'>): TaskKind => (labelsWords(task) ? 'words' : 'texts');

export const headOf = ({ heads }: Pick<Family, 'heads'>, kind: TaskKind, prefix: string): ClassificationHead =>
  kind === 'words' ? heads.tokens : heads.sequence(prefix);

/** A checkpoint's classification head. */
export interface StoredHead {
  kind: TaskKind;
  labels: string[];
  problemType: TaskData['problemType'];
}

const SUFFIX: Record<TaskKind, string> = {
  texts: 'ForSequenceClassification',
  words: 'ForTokenClassification',
};

const classStem = ({ architectures, heads }: Pick<Family, 'architectures' | 'heads'>): string =>
  heads.classStem ?? architectures[0]!.replace(/(ForCausalLM|ForMaskedLM|LMHeadModel)$/, '');

/** transformers' class of a family with a head. */
export const headClass = (family: Pick<Family, 'architectures' | 'heads'>, kind: TaskKind): string =>
  classStem(family) + SUFFIX[kind];

/** transformers' class without any head. A tied decoder saved from it is complete: its output projection is its embedding. */
export const bareClass = (family: Pick<Family, 'architectures' | 'heads'>): string => `${classStem(family)}Model`;

/** The head that config.json names; null for a language model. Throws `bad_model` if its labels are damaged. */
export function storedHead(
  family: Pick<Family, 'architectures' | 'heads'>,
  json: Record<string, unknown>,
): StoredHead | null {
  const names = Array.isArray(json.architectures) ? json.architectures : [];
  const kind = (Object.keys(SUFFIX) as TaskKind[]).find((k) => names.includes(headClass(family, k)));
  if (!kind) return null;
  const labels = readLabels(json);
  if (kind === 'words') return { kind, labels, problemType: WORD_LABELS };
  const given = json.problem_type;
  const problemType =
    given === 'multi_label_classification' || given === 'regression' || given === 'single_label_classification'
      ? given
      : labels.length === 1
        ? 'regression'
        : 'single_label_classification';
  return { kind, labels, problemType };
}

/** More than any classifier has. */
const MOST_LABELS = 100_000;

/** id2label in the order of its numbers; without one, two unnamed labels, as in transformers. */
function readLabels({ id2label, num_labels }: Record<string, unknown>): string[] {
  if (id2label === undefined || id2label === null) {
    const count = typeof num_labels === 'number' && Number.isInteger(num_labels) && num_labels > 0 ? num_labels : 2;
    return Array.from({ length: Math.min(count, MOST_LABELS) }, (_, i) => `LABEL_${i}`);
  }
  const where = `${CONFIG}, id2label`;
  if (typeof id2label !== 'object' || Array.isArray(id2label)) {
    refuse(where, `id2label is ${show(id2label)}, not a table of labels.`, RESTORE);
  }
  const table = id2label as Record<string, unknown>;
  const count = Object.keys(table).length;
  return Array.from({ length: count }, (_, i) => {
    const label = table[i];
    return typeof label === 'string'
      ? label
      : refuse(where, `id2label has no name for label ${i} of ${count}.`, RESTORE);
  });
}

/** The head's tensors in a checkpoint; `spare` ones belong to the base. */
export function headTensors(
  family: Pick<Family, 'heads'>,
  config: Pick<FamilyConfig, 'hidden_size'> & { prefix?: string },
  head: StoredHead,
): TensorSpec[] {
  const d = config.hidden_size;
  return headOf(family, head.kind, config.prefix ?? '').layers.flatMap(({ path, out, bias, stored }): TensorSpec[] => {
    const rows = out === 'labels' ? head.labels.length : d;
    const more = stored === undefined ? {} : { spare: true };
    return [
      { name: `${path}.weight`, shape: [rows, d], ...more },
      ...(bias ? [{ name: `${path}.bias`, shape: [rows], ...more }] : []),
    ];
  });
}
