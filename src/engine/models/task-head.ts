/**
 * Classification heads over the hidden states, with the modules, shapes, biases and arithmetic of transformers'
 * …ForSequenceClassification and …ForTokenClassification (5.23). d is the hidden width, C the number of labels; drop is
 * the classifier's dropout.
 *
 *   a text     decoders     score (C, no bias) of its last token
 *              bert         classifier(drop(tanh(bert.pooler.dense(first token))))
 *              roberta      classifier.out_proj(drop(tanh(classifier.dense(drop(first token)))))
 *              distilbert   classifier(drop(relu(pre_classifier(first token))))
 *   a token    decoders     score(drop(x)); gpt2 and gpt_neox call it classifier
 *              encoders     classifier(drop(x))
 *
 * A text's last token is its last real one; transformers takes the last that is not the pad token, which differs if a
 * text itself ends in pad tokens. BERT's pooler is read from the checkpoint if that has one, and then belongs to the
 * base: methods that freeze the base freeze it, as PEFT does.
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { Stream, uniform } from '../../base/random';
import { labelsWords, type TaskData } from '../../base/task';
import { familyNamed } from '../../families';
import type { HeadLayer } from '../../families/heads';
import { headOf, taskKindOf } from '../../families/task-heads';
import { takeRows } from '../kernels/moves/row-moves';
import { activation } from '../kernels/pointwise/activation';
import { denseWeight } from '../kernels/products/weight';
import type { Hooks, LinearModule } from '../types';
import { current } from '../webgpu/live';
import type { CreatedHead } from './heads';
import type { MakeInput } from './input';
import type { ClassificationHead, LanguageModel, ModelTensor, ScoredRows, WeightSource } from './model';
import { applyWith, SITES } from './module-calls';
import { createLoader, type LoadOptions } from './weights';

/** What transformers puts before an encoder's paths; nothing if the model is the bare encoder. */
export function prefixOf(model: Pick<LanguageModel, 'family' | 'blockPaths'>): string {
  const { prefix = '' } = familyNamed(model.family);
  return model.blockPaths[0]!.startsWith(prefix) ? prefix : '';
}

/** N(0, std²), by Box and Muller; `tensor` numbers the tensors of one seed. */
function normals(size: number, std: number, seed: number, tensor: number): Float32Array {
  // LoRA's matrices count from 0.
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
  /** A trained head, by the tensors' names; missing ones are initialised. */
  values?: Map<string, { shape: number[]; data: Float32Array }>;
  /** The checkpoint, for BERT's pooler, and how it is loaded. */
  source?: WeightSource;
  load?: LoadOptions;
}

/**
 * A head for the task: new weights from N(0, initializer_range²) by seed, new biases 0, as transformers initialises
 * them. `task` is set on all its tensors but those that came from the checkpoint. Methods may wrap BERT's pooler if
 * that came from the checkpoint, and nothing else of the head (as in PEFT).
 */
export async function createTaskHead(
  model: LanguageModel,
  task: TaskData,
  { seed, values, source, load }: TaskHeadOptions,
): Promise<CreatedHead<'classification'>> {
  const kind = taskKindOf(task);
  const shape = headOf(familyNamed(model.family), kind, prefixOf(model));
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
      if (stored) extra.push(stored);
    }
  } catch (error) {
    loader.dispose();
    throw error;
  }

  const words = labelsWords(task);
  const rate = words ? model.dropout.tokenClassifier : model.dropout.classifier;
  const head: ClassificationHead = {
    kind,
    problemType: task.problemType,
    labels: task.labels,
    modules: [...extra, ...shape.modules],
    states: model.kind === 'encoder' && !words ? 'from_first' : 'text',
    scores(hidden, rows, hooks) {
      const x = shape.row ? takeRows(hidden, rowsOf(shape.row, rows)) : hidden;
      return runLayers(shape.layers, modules, x, hooks, rate, SITES * model.layers);
    },
  };
  return { head, tensors: [...loader.tensors, ...own], linears, dispose: loader.dispose };
}

function rowsOf(row: 'first' | 'last', { batch, length, lengths, ints = ownTensor }: ScoredRows): tf.Tensor {
  const rows = () => current(lengths).map((real, b) => b * length + (row === 'first' ? 0 : Math.max(0, real - 1)));
  return ints('head_rows', rows, [batch]);
}

const ownTensor: MakeInput = (_use, values, shape) => tf.tensor(current(values), shape, 'int32');

/** `site` is the first dropout site after the blocks'. */
function runLayers(
  layers: readonly HeadLayer[],
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
