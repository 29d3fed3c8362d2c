// What the page loads before the engine: the entry of index.html, everything that it imports statically, and what the page
// preloads, its font included. Gzipped, as servers send it. The `size` suite of
// `npm test`; as a command:
//   node scripts/first-load.mjs [--modules]     --modules: where the bytes come from, by package and folder
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { parseSync } from 'vite';
import { ensureBuilt, root } from './build.mjs';

/** In kB of 1000 bytes, as Vite prints them. */
export const budget = 250;

/** The scripts and fonts that `folder`/index.html loads at once, with their gzipped sizes in bytes, largest first. */
export function firstLoad(folder) {
  const html = readFileSync(path.join(folder, 'index.html'), 'utf8');
  const tags = html.match(/<script\b[^>]*>|<link\b[^>]*\brel="(?:module)?preload"[^>]*>/g) ?? [];
  const names = tags.flatMap((tag) => /\b(?:src|href)="([^"]+)"/.exec(tag)?.[1] ?? []);
  const queue = [...new Set(names.map((name) => path.posix.normalize(name).replace(/^\//, '')))];
  const files = [];
  for (const name of queue) {
    const bytes = readFileSync(path.join(folder, name));
    files.push({ name, bytes: gzipSync(bytes).length });
    if (!name.endsWith('.js')) continue;
    const source = bytes.toString();
    const { module } = parseSync(name, source);
    const requests = [
      ...module.staticImports.map(({ moduleRequest }) => moduleRequest),
      ...module.staticExports.flatMap(({ entries }) => entries[0]?.moduleRequest ?? []),
    ];
    for (const { value } of requests) {
      const target = path.posix.join(path.posix.dirname(name), value);
      if (!queue.includes(target)) queue.push(target);
    }
  }
  return files.sort((a, b) => b.bytes - a.bytes);
}

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

/** Says what is loaded; false if it is more than the budget. */
export function reportFirstLoad(folder, log = console.log) {
  const files = firstLoad(folder);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { name, bytes } of files) log(`${kB(bytes).padStart(10)}  ${name}`);
  log(`${kB(total).padStart(10)}  before the engine, gzipped; ${budget} kB are allowed`);
  return total <= budget * 1000;
}

/** Where a module belongs: its package, or its folder under src. */
function ownerOf(id) {
  const name = path
    .relative(root, id.replace(/^\0|\?.*$/g, ''))
    .split(path.sep)
    .join('/');
  const inPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name);
  return inPackage?.[1] ?? (name.startsWith('src/') ? path.posix.dirname(name) : 'the bundler');
}

/** The bytes of each owner in a new build that is neither minified nor gzipped: only those can be told apart. */
async function modules() {
  const { build } = await import('vite');
  const { output } = await build({ root, logLevel: 'error', build: { write: false, minify: false } });
  const chunks = new Map(output.filter(({ type }) => type === 'chunk').map((chunk) => [chunk.fileName, chunk]));
  const queue = [...chunks.values()].filter(({ isEntry, name }) => isEntry && name === 'index');
  const owners = new Map();
  for (const { imports, modules } of queue) {
    for (const [id, { renderedLength }] of Object.entries(modules)) {
      owners.set(ownerOf(id), (owners.get(ownerOf(id)) ?? 0) + renderedLength);
    }
    for (const name of imports) if (!queue.includes(chunks.get(name))) queue.push(chunks.get(name));
  }
  return [...owners].sort(([, a], [, b]) => b - a);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { modules: { type: 'boolean', default: false } } });
  const folder = await ensureBuilt();
  if (!reportFirstLoad(folder)) process.exitCode = 1;
  if (values.modules) {
    console.log('\nBefore minification:');
    for (const [owner, bytes] of await modules()) console.log(`${kB(bytes).padStart(10)}  ${owner}`);
  }
}
