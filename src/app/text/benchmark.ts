/** English of the benchmark's page. */
import type { Stage } from '../../benchmark/result';

const stages: Record<Stage, string> = {
  floors: 'What the card can do at best',
  products: 'Matrix products',
  fingerprint: 'Losses to compare with PyTorch’s',
  models: 'Training and answers',
};

export const benchmarkText = {
  link: 'Measure this device',
  lead: 'How fast this graphics card trains. Models of three sizes with random weights, nothing downloaded, nothing sent.',
  models: 'Models',
  title: 'Benchmark',
  about:
    'Takes about three minutes. Keep this tab in view and leave the computer alone: whatever else uses the GPU slows it down. The open model and its adapter are left as they are.',
  aboutSoftware:
    'Takes a minute or two. Your browser renders in software, so small models stand in for the real ones: the figures show that everything works, and say nothing about a graphics card.',
  start: 'Start the benchmark',
  again: 'Measure again',
  cancel: 'Cancel',
  whyRun: 'A run is training. Stop it first: each would slow the other down.',
  gaveWay: 'A run began, so the benchmark was stopped: each would have slowed the other down.',
  opening: 'Opening the GPU',
  progress: 'Progress of the benchmark',
  stages,
  stageOf: (at: number, all: number) => `Part ${at} of ${all}`,
  elapsed: (time: string) => `${time} so far`,

  agrees: 'The results are right: three training losses equal PyTorch’s.',
  differs: (losses: string, expected: string) =>
    `The results are wrong on this device: three training losses are ${losses}, and PyTorch’s are ${expected}. Update the browser and the graphics driver; do not trust models that are trained here.`,
  hidden:
    'This tab was out of view for a while, and browsers slow such tabs down. Measure again for figures that count.',
  reduced: 'Small models stood in for the real ones, because this is a software renderer.',
  device: 'Device',
  took: 'Took',

  copy: 'Copy result',
  save: 'Save result',
  copied: 'Copied: one line of JSON, with the card’s name and the figures, and nothing about you or your data.',
  copyFailed: 'The browser did not allow copying. Save the result instead.',
  report: 'Report this result',
  reportNote: (host: string, paste: boolean) =>
    `in a public form on ${host}${paste ? ', where you paste it' : ', which has it already'}. Nothing is sent until you submit the form.`,
  file: 'tabtune-benchmark.json',
  shown: 'The whole result',

  floors: {
    title: 'What the card can do at best',
    f32: '32-bit arithmetic',
    f16: '16-bit arithmetic',
    noF16: 'not offered by this browser',
    bandwidth: 'Memory bandwidth',
    dispatch: 'One dispatch',
    dispatchNote: (submit: string) => `${submit} with a submit of its own`,
    map: 'Reading a value back',
  },
  steps: {
    title: 'Training steps: LoRA of rank 16',
    model: 'Model',
    format: 'Weights',
    batch: 'Batch',
    rate: 'Tokens/s',
    time: 'Step',
    script: 'Of it JavaScript',
    dispatches: 'Dispatches',
    memory: 'GPU memory',
  },
  decode: {
    title: 'Answers',
    prompt: 'Prompt',
    read: 'Reading, tokens/s',
    write: 'Writing, tokens/s',
    tokens: (n: string) => `${n} tokens`,
  },
  products: {
    title: 'Matrix products',
    description: 'y = x·Wᵀ (NT), its gradients x (NN) and W (TN), as a share of the arithmetic measured above.',
    kind: 'Product',
    shape: 'Shape',
    rate: 'TFLOP/s',
    share: 'Share of peak',
    all: (n: number) => `All ${n} products`,
  },
  sustained: {
    title: 'Training without a pause',
    steady: (share: string) => `The last seconds were at ${share} of the first ones’ speed.`,
    rates: (model: string, seconds: number) => `${model}, tokens a second in windows of ${seconds} s`,
  },
  leftOut: 'Not measured',
};
