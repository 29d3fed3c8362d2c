/**
 * The modules of transformers' …ForSequenceClassification and …ForTokenClassification (5.23), family by family, and how their
 * checkpoints are called. What they compute is in engine/models/task-head.ts.
 */
import { refuse, show } from '../base/bad-model';
import { CONFIG, RESTORE } from './config';
import type { Family, FamilyConfig, TensorSpec } from './family';

export type TaskKind = 'sequence_classification' | 'token_classification';

/** One linear of a head, with what stands before it and behind it. */
export interface HeadLayer {
  path: string;
  /** Labels out, or the hidden width. */
  out: 'labels' | 'hidden';
  bias: boolean;
  dropBefore: boolean;
  after: 'tanh' | 'relu' | null;
  /** Read from the checkpoint where that has it. */
  stored?: true;
}

export interface HeadShape {
  /** As in PEFT's modules_to_save. */
  modules: string[];
  /** Which token speaks for a text; null: each for itself. */
  row: 'first' | 'last' | null;
  layers: HeadLayer[];
}

const layer = (path: string, out: HeadLayer['out'], more: Partial<HeadLayer> = {}): HeadLayer => ({
  path,
  out,
  bias: true,
  dropBefore: false,
  after: null,
  ...more,
});

const forTokens = (path: string): HeadShape => ({
  modules: [path],
  row: null,
  layers: [layer(path, 'labels', { dropBefore: true })],
});

const ENCODERS: Record<string, (prefix: string) => HeadShape> = {
  bert: (prefix) => ({
    modules: ['classifier'],
    row: 'first',
    layers: [
      layer(`${prefix}pooler.dense`, 'hidden', { after: 'tanh', stored: true }),
      layer('classifier', 'labels', { dropBefore: true }),
    ],
  }),
  roberta: () => ({
    modules: ['classifier'],
    row: 'first',
    layers: [
      layer('classifier.dense', 'hidden', { dropBefore: true, after: 'tanh' }),
      layer('classifier.out_proj', 'labels', { dropBefore: true }),
    ],
  }),
  distilbert: () => ({
    modules: ['pre_classifier', 'classifier'],
    row: 'first',
    layers: [layer('pre_classifier', 'hidden', { after: 'relu' }), layer('classifier', 'labels', { dropBefore: true })],
  }),
};

/** Decoders whose token classifier has a name of its own. */
const CLASSIFIER_OF_TOKENS = ['gpt2', 'gpt_neox'];

/** `prefix` is what stands before the encoder's paths: `bert.`, or nothing where the checkpoint is the bare encoder. */
export function headOf(family: string, kind: TaskKind, decoder: boolean, prefix: string): HeadShape {
  if (decoder) {
    return kind === 'token_classification'
      ? forTokens(CLASSIFIER_OF_TOKENS.includes(family) ? 'classifier' : 'score')
      : { modules: ['score'], row: 'last', layers: [layer('score', 'labels', { bias: false })] };
  }
  if (kind === 'token_classification') return forTokens('classifier');
  const encoder = ENCODERS[family];
  if (!encoder) throw new Error(`No classification head is known for ${family}.`);
  return encoder(prefix);
}

/** A head as a checkpoint has it. */
export interface StoredHead {
  kind: TaskKind;
  labels: string[];
  problemType: 'single_label_classification' | 'multi_label_classification' | 'regression' | 'token_classification';
}

const SUFFIX: Record<TaskKind, string> = {
  sequence_classification: 'ForSequenceClassification',
  token_classification: 'ForTokenClassification',
};

/** transformers' class of a family with a head. */
export function headClass({ modelType, architectures }: Pick<Family, 'modelType' | 'architectures'>, kind: TaskKind) {
  const stem = architectures[0]!.replace(/(ForCausalLM|ForMaskedLM|LMHeadModel)$/, '');
  return `${modelType === 'gemma3_text' ? 'Gemma3Text' : stem}${SUFFIX[kind]}`;
}

/** Which head config.json speaks of; null where it is a language model. Throws `bad_model` where its labels are damaged. */
export function storedHead(family: Pick<Family, 'modelType' | 'architectures'>, json: Record<string, unknown>) {
  const names = Array.isArray(json.architectures) ? json.architectures : [];
  const kind = (Object.keys(SUFFIX) as TaskKind[]).find((k) => names.includes(headClass(family, k)));
  if (!kind) return null;
  const labels = readLabels(json);
  if (kind === 'token_classification') return { kind, labels, problemType: kind } satisfies StoredHead;
  const given = json.problem_type;
  const problemType =
    given === 'multi_label_classification' || given === 'regression' || given === 'single_label_classification'
      ? given
      : labels.length === 1
        ? 'regression'
        : 'single_label_classification';
  return { kind, labels, problemType } satisfies StoredHead as StoredHead;
}

/** More than any classifier has. */
const MOST_LABELS = 100_000;

/** id2label in the order of its numbers; two without names where there is none, as transformers has it. */
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

/** The head's tensors in a checkpoint. */
export function headTensors(
  family: Pick<Family, 'modelType' | 'kind'>,
  config: Pick<FamilyConfig, 'hidden_size'> & { prefix?: string },
  head: StoredHead,
): TensorSpec[] {
  const d = config.hidden_size;
  const { layers } = headOf(family.modelType, head.kind, family.kind === 'decoder', config.prefix ?? '');
  return layers.flatMap(({ path, out, bias }): TensorSpec[] => {
    const rows = out === 'labels' ? head.labels.length : d;
    return [{ name: `${path}.weight`, shape: [rows, d] }, ...(bias ? [{ name: `${path}.bias`, shape: [rows] }] : [])];
  });
}
