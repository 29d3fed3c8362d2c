// The rules about the tree that Biome does not know. Part of `npm run lint`; the exit code is 1 if one is broken.
import { checkCircles } from './circles.mjs';
import { checkDimmed } from './dimmed.mjs';
import { checkFoldersTable } from './folders.mjs';
import { readGraph } from './graph.mjs';
import { checkIds } from './ids.mjs';
import { checkLayers } from './layers.mjs';
import { checkPageReach } from './page-reach.mjs';
import { checkSize } from './size.mjs';

const rules = [checkLayers, checkCircles, checkPageReach, checkIds, checkSize, checkFoldersTable, checkDimmed];

const root = process.cwd();
const graph = readGraph(root);
let count = 0;
for (const check of rules) {
  const broken = check(root, graph);
  for (const line of broken) console.error(line);
  count += broken.length;
}
if (count > 0) console.error(`${count} broken rule${count === 1 ? '' : 's'} (scripts/lint).`);
process.exitCode = count > 0 ? 1 : 0;
