// Rule: the id of a method, an objective or a family is written only in its own files; everything else asks its
// descriptor. Adding one is then a file and a line in the registry, and no other place can be forgotten.
//
// The ids come from the registries: the `type` (families: `modelType`) of what a folder's `all.ts` exports. An id's own
// files have its name, with `-` for `_`, in the folders of its kind: those of `prefix_tuning` are
// src/methods/prefix-tuning.ts, its twin in src/engine/methods, and what other trainers make of it (src/exports/trainers/trl/methods,
// src/recipe/conversion/methods). The file that declares an id is its own too, and so are those of its name.
//
// These count as writing an id:
// - a string, or a template without expressions, that equals it: `case` labels and literal types included;
// - a key such as `prefix_tuning:` of an object or a type. An id without underscore also names other things (`lora:` of a
//   matrix product), so it counts as a key only if the same object has another id of that kind as a key;
// - 'full', 'head' and 'reward' are everyday words. They count only next to a name such as `type`, `kind`, `method` or `objective`
//   (compared with it, assigned to it, as the value of such a key, as a `case` of a switch over it), or in a list or
//   union with another id of that kind.
// Keys in the registries do not count: a registry is a table of ids.
import path from 'node:path';
import { lineAt, readGraph, walk } from './graph.mjs';

/**
 * Files that may write ids: `ids` are those, or all if left out; `why` says whose they are. An exception that is not needed
 * is an error.
 *
 * @type {{ file: string, ids?: string[], why: string }[]}
 */
export const exceptions = [
  {
    file: 'src/hub/shelf.ts',
    why: 'copies of config.json files on the Hub',
  },
  ...['presets', 'answer-presets'].map((name) => ({
    file: `src/recipe/${name}.ts`,
    why: 'each preset is a whole recipe of one method',
  })),
  {
    file: 'src/families/adapterhub.ts',
    ids: ['lora', 'bottleneck'],
    why: "AdapterHub's names in adapter_interface.json",
  },
  {
    file: 'src/formats/mlx.ts',
    ids: ['lora'],
    why: "mlx-lm's fine_tune_type",
  },
  {
    file: 'src/formats/adapterhub.ts',
    ids: ['bert'],
    why: "AdapterHub's `init_weights: bert`",
  },
  {
    file: 'src/engine/objectives/reinforcement/policy-loss.ts',
    ids: ['grpo'],
    why: "TRL's name of a loss type",
  },
  {
    file: 'src/base/task.ts',
    ids: ['token_classification'],
    why: 'the problem type as stored with runs and in labels.json',
  },
  ...['gguf-tokenizer', 'gguf-splits', 'gguf-vocabulary'].map((name) => ({
    file: `src/formats/${name}.ts`,
    why: "GGUF's names of tokenizers",
  })),
  ...['pre-tokenizer', 'section'].map((name) => ({
    file: `src/exports/gguf/tokenizer/${name}.ts`,
    why: "GGUF's names of tokenizers",
  })),
  {
    file: 'src/formats/gguf-adapter.ts',
    ids: ['lora'],
    why: "llama.cpp's `adapter.type`",
  },
];

/** How other trainers have them, a file each: in Python for TRL, and in configs. */
const trl = 'src/exports/trainers/trl';
const configs = 'src/recipe/conversion';

const kinds = [
  {
    kind: 'method',
    folders: ['src/methods', 'src/engine/methods', `${trl}/methods`, `${configs}/methods`],
    key: 'type',
  },
  {
    kind: 'objective',
    folders: ['src/objectives', 'src/engine/objectives', `${trl}/objectives`, `${configs}/objectives`],
    key: 'type',
  },
  { kind: 'family', folders: ['src/families', 'src/families/gguf', 'src/engine/models'], key: 'modelType' },
];

const everydayWords = new Set(['full', 'head', 'reward']);
const namesAKind = /(^|[._])(type|kind|method|objective)s?$|[a-z](Type|Kind|Method|Objective)s?$/;

const text = (node) => {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0].value.cooked;
  return undefined;
};
const keyOf = ({ key, computed }) => (computed ? undefined : key?.type === 'Identifier' ? key.name : text(key));

/** What an expression is called: `method.type` is `type`. */
function nameOf(node) {
  switch (node?.type) {
    case 'Identifier':
      return node.name;
    case 'MemberExpression':
      return node.computed ? text(node.property) : node.property.name;
    case 'CallExpression':
      return nameOf(node.callee);
    case 'ChainExpression':
    case 'TSNonNullExpression':
    case 'TSAsExpression':
      return nameOf(node.expression);
    default:
      return undefined;
  }
}

/** The object literal that an exported constant is, also within a call, `as` or `satisfies`. */
function objectOf(node) {
  switch (node?.type) {
    case 'ObjectExpression':
      return node;
    case 'CallExpression':
      return node.arguments.map(objectOf).find(Boolean);
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
      return objectOf(node.expression);
    default:
      return undefined;
  }
}

/** The exported constants of a file by name. */
function constants({ program }) {
  return new Map(
    program.body
      .flatMap((node) => (node.type === 'ExportNamedDeclaration' ? (node.declaration?.declarations ?? []) : []))
      .map(({ id, init }) => [id.name, init]),
  );
}

/** Every id with its kind and the names of the files that are its own. */
function readIds(graph) {
  const ids = [];
  for (const { kind, folders, key } of kinds) {
    const [folder] = folders;
    const registry = graph.get(`${folder}/all.ts`);
    for (const node of registry?.program.body ?? []) {
      if (node.type !== 'ExportNamedDeclaration' || !node.source) continue;
      const target = registry.imports.find(({ request }) => request === node.source.value)?.target;
      if (!target?.startsWith(`${folder}/`)) continue;
      const exported = constants(graph.get(target));
      for (const { local } of node.specifiers) {
        const descriptor = objectOf(exported.get(local?.name));
        const id = text(descriptor?.properties.find((property) => keyOf(property) === key)?.value);
        if (id === undefined) continue;
        const names = [id.replaceAll('_', '-'), path.posix.basename(target, '.ts')];
        const own = folders.flatMap((each) => names.map((name) => `${each}/${name}`));
        ids.push({ id, kind, own });
      }
    }
  }
  return ids;
}

/** Whether what is written at `node`, an everyday word, is used as an id. */
function isUsedAsId(node, ancestors, isSibling) {
  let inner = node;
  for (const parent of ancestors.toReversed()) {
    switch (parent.type) {
      case 'TSAsExpression':
      case 'TSSatisfiesExpression':
      case 'TSLiteralType':
      case 'TSTypeAnnotation':
      case 'LogicalExpression':
      case 'ConditionalExpression':
        break;
      case 'ArrayExpression':
        if (parent.elements.some((each) => each !== inner && isSibling(text(each)))) return true;
        break;
      case 'TSUnionType':
        if (parent.types.some((each) => each !== inner && isSibling(text(each.literal)))) return true;
        break;
      case 'BinaryExpression':
        return /^[!=]==?$/.test(parent.operator) && namesAKind.test(nameOf(other(parent, inner)) ?? '');
      case 'SwitchCase': {
        const { discriminant } = ancestors[ancestors.indexOf(parent) - 1];
        return parent.test === inner && namesAKind.test(nameOf(discriminant) ?? '');
      }
      case 'Property':
      case 'PropertyDefinition':
      case 'TSPropertySignature':
        return parent.key !== inner && namesAKind.test(keyOf(parent) ?? '');
      case 'VariableDeclarator':
        return namesAKind.test(nameOf(parent.id) ?? '');
      case 'AssignmentExpression':
      case 'AssignmentPattern':
        return namesAKind.test(nameOf(parent.left) ?? '');
      case 'Identifier': // whose type is the literal
        return namesAKind.test(parent.name);
      default:
        return false;
    }
    inner = parent;
  }
  return false;
}
const other = ({ left, right }, side) => (left === side ? right : left);

const membersOf = (node) =>
  ({ ObjectExpression: node.properties, TSTypeLiteral: node.members, TSInterfaceBody: node.body })[node.type] ?? [];

/** Calls `found(id, offset)` for every id that a file writes. */
function findIds({ path: file, program }, ids, found) {
  const meanings = (word) => ids.filter(({ id }) => id === word);
  const alike = (a, b) => meanings(a).some(({ kind }) => meanings(b).some((each) => each.kind === kind));
  const isRegistry = kinds.some(({ folders }) => folders.some((folder) => file === `${folder}/all.ts`));
  walk(program, (node, ancestors) => {
    const keys = isRegistry ? [] : membersOf(node).filter(({ shorthand }) => !shorthand);
    for (const member of keys) {
      const key = keyOf(member);
      const isTable = keys.some((each) => each !== member && alike(keyOf(each), key));
      if (key?.includes('_') || isTable) for (const id of meanings(key)) found(id, member.start);
    }
    const word = text(node);
    const parent = ancestors.at(-1);
    if (word === undefined || parent.source === node || (parent.key === node && !parent.computed)) return;
    if (everydayWords.has(word) && !isUsedAsId(node, ancestors, (each) => alike(each, word))) return;
    for (const id of meanings(word)) found(id, node.start);
  });
}

/**
 * Off until there are descriptors to ask.
 *
 * @returns {string[]} each as `src/file.ts:line: why`
 */
export function checkIds(root, graph = readGraph(root), allowed = exceptions) {
  if (!graph.has('src/methods/index.ts') || !graph.has('src/objectives/index.ts')) return [];
  const ids = readIds(graph);
  const broken = kinds
    .filter(({ kind, folders }) => graph.has(`${folders[0]}/all.ts`) && !ids.some((id) => id.kind === kind))
    .map(({ folders, key }) => `${folders[0]}/all.ts:1: exports no constant that has a \`${key}\``);
  const needed = new Set();
  for (const file of graph.values()) {
    const name = file.path.replace(/\.\w+$/, '');
    findIds(file, ids, ({ id, kind, own }, offset) => {
      if (own.some((each) => name === each || name.startsWith(`${each}/`))) return;
      const exception = allowed.find((each) => each.file === file.path && (each.ids?.includes(id) ?? true));
      if (exception) needed.add(exception);
      else
        broken.push(`${file.path}:${lineAt(file.source, offset)}: writes the ${kind} id '${id}': ask its descriptor`);
    });
  }
  for (const exception of allowed) {
    if (!needed.has(exception)) broken.push(`${exception.file}:1: its exception in scripts/lint/ids.mjs is not needed`);
  }
  return [...new Set(broken)].sort();
}
