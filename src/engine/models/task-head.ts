/**
 * Classification heads over the hidden states, with the modules, shapes, biases and arithmetic of transformers'
 * …ForSequenceClassification and …ForTokenClassification (5.23). d is the hidden width, C the number of labels; drop is the
 * classifier's dropout.
 *
 *   a text     decoders     score (C, no bias) of its last token
 *              bert         classifier(drop(tanh(bert.pooler.dense(first token))))
 *              roberta      classifier.out_proj(drop(tanh(classifier.dense(drop(first token)))))
 *              distilbert   classifier(drop(relu(pre_classifier(first token))))
 *   a token    decoders     score(drop(x)); gpt2 and gpt_neox call it classifier
 *              encoders     classifier(drop(x))
 *
 * A text's last token is its last real one; transformers takes the last that is not the pad token, which is another where
 * a text ends in pad tokens of its own. BERT's pooler comes from the checkpoint where that has one, and belongs to the base
 * then: methods that freeze the base freeze it, as PEFT does.
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { Stream, uniform } from '../../base/random';
import type { TaskData } from '../../data/types';
import { activation } from '../kernels/activation';
import { takeRows } from '../kernels/row-moves';
import { denseWeight } from '../kernels/weight';
import type { Hooks, LinearModule } from '../types';
import type { LanguageModel, ModelTensor, TaskHead, WeightSource } from './model';
import { applyWith, SITES } from './run';
import { createLoader, type LoadOptions } from './weights';

/** One linear of a head, with what stands before it and behind it. */
interface Layer {
  path: string;
  /** Labels out, or the hidden width. */
  out: 'labels' | 'hidden';
  bias: boolean;
  dropBefore: boolean;
  after: 'tanh' | 'relu' | null;
  /** Read from the checkpoint where that has it. */
  stored?: true;
}

interface Shape {
  /** As in PEFT's modules_to_save. */
  modules: string[];
  /** Which token speaks for a text; null: each for itself. */
  row: 'first' | 'last' | null;
  layers: Layer[];
}

const layer = (path: string, out: Layer['out'], more: Partial<Layer> = {}): Layer => ({
  path,
  out,
  bias: true,
  dropBefore: false,
  after: null,
  ...more,
});

const forTokens = (path: string): Shape => ({
  modules: [path],
  row: null,
  layers: [layer(path, 'labels', { dropBefore: true })],
});

/** What transformers puts before the encoder's paths: nothing where the model is the bare encoder. */
const prefixOf = (model: Pick<LanguageModel, 'blockPaths'>) =>
  model.blockPaths[0]!.startsWith('encoder.') ? '' : 'bert.';

const ENCODERS: Record<string, (model: Pick<LanguageModel, 'blockPaths'>) => Shape> = {
  bert: (model) => ({
    modules: ['classifier'],
    row: 'first',
    layers: [
      layer(`${prefixOf(model)}pooler.dense`, 'hidden', { after: 'tanh', stored: true }),
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

function shapeOf(model: Pick<LanguageModel, 'family' | 'kind' | 'blockPaths'>, kind: TaskHead['kind']): Shape {
  if (model.kind === 'decoder') {
    return kind === 'token_classification'
      ? forTokens(CLASSIFIER_OF_TOKENS.includes(model.family) ? 'classifier' : 'score')
      : { modules: ['score'], row: 'last', layers: [layer('score', 'labels', { bias: false })] };
  }
  if (kind === 'token_classification') return forTokens('classifier');
  const encoder = ENCODERS[model.family];
  if (!encoder) throw new Error(`No classification head is known for ${model.family}.`);
  return encoder(model);
}

/** Standard normal numbers · std, by Box and Muller; `tensor` numbers those of one seed. */
function normals(size: number, std: number, seed: number, tensor: number): Float32Array {
  // Beside LoRA's matrices, which count from 0.
  const sub = 2 ** 31 + tensor;
  const pair = (i: number) => [
    Math.sqrt(-2 * Math.log(1 - uniform(seed, Stream.init, 2 * i, sub))),
    2 * Math.PI * uniform(seed, Stream.init, 2 * i + 1, sub),
  ];
  return Float32Array.from({ length: size }, (_, i) => {
    const [radius, angle] = pair(Math.floor(i / 2)) as [number, number];
    return std * radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  });
}

export interface TaskHeadOptions {
  seed: number;
  /** A trained head, by the tensors' names; what it lacks begins anew. */
  values?: Map<string, { shape: number[]; data: Float32Array }>;
  /** The checkpoint, for BERT's pooler; and how it is loaded. */
  source?: WeightSource;
  load?: LoadOptions;
}

export interface CreatedHead {
  head: TaskHead;
  /** To stand behind the model's own; `task` is set for all but what came from the checkpoint. */
  tensors: ModelTensor[];
  /** What methods may wrap: BERT's pooler where it came from the checkpoint (PEFT leaves the others alone). */
  linears: LinearModule[];
  /** Frees what the head holds. */
  dispose(): void;
}

/**
 * A head for the task: new weights from N(0, initializer_range²) by seed, new biases 0, as transformers begins them.
 */
export async function createTaskHead(
  model: LanguageModel,
  task: TaskData,
  { seed, values, source, load }: TaskHeadOptions,
): Promise<CreatedHead> {
  const kind = task.problemType === 'token_classification' ? 'token_classification' : 'sequence_classification';
  const shape = shapeOf(model, kind);
  const d = model.hiddenSize;
  const loader = createLoader(
    source ?? { info: () => undefined, read: () => Promise.reject(new Error('no source')) },
    load,
  );
  const own: ModelTensor[] = [];
  const linears: LinearModule[] = [];
  const modules: LinearModule[] = [];
  const extra: string[] = [];

  const tensor = (name: string, dims: number[], initial: () => Float32Array): tf.Tensor => {
    const given = values?.get(name);
    if (given && given.shape.join() !== dims.join()) {
      throw new TabtuneError({
        code: 'bad_adapter',
        message: `The tensor ${name} has shape [${given.shape}], but this model and its ${task.labels.length} labels need [${dims}].`,
        where: name,
        action: 'Load it on the model and with the labels that it was trained with.',
      });
    }
    return loader.own(tf.tensor(given ? given.data.slice() : initial(), dims, 'float32'));
  };
  try {
    for (const [i, { path, out, bias, stored }] of shape.layers.entries()) {
      const [weightName, biasName] = [`${path}.weight`, `${path}.bias`];
      if (stored && source && loader.has(weightName) && !values?.has(weightName)) {
        const module = await loader.linear(path, d, d, { bias });
        modules.push(module);
        linears.push(module);
        continue;
      }
      const rows = out === 'labels' ? task.labels.length : d;
      const weight = denseWeight(
        tensor(weightName, [rows, d], () => normals(rows * d, model.initializerRange, seed, i)),
      );
      own.push({ name: weightName, value: { kind: 'matrix', weight, transposed: false }, task: true });
      const added = bias ? tensor(biasName, [rows], () => new Float32Array(rows)) : null;
      if (added) own.push({ name: biasName, value: { kind: 'vector', tensor: added }, task: true });
      modules.push({ path, weight, bias: added });
      if (stored) extra.push('pooler');
    }
  } catch (error) {
    loader.dispose();
    throw error;
  }

  const rate = kind === 'token_classification' ? model.dropout.tokenClassifier : model.dropout.classifier;
  const head: TaskHead = {
    kind,
    labels: task.labels,
    modules: [...extra, ...shape.modules],
    scores(hidden, { length, lengths }, hooks) {
      const x = shape.row ? takeRows(hidden, rowsOf(shape.row, length, lengths)) : hidden;
      return runLayers(shape.layers, modules, x, hooks, rate, SITES * model.layers);
    },
  };
  return { head, tensors: [...loader.tensors, ...own], linears, dispose: loader.dispose };
}

function rowsOf(row: 'first' | 'last', length: number, lengths: Int32Array): tf.Tensor {
  const rows = Array.from(lengths, (real, b) => b * length + (row === 'first' ? 0 : Math.max(0, real - 1)));
  return tf.tensor1d(rows, 'int32');
}

/** `site` is the first number of dropout that no block has. */
function runLayers(
  layers: Layer[],
  modules: LinearModule[],
  x: tf.Tensor,
  hooks: Hooks,
  rate: number,
  site: number,
): tf.Tensor {
  const apply = applyWith(hooks);
  return layers.reduce((input, { dropBefore, after }, i) => {
    const dropped = dropBefore && rate > 0 && hooks.dropout ? hooks.dropout(input, rate, site + i) : input;
    const y = apply(modules[i]!, dropped);
    if (after === 'tanh') return tf.tanh(y);
    return after === 'relu' ? activation(y, 'relu') : y;
  }, x);
}
