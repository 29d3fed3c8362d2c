/** What the screen says of each method, and docs/METHODS.md with it: when to use it, and what it costs on a model. */
import type { MethodType } from '../../../recipe/types';
import type { ModelInfo } from '../../../session/api';
import { formatBytes } from '../../util/format';

export interface MethodCard {
  type: MethodType;
  name: string;
  /** When to use it. */
  text: string;
  memory: (model: ModelInfo | null) => string;
  file: (model: ModelInfo | null) => string;
  speed: string;
}

/** Weight, gradient and AdamW's two moments, four bytes each, for every parameter. */
const everything = (model: ModelInfo | null, share = '') =>
  model ? `${share}${formatBytes(model.parameters * 16)}, and the activations` : 'four times the model and more';
const wholeModel = (model: ModelInfo | null) =>
  model ? `the whole model, ${formatBytes(model.bytes)}` : 'the whole model';

export const methodGroups: { title: string; cards: MethodCard[] }[] = [
  {
    title: 'Small parts beside a frozen model',
    cards: [
      {
        type: 'lora',
        name: 'LoRA',
        text: 'Small matrices beside its layers learn. The right choice nearly always.',
        memory: () => 'little more than the model',
        file: () => 'a hundredth of the model or less',
        speed: 'fast; none lost once merged',
      },
      {
        type: 'bottleneck',
        name: 'Bottleneck adapters',
        text: 'A narrow network after each layer learns. For many tasks on one base, as AdapterHub shares them.',
        memory: () => 'little more than the model',
        file: () => 'a hundredth of the model or so',
        speed: 'fast; answers a little slower',
      },
      {
        type: 'ia3',
        name: 'IA³',
        text: 'One factor for each inner value learns. For few examples, or when the file must be tiny.',
        memory: () => 'hardly more than the model',
        file: () => 'a few kilobytes',
        speed: 'fast; none lost once merged',
      },
    ],
  },
  {
    title: 'A learned beginning before every text',
    cards: [
      {
        type: 'prefix_tuning',
        name: 'Prefix tuning',
        text: 'Learned keys and values in every layer. Steers a manner or a task without touching a weight.',
        memory: () => 'hardly more than the model',
        file: () => 'small',
        speed: 'fast; takes room in the context',
      },
      {
        type: 'prompt_tuning',
        name: 'Prompt tuning',
        text: 'Learned words before the text. Best on large models; a small one learns slowly this way.',
        memory: () => 'hardly more than the model',
        file: () => 'a few kilobytes',
        speed: 'slow to learn; takes room in the context',
      },
      {
        type: 'p_tuning',
        name: 'P-tuning',
        text: 'Learned words that a small network makes. Steadier than prompt tuning, mostly for sorting texts.',
        memory: () => 'hardly more than the model',
        file: () => 'a few kilobytes',
        speed: 'slow to learn; takes room in the context',
      },
    ],
  },
  {
    title: 'The model itself',
    cards: [
      {
        type: 'full',
        name: 'Full fine-tuning',
        text: 'Every weight learns. For small models and much data; it forgets most of what it knew before.',
        memory: (model) => everything(model),
        file: wholeModel,
        speed: 'slower, with the largest effect',
      },
      {
        type: 'head',
        name: 'Head only',
        text: 'The model stays as it is, and only the classifier on top learns. A quick first try at sorting.',
        memory: () => 'hardly more than the model',
        file: wholeModel,
        speed: 'the fastest',
      },
      {
        type: 'gradual_unfreezing',
        name: 'Gradual unfreezing',
        text: 'The top learns first, then one layer more after another (ULMFiT). For little data and less forgetting.',
        memory: (model) => everything(model, 'up to '),
        file: wholeModel,
        speed: 'fast at first, slower in the end',
      },
    ],
  },
];
