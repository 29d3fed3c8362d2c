// Rule: no file of src imports itself by way of others, not even for a type.
import { readGraph } from './graph.mjs';

/** The shortest way along imports from `start` back to itself, as files that begin with `start`; or undefined. */
function circleThrough(graph, start) {
  const cameFrom = new Map();
  const queue = [start];
  for (const file of queue) {
    // A worker started by its URL is another program, not an import.
    for (const { target, kind } of graph.get(file).imports) {
      if (!target || kind === 'url' || cameFrom.has(target)) continue;
      cameFrom.set(target, file);
      queue.push(target);
    }
    if (cameFrom.has(start)) break;
  }
  if (!cameFrom.has(start)) return undefined;
  const circle = [];
  let at = start;
  do {
    at = cameFrom.get(at);
    circle.unshift(at);
  } while (at !== start);
  return circle;
}

/**
 * Shortest circles first. One that shares a file with a reported circle is left out: it shows once that one is open.
 *
 * @returns {string[]} each as `src/file.ts:line: why`
 */
export function checkCircles(root, graph = readGraph(root)) {
  const circles = [...graph.keys()]
    .map((file) => circleThrough(graph, file))
    .filter((circle) => circle !== undefined)
    .sort((a, b) => a.length - b.length || (a[0] < b[0] ? -1 : 1));
  const seen = new Set();
  const broken = [];
  for (const circle of circles) {
    if (circle.some((file) => seen.has(file))) continue;
    for (const file of circle) seen.add(file);
    const next = circle[1] ?? circle[0];
    const { line } = graph.get(circle[0]).imports.find(({ target, kind }) => target === next && kind !== 'url');
    broken.push(`${circle[0]}:${line}: import circle ${[...circle, circle[0]].join(' -> ')}`);
  }
  return broken.sort();
}
