/**
 * Bottleneck adapters: two per layer (Houlsby et al., 2019) or one (Pfeiffer et al., 2020), saved in AdapterHub's format.
 * Implemented in src/engine/methods/bottleneck.ts.
 */

import { familyNamed } from '../families';
import { renamed } from '../formats/adapter-format';
import {
  HUB_INTERFACE,
  HUB_WEIGHTS,
  isAdapterHub,
  readAdapterHub,
  underBlocks,
  writeAdapterHub,
} from '../formats/adapterhub';
import { options } from '../recipe/spec';
import { checkPlaces } from './fit-adapter';
import type { MethodDescriptor } from './method';
import { INIT_ADAPTER } from './shared-fields';

export interface BottleneckMethod {
  type: 'bottleneck';
  /** AdapterHub's names: two adapters per layer, or one. */
  config: 'double_seq_bn' | 'seq_bn';
  /** Hidden size of the model divided by the width of the bottleneck. */
  reduction_factor: number;
  non_linearity: 'relu' | 'gelu' | 'swish' | 'tanh';
  /** An AdapterHub folder to continue from (`file:PATH`), or null for a new adapter. */
  init_adapter: string | null;
}

export const bottleneck: MethodDescriptor<BottleneckMethod> = {
  type: 'bottleneck',
  order: 30,
  label: 'Bottleneck adapters',
  trains: 'adapter',
  virtualTokens: false,
  merges: false,
  beginsAsBase: false,
  card: {
    group: 'adapter',
    text: 'Trains a small bottleneck network in each layer. For many tasks on one base; shared on AdapterHub.',
    memory: 'slightly more than the model, plus activations',
    file: 'about 2 % of the model',
    speed: 'fast; inference slightly slower',
  },
  facts: {
    trained: 'one or two bottleneck networks of two layers in each block, plus a classifier’s head',
    saved:
      'an AdapterHub folder: adapter_config.json and adapter.safetensors, plus head_config.json, model_head.safetensors and labels.json for a classifier',
    papers: [
      { by: 'Houlsby et al., 2019', title: 'Parameter-Efficient Transfer Learning for NLP', arxiv: '1902.00751' },
      {
        by: 'Pfeiffer et al., 2020',
        title: 'AdapterFusion: Non-Destructive Task Composition for Transfer Learning',
        arxiv: '2005.00247',
      },
    ],
  },
  fields: {
    config: {
      kind: 'select',
      label: 'Adapters per layer',
      help: 'One adapter per layer (Pfeiffer), or two: after attention and after the feed-forward network (Houlsby).',
      default: 'seq_bn',
      options: options({ seq_bn: 'One per layer (Pfeiffer)', double_seq_bn: 'Two per layer (Houlsby)' }),
      source: 'AdapterHub',
    },
    reduction_factor: {
      kind: 'number',
      label: 'Reduction factor',
      help: 'Hidden size of the model divided by the adapter’s width: a higher factor is smaller and learns less.',
      default: 16,
      min: 1,
      max: 4096,
      step: 1,
      usual: [2, 64],
      source: 'AdapterHub',
    },
    non_linearity: {
      kind: 'select',
      label: 'Activation',
      help: 'Activation function between the adapter’s two layers.',
      default: 'relu',
      options: options({ relu: 'ReLU', gelu: 'GELU', swish: 'Swish (SiLU)', tanh: 'tanh' }),
      source: 'AdapterHub',
      variants: [{ when: { 'method.config': ['double_seq_bn'] }, default: 'swish', source: 'AdapterHub' }],
    },
    init_adapter: INIT_ADAPTER,
  },
  defaults: { 'training.learning_rate': [{ default: 1e-4, usual: [5e-5, 1e-3], source: 'AdapterHub' }] },
  sizes: {
    stops: [
      { reduction_factor: 64 },
      { reduction_factor: 32 },
      { reduction_factor: 16 },
      { reduction_factor: 8 },
      { reduction_factor: 4 },
    ],
    words: ({ reduction_factor }) => `reduction ${reduction_factor}`,
  },
  // pirate-chat: validation loss falls from 6.51 to 4.54 in 12 steps (to 6.24 at 1e-3).
  tinyModelRate: 5e-3,
  summary: () => 'Bottleneck adapters',
  sentence: ({ config }) =>
    `${config === 'seq_bn' ? 'A small network' : 'Two small networks'} in every layer; the rest of the model is frozen.`,
  noun: () => 'A bottleneck adapter',
  files: {
    id: 'adapterhub',
    library: 'adapter-transformers',
    readBy: 'It loads in the adapters library, next to others for the same base.',
    matches: isAdapterHub,
    read(files, named) {
      const { settings, tensors, head, model_name } = readAdapterHub(files);
      const task = named ?? (head && { problemType: 'single_label_classification' as const, labels: head.labels });
      return {
        section: { type: 'bottleneck', ...settings, init_adapter: null },
        values: new Map([...tensors, ...(head?.tensors ?? [])]),
        task: task ?? null,
        base: model_name,
      };
    },
    fit(adapter, model) {
      const { blockPaths } = model;
      const values = underBlocks(adapter.values, blockPaths);
      const places = [...values.keys()].flatMap((name) => {
        const at = name.indexOf('.adapters.');
        return at < 0 ? [] : [{ path: name.slice(0, at), where: `${HUB_WEIGHTS}, tensor ${name.slice(0, 120)}` }];
      });
      checkPlaces(places, (path) => blockPaths.some((block) => path.startsWith(`${block}.`)), model, adapter.base);
      return { ...adapter, values };
    },
    write({ section, model, base, tensors, headTensors, task }) {
      const prefix = task ? model.headPrefix : '';
      const { config, reduction_factor, non_linearity } = section;
      const part = (ofHead: boolean) => new Map([...tensors].filter(([name]) => headTensors.has(name) === ofHead));
      return writeAdapterHub({
        name: 'tabtune',
        model_name: base.name,
        model_type: model.family,
        model_class: model.modelClass,
        hidden_size: model.hiddenSize,
        parallel: model.parallel,
        settings: { config, reduction_factor, non_linearity },
        tensors: renamed(part(false), (name) => prefix + name),
        head: task && { labels: task.labels, tensors: part(true) },
      });
    },
    python(family) {
      // Families that the library has no code for bring a description of their blocks.
      const described = family !== null && familyNamed(family).adapterHub.interface !== null;
      return {
        imports: [...(described ? ['import json'] : []), 'import adapters'],
        load: (path) => [
          ...(described
            ? [
                `places = json.load(open(f"{${path}}/${HUB_INTERFACE}", encoding="utf-8"))["interface"]`,
                'adapters.init(model, interface=adapters.AdapterModelInterface(**places))',
              ]
            : ['adapters.init(model)']),
          `name = model.load_adapter(${path}, use_safetensors=True)`,
          'model.set_active_adapters(name)',
        ],
      };
    },
  },
};
