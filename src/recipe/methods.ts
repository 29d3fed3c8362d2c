/** Of each method: what it trains, the files that keep it, and where it comes from. */
import type { MethodType } from './types';

export interface Paper {
  /** Authors and year. */
  by: string;
  title: string;
  /** arXiv's number. */
  arxiv: string;
}

export interface MethodFacts {
  trains: string;
  saved: string;
  papers: Paper[];
}

const peft = 'PEFT’s folder: adapter_config.json and adapter_model.safetensors, and labels.json for a classifier';
const network = `${peft}; of a network that made them, only what came out`;
const folder = 'a model folder of Hugging Face’s: config.json, model.safetensors and the tokenizer';

export const methodFacts: Record<MethodType, MethodFacts> = {
  lora: {
    trains: 'matrices A [r, in] and B [out, r] beside each targeted linear layer, and the head of a classifier',
    saved: `${peft}; or merged, as ${folder}`,
    papers: [
      { by: 'Hu et al., 2021', title: 'LoRA: Low-Rank Adaptation of Large Language Models', arxiv: '2106.09685' },
    ],
  },
  ia3: {
    trains: 'a factor for each key, value and inner feed-forward channel, and the head of a classifier',
    saved: `${peft}; or merged, as ${folder}`,
    papers: [
      {
        by: 'Liu et al., 2022',
        title: 'Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning',
        arxiv: '2205.05638',
      },
    ],
  },
  bottleneck: {
    trains: 'a narrow network of two layers in each block, or two of them, and the head of a classifier',
    saved:
      'AdapterHub’s folder: adapter_config.json and adapter.safetensors, and head_config.json, model_head.safetensors and labels.json for a classifier',
    papers: [
      { by: 'Houlsby et al., 2019', title: 'Parameter-Efficient Transfer Learning for NLP', arxiv: '1902.00751' },
      {
        by: 'Pfeiffer et al., 2020',
        title: 'AdapterFusion: Non-Destructive Task Composition for Transfer Learning',
        arxiv: '2005.00247',
      },
    ],
  },
  prefix_tuning: {
    trains: 'keys and values before those of every text, in every layer, and the head of a classifier',
    saved: network,
    papers: [
      {
        by: 'Li and Liang, 2021',
        title: 'Prefix-Tuning: Optimizing Continuous Prompts for Generation',
        arxiv: '2101.00190',
      },
    ],
  },
  prompt_tuning: {
    trains: 'embeddings before those of every text, and the head of a classifier',
    saved: peft,
    papers: [
      {
        by: 'Lester et al., 2021',
        title: 'The Power of Scale for Parameter-Efficient Prompt Tuning',
        arxiv: '2104.08691',
      },
    ],
  },
  p_tuning: {
    trains: 'a small network that makes embeddings before those of every text, and the head of a classifier',
    saved: network,
    papers: [{ by: 'Liu et al., 2021', title: 'GPT Understands, Too', arxiv: '2103.10385' }],
  },
  full: {
    trains: 'every weight of the model, and the head of a classifier',
    saved: folder,
    papers: [
      {
        by: 'Devlin et al., 2018',
        title: 'BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding',
        arxiv: '1810.04805',
      },
    ],
  },
  head: {
    trains: 'the head of a classifier alone',
    saved: folder,
    papers: [
      {
        by: 'Peters et al., 2019',
        title: 'To Tune or Not to Tune? Adapting Pretrained Representations to Diverse Tasks',
        arxiv: '1903.05987',
      },
    ],
  },
  gradual_unfreezing: {
    trains:
      'the head first, then one block more after another from the top, each at a lower rate, until every weight learns',
    saved: folder,
    papers: [
      {
        by: 'Howard and Ruder, 2018',
        title: 'Universal Language Model Fine-tuning for Text Classification',
        arxiv: '1801.06146',
      },
    ],
  },
};

/** LoRA's kin: the setting that makes each, and what it changes. */
export const loraKin: { name: string; setting: string; changes: string; paper: Paper }[] = [
  {
    name: 'rsLoRA',
    setting: 'use_rslora: true',
    changes: 'scales by alpha / √r, so that high ranks learn as well',
    paper: {
      by: 'Kalajdzievski, 2023',
      title: 'A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA',
      arxiv: '2312.03732',
    },
  },
  {
    name: 'DoRA',
    setting: 'use_dora: true',
    changes: 'learns the size of each row of a weight apart from its direction',
    paper: { by: 'Liu et al., 2024', title: 'DoRA: Weight-Decomposed Low-Rank Adaptation', arxiv: '2402.09353' },
  },
  {
    name: 'PiSSA',
    setting: 'init_lora_weights: pissa',
    changes: 'begins as the weight’s largest singular values; saved as plain LoRA of twice the rank',
    paper: {
      by: 'Meng et al., 2024',
      title: 'PiSSA: Principal Singular Values and Singular Vectors Adaptation of Large Language Models',
      arxiv: '2404.02948',
    },
  },
  {
    name: 'LoRA+',
    setting: 'loraplus_lr_ratio: 16',
    changes: 'lets B learn faster than A',
    paper: {
      by: 'Hayou et al., 2024',
      title: 'LoRA+: Efficient Low Rank Adaptation of Large Models',
      arxiv: '2402.12354',
    },
  },
  {
    name: 'QLoRA',
    setting: 'model.quantization: nf4',
    changes: 'keeps the frozen weights in four bits',
    paper: { by: 'Dettmers et al., 2023', title: 'QLoRA: Efficient Finetuning of Quantized LLMs', arxiv: '2305.14314' },
  },
];
