// Rule: imports go one way. Which folder of src may import which, and which packages live where.
import path from 'node:path';
import { readGraph } from './graph.mjs';

const engineParts = ['base', 'data/types', 'recipe/types', 'engine/types', 'engine/webgpu', 'engine/kernels'];
const descriptorParts = ['base', 'families', 'formats', 'recipe/spec', 'recipe/sections', 'data/types'];
const shared = [
  'base',
  'methods',
  'objectives',
  'rewards',
  'recipe',
  'formats',
  'data',
  'data/parts',
  'metrics',
  'self-instruct',
  'storage',
  'hub',
  'exports',
];

/**
 * Folder or file (without extension) under src -> what is in it, and what it may import besides itself. The longest name
 * that fits counts, on both sides: `engine/kernels` may import `engine/webgpu`, but nothing else of `engine` unless it is
 * listed. A layer may be listed before its folder exists.
 *
 * @type {Record<string, { about: string, may: string[] }>}
 */
export const layers = {
  base: {
    about: "the one error type; the counter-based random generator; PEFT's matching of module names",
    may: [],
  },
  metrics: {
    about: 'metrics of model quality, as scikit-learn, seqeval and rouge_score define them',
    may: ['base'],
  },
  families: {
    about: "what each family's config.json may hold, and the tensors that follow",
    may: ['base'],
  },
  'self-instruct': {
    about: 'how a model writes its own dataset from seed tasks: prompts, parsing, filters',
    may: ['base', 'metrics'],
  },
  benchmark: {
    about: 'what the benchmark of a graphics card gives: one JSON line and its schema',
    may: [],
  },
  // One file per method or objective, and no GPU: the twin in engine/methods or engine/objectives does the arithmetic.
  methods: {
    about: 'each training method: its fields, defaults, texts and file formats',
    may: descriptorParts,
  },
  objectives: {
    about: 'each training objective: its fields, defaults, texts, how it learns from data, and its metrics',
    may: [...descriptorParts, 'rewards', 'data', 'metrics'],
  },
  rewards: {
    about: 'what answers are rewarded for: one file each, a pure function of the answer, its fields and texts',
    may: ['base', 'recipe/spec', 'data/types'],
  },
  'recipe/spec': {
    about: 'how a field of the recipe is described',
    may: ['base'],
  },
  'recipe/sections': {
    about: 'the sections that every method and objective shares: model, dataset, training',
    may: ['base'],
  },
  recipe: {
    about: 'the recipe: schema, defaults, validation, length of a run, diff',
    may: ['base', 'methods', 'objectives', 'rewards', 'recipe/spec', 'recipe/sections', 'data/parts'],
  },
  formats: {
    about: "bytes: safetensors, GGUF and its quantised tensors, PEFT's and AdapterHub's folders, zip",
    may: ['base', 'families'],
  },
  'data/parts': {
    about: 'the parts of an example, and the column names that people give them',
    may: ['recipe/sections'],
  },
  data: {
    about: 'files → rows → examples → tokens → batches',
    may: ['base', 'recipe/sections', 'recipe/spec', 'formats', 'data/parts'],
  },
  storage: {
    about: 'IndexedDB: files, runs, metrics, checkpoints',
    may: ['base', 'recipe', 'formats', 'data', 'metrics'],
  },
  hub: {
    about: 'where a model folder comes from (built in, dropped, the Hub), and whether it is whole',
    may: ['base', 'families', 'recipe', 'formats', 'storage'],
  },
  exports: {
    about: 'what a trained model and its metrics can be saved as, one file a destination',
    may: [
      'base',
      'families',
      'methods',
      'objectives',
      'recipe',
      'formats',
      'data/types',
      'data/written-row',
      'data/prompt-style',
      'hub/types',
      'storage/types',
    ],
  },
  // The engine does not know where bytes came from: of data and recipe it sees only the types.
  'engine/webgpu': {
    about: 'our GPU device, buffers and dispatch inside tfjs',
    may: ['base'],
  },
  'engine/kernels': {
    about: 'one operation per file: shape rule, WGSL, gradient, CPU reference',
    may: ['base', 'engine/webgpu', 'engine/types'],
  },
  'engine/quantization': {
    about: 'weights to NF4 and 8 bits, as bitsandbytes and ggml do it',
    may: ['engine/kernels', 'engine/webgpu'],
  },
  // A run is family × method × objective. They share the interface of a model, and do not know each other's names.
  'engine/models': {
    about: 'each family as a function from weights, ids and hooks to hidden states',
    may: [
      ...['base', 'families', 'data/types', 'engine/types', 'engine/webgpu', 'engine/kernels'],
      'engine/quantization',
    ],
  },
  'engine/methods': {
    about: 'each method: its trainable tensors and what they do to the forward pass',
    may: [...engineParts, 'families', 'methods', 'engine/models/model'],
  },
  'engine/objectives': {
    about: 'each objective: a batch to a loss',
    may: [
      ...[...engineParts, 'objectives', 'engine/models/model', 'engine/models/heads', 'engine/models/input'],
      'engine/generation/options',
    ],
  },
  'engine/optim': {
    about: 'optimisers, clipping and penalties over flat buffers',
    may: [...engineParts, 'engine/quantization'],
  },
  'engine/benchmark': {
    about: 'how fast a graphics card is: its floors, products, training steps and answers, with random weights',
    may: [
      ...[
        ...engineParts,
        'families',
        'formats/half',
        'benchmark',
        'engine/models',
        'engine/methods',
        'engine/objectives',
      ],
      ...['engine/optim', 'engine/run', 'engine/generation'],
    ],
  },
  engine: {
    about: 'tensors in, tensors out: no DOM, no React, no IndexedDB',
    may: [
      ...[...engineParts, 'families', 'methods', 'objectives'],
      ...['engine/models', 'engine/methods', 'engine/objectives', 'engine/optim'],
    ],
  },
  rpc: {
    about: 'typed calls between threads and pages',
    may: ['base'],
  },
  workers: {
    about: 'the seven workers: engine, data, plan, download, upload, reward and benchmark',
    may: [...shared, 'families', 'benchmark', 'engine', 'rpc', 'session/api', 'session/no-device'],
  },
  session: {
    about: 'what the page talks to: starts the workers, and replaces them when they fail',
    may: [...shared, 'families', 'benchmark', 'rpc', 'workers', 'engine/run/dry-run'],
  },
  stores: {
    about: 'what the screen remembers',
    may: [...shared, 'benchmark', 'session'],
  },
  app: {
    about: 'React components',
    may: [...shared, 'benchmark', 'session', 'stores'],
  },
  headless: {
    about: 'the same app without a person, in a page or in Node',
    may: [
      ...[
        'base',
        'self-instruct',
        'methods',
        'objectives',
        'rewards',
        'recipe',
        'exports',
        'data/types',
        'data/usage',
        'metrics',
        'storage/types',
        'storage/scratch',
        'storage/kernel-choices',
      ],
      ...['hub/types', 'hub/descriptions', 'hub/hub-policy', 'rpc', 'session', 'workers', 'stores'],
    ],
  },
  inspect: {
    about: 'what is made of a dataset file, as JSON, for `npm run inspect` in Node',
    may: ['base', 'families', 'objectives', 'recipe', 'data', 'hub', 'session/tokenizer-files', 'workers/data'],
  },
  'page-export': {
    about: 'the page that is exported: its screen, its worker with the inference of the engine, its service worker',
    may: [
      ...['base', 'data', 'formats', 'hub', 'engine', 'rpc', 'exports/page/manifest'],
      ...['session/stream-text', 'session/tokenizer-files', 'workers/engine/adapters', 'workers/engine/stored-head'],
    ],
  },
  'service-worker': {
    about: "the app's own files, kept in this browser; one file without imports",
    may: [],
  },
  main: {
    about: 'the entry of the page',
    may: ['base', 'app', 'stores'],
  },
};

/** Packages that only some folders may import. */
export const packages = [
  { name: /^@tensorflow\//, only: ['engine'] },
  {
    name: /^(react|react-dom|lucide-react|@base-ui\/react|@tanstack\/react-virtual|uplot)(\/|$)/,
    only: ['app', 'main'],
  },
  { name: /^zustand(\/|$)/, only: ['stores'] },
  { name: /^node:/, only: [] },
];

const within = (name, folder) => name === folder || name.startsWith(`${folder}/`);
const longest = (name) =>
  Object.keys(layers)
    .filter((layer) => within(name, layer))
    .sort((a, b) => b.length - a.length)[0];

/** Why `from` (a path under src, without extension) may not import `request`; undefined when it may. */
function refusal(from, request) {
  const layer = longest(from);
  if (!layer) return `src/${from} is in no layer: name it in scripts/lint/layers.mjs`;
  const specifier = request.replace(/\?.*$/, '');
  if (!specifier.startsWith('.')) {
    const rule = packages.find(({ name }) => name.test(specifier));
    if (!rule || rule.only.some((folder) => within(from, folder))) return undefined;
    return `${specifier} may be imported only in ${rule.only.map((f) => `src/${f}`).join(', ') || 'scripts'}`;
  }
  const target = path.posix
    .normalize(path.posix.join(path.posix.dirname(from), specifier))
    .replace(/\.(tsx?|m?js)$/, '');
  if (target.startsWith('../')) {
    return /^\.\.\/(tests|bench|scripts)(\/|$)/.test(target) ? `src may not import ${target.slice(3)}` : undefined;
  }
  const targetLayer = longest(target);
  if (!targetLayer || targetLayer === layer) return undefined;
  // A layer that is allowed brings its sublayers along (workers -> engine/webgpu), except to those inside it.
  const allowed = layers[layer].may.some(
    (name) => within(target, name) && (!within(layer, name) || name === targetLayer),
  );
  return allowed ? undefined : `${layer} may not import ${targetLayer}`;
}

/** @returns {string[]} imports against the layers, each as `src/file.ts:line: why` */
export function checkLayers(root, graph = readGraph(root)) {
  const broken = [];
  for (const { path: file, imports } of graph.values()) {
    const from = file.replace(/^src\//, '').replace(/\.\w+$/, '');
    for (const { request, line } of imports) {
      const why = refusal(from, request);
      if (why) broken.push(`${file}:${line}: ${why}`);
    }
  }
  return broken.sort();
}
