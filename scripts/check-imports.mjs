// Keeps imports one-way: which folder of src may import which, and which packages live where. Part of `npm run lint`.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseSync } from 'vite';

const engineParts = ['base', 'data/types', 'recipe/types', 'engine/types', 'engine/webgpu', 'engine/kernels'];

/**
 * Folder or file (without extension) under src -> what it may import besides itself. The longest name that fits counts,
 * on both sides: `engine/kernels` may import `engine/webgpu`, but nothing else of `engine` unless it is listed.
 */
export const layers = {
  base: [],
  recipe: ['base'],
  metrics: ['base'],
  families: ['base'],
  formats: ['base', 'recipe'],
  data: ['base', 'recipe', 'formats'],
  storage: ['base', 'recipe', 'formats', 'data'],
  hub: ['base', 'families', 'recipe', 'formats', 'storage'],
  // The engine knows nothing of where bytes came from: of data and recipe it sees the types only.
  'engine/webgpu': ['base'],
  'engine/kernels': ['base', 'engine/webgpu', 'engine/types'],
  'engine/quantization': ['engine/kernels'],
  // A run is family × method × objective; of one another they know the interface of a model, and no names.
  'engine/models': [
    ...['base', 'families', 'data/types', 'engine/types', 'engine/webgpu', 'engine/kernels'],
    'engine/quantization',
  ],
  'engine/methods': [...engineParts, 'engine/models/model'],
  'engine/objectives': [
    ...[...engineParts, 'engine/models/model', 'engine/models/head', 'engine/models/input'],
    'engine/generation/options',
  ],
  'engine/optim': [...engineParts, 'engine/quantization'],
  engine: [...engineParts, 'families', 'engine/models', 'engine/methods', 'engine/objectives', 'engine/optim'],
  rpc: ['base'],
  workers: [
    'base',
    'families',
    'recipe',
    'formats',
    'data',
    'metrics',
    'storage',
    'hub',
    'engine',
    'rpc',
    'session/api',
  ],
  session: [
    'base',
    'families',
    'recipe',
    'formats',
    'data',
    'metrics',
    'storage',
    'hub',
    'rpc',
    'workers',
    'engine/run/dry-run',
  ],
  stores: ['base', 'recipe', 'formats', 'data', 'metrics', 'storage', 'hub', 'session'],
  app: ['base', 'recipe', 'formats', 'data', 'metrics', 'storage', 'hub', 'session', 'stores'],
  headless: [
    'base',
    'recipe',
    'data/types',
    'metrics',
    'storage/types',
    'hub/types',
    'hub/descriptions',
    'rpc',
    'session',
    'workers',
    'stores',
  ],
  main: ['base', 'app', 'stores'],
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

/** Module names with their offsets: imports, re-exports, import(), import types and new URL(…, import.meta.url). */
function requests(file, source) {
  const { module, program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  const found = module.staticImports.map(({ moduleRequest: { value, start } }) => ({ value, start }));
  for (const { entries } of module.staticExports) {
    // `export { a, b } from 'c'` has an entry for each name, and one request.
    const request = entries[0]?.moduleRequest;
    if (request) found.push({ value: request.value, start: request.start });
  }
  const visit = (node) => {
    if (!node || typeof node !== 'object') return;
    if (Array.isArray(node)) return node.forEach(visit);
    const text =
      node.type === 'ImportExpression' || node.type === 'TSImportType'
        ? node.source
        : node.type === 'NewExpression' && node.callee.name === 'URL' && node.arguments[1]?.type === 'MemberExpression'
          ? node.arguments[0]
          : undefined;
    if (typeof text?.value === 'string') found.push({ value: text.value, start: text.start });
    for (const key of Object.keys(node)) visit(node[key]);
  };
  visit(program);
  return found;
}

function* sourceFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(name);
    else if (/\.(ts|tsx|js|jsx|mjs)$/.test(entry.name) && !entry.name.endsWith('.d.ts')) yield name;
  }
}

/** Why `from` (a path under src, without extension) may not import `request`; undefined when it may. */
function refusal(from, request) {
  const layer = longest(from);
  if (!layer) return `src/${from} is in no layer: name it in scripts/check-imports.mjs`;
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
  // A layer that is allowed brings its sublayers along (worker -> engine/webgpu), except to those inside it.
  const allowed = layers[layer].some((name) => within(target, name) && (!within(layer, name) || name === targetLayer));
  return allowed ? undefined : `${layer} may not import ${targetLayer}`;
}

/** All broken rules under `root`/src, each as `src/file.ts:line: rule`. */
export function checkImports(root) {
  const src = path.join(root, 'src');
  const broken = [];
  for (const file of sourceFiles(src)) {
    const source = readFileSync(file, 'utf8');
    const from = path
      .relative(src, file)
      .split(path.sep)
      .join('/')
      .replace(/\.\w+$/, '');
    for (const { value, start } of requests(file, source)) {
      const why = refusal(from, value);
      const line = source.slice(0, start).split('\n').length;
      if (why) broken.push(`${path.relative(root, file).split(path.sep).join('/')}:${line}: ${why}`);
    }
  }
  return broken.sort();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const broken = checkImports(process.cwd());
  for (const line of broken) console.error(line);
  if (broken.length > 0) console.error(`${broken.length} import${broken.length === 1 ? '' : 's'} against the layers.`);
  process.exitCode = broken.length > 0 ? 1 : 0;
}
