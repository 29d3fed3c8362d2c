// The files under src and what they import from each other: read once, shared by the rules.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from 'vite';

/**
 * @typedef {object} Import
 * @property {string} request as written, such as `../base/errors`
 * @property {number} line
 * @property {'value' | 'dynamic' | 'type' | 'url'} kind `url`: new URL(…, import.meta.url), which starts a worker
 * @property {string} [target] the file under the root that it names; undefined for packages, styles and missing files
 *
 * @typedef {object} SourceFile
 * @property {string} path from the root, such as `src/base/errors.ts`
 * @property {string} source
 * @property {any} program the syntax tree
 * @property {Import[]} imports in the order of the text
 *
 * @typedef {Map<string, SourceFile>} Graph by path
 */

/** Calls `visit(node, ancestors)` for every node of a syntax tree; the last ancestor is the parent. */
export function walk(tree, visit) {
  const ancestors = [];
  const step = (node) => {
    if (!node || typeof node !== 'object') return;
    if (Array.isArray(node)) {
      for (const item of node) step(item);
      return;
    }
    if (typeof node.type !== 'string') return;
    visit(node, ancestors);
    ancestors.push(node);
    for (const key of Object.keys(node)) step(node[key]);
    ancestors.pop();
  };
  step(tree);
}

/** The line of an offset, counted from 1. */
export const lineAt = (source, offset) => source.slice(0, offset).split('\n').length;

/** All files below `folder` (from the root) whose name matches, sorted. */
export function filesBelow(root, folder, matches) {
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesBelow(root, name, matches);
      return matches(entry.name) ? [name] : [];
    });
}

/** The module name that a node asks for, and how; undefined for other nodes. */
function requestOf(node) {
  switch (node.type) {
    // `import { type A }` counts as a value: under verbatimModuleSyntax the import itself stays.
    case 'ImportDeclaration':
      return [node.source, node.importKind === 'type' ? 'type' : 'value'];
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return node.source ? [node.source, node.exportKind === 'type' ? 'type' : 'value'] : undefined;
    case 'ImportExpression':
      return [node.source, 'dynamic'];
    case 'TSImportType':
      return [node.source, 'type'];
    case 'NewExpression':
      return node.callee.name === 'URL' && node.arguments[1]?.type === 'MemberExpression'
        ? [node.arguments[0], 'url']
        : undefined;
    default:
      return undefined;
  }
}

/** The file that `request` names in `from`, or undefined. */
function resolve(from, request, paths) {
  if (!request.startsWith('.')) return undefined;
  const name = path.posix.join(path.posix.dirname(from), request.replace(/\?.*$/, ''));
  return ['', '.ts', '.tsx', '.mjs', '/index.ts', '/index.tsx']
    .map((end) => name + end)
    .find((each) => paths.has(each));
}

/** @returns {Graph} every module of `root`/src */
export function readGraph(root) {
  const modules = filesBelow(root, 'src', (name) => /\.(ts|tsx|js|jsx|mjs)$/.test(name) && !name.endsWith('.d.ts'));
  const paths = new Set(modules);
  const graph = new Map();
  for (const file of modules) {
    const source = readFileSync(path.join(root, file), 'utf8');
    const { program, errors } = parseSync(file, source);
    if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
    const imports = [];
    walk(program, (node) => {
      const [name, kind] = requestOf(node) ?? [];
      if (typeof name?.value !== 'string') return;
      const request = name.value;
      imports.push({ request, line: lineAt(source, name.start), kind, target: resolve(file, request, paths) });
    });
    graph.set(file, { path: file, source, program, imports });
  }
  return graph;
}
