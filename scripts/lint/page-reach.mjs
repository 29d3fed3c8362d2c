// Rule: the page loads no engine. From src/main.tsx no import that runs reaches the engine, a worker or tfjs.
import { readGraph } from './graph.mjs';

const entry = 'src/main.tsx';
const kept = [/^src\/engine\//, /^src\/workers\//];
const keptPackages = /^@tensorflow\//;

/**
 * Follows static and dynamic imports, not `import type` (which leaves nothing in the bundle) and not workers, which are
 * programs of their own. Stops at the first kept file of a way: what that one imports is no further finding.
 *
 * @returns {string[]} each as `src/file.ts:line: why`, with the chain of imports from the entry
 */
export function checkPageReach(root, graph = readGraph(root)) {
  if (!graph.has(entry)) return [];
  const cameFrom = new Map([[entry, undefined]]);
  const chain = (file) => (file ? [...chain(cameFrom.get(file)), file] : []);
  const broken = [];
  const queue = [entry];
  for (const file of queue) {
    for (const { request, target, kind, line } of graph.get(file).imports) {
      // `?worker`, `?url` and `?raw` give an address or a text, not the module.
      if (kind === 'type' || kind === 'url' || /\?(worker|sharedworker|url|raw)\b/.test(request)) continue;
      if (keptPackages.test(request) || kept.some((folder) => folder.test(target ?? ''))) {
        const way = [...chain(file), target ?? request].join(' -> ');
        broken.push(`${file}:${line}: the page may not load ${target ?? request}: ${way}`);
      } else if (target && !cameFrom.has(target)) {
        cameFrom.set(target, file);
        queue.push(target);
      }
    }
  }
  return broken.sort();
}
