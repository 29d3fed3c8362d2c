/** The datasets of a scripted session: really parsed, and tokens are words. */
import { augment } from '../../../src/data/augment';
import { finish, nearDuplicates } from '../../../src/data/near-duplicates';
import { parseDataset } from '../../../src/data/parse';
import { preferenceParts, shownTurns } from '../../../src/data/preference-parts';
import type { Example, ParsedDataset, TokenView } from '../../../src/data/types';
import type { Recipe } from '../../../src/recipe/types';
import type { Session } from '../../../src/session/api';
import { editDataset } from '../../../src/workers/data/edit-dataset';
import { taskOf } from './classes';
import { sleep } from './sleep';

/** The parts of an example: the context, and what is learned. */
function segmentsOf(example: Example): { text: string; trained: boolean }[] {
  switch (example.kind) {
    case 'text':
      return [{ text: example.text, trained: true }];
    case 'labelled':
      return [{ text: example.text, trained: false }];
    case 'tagged':
      return [{ text: example.tokens.join(' '), trained: false }];
    case 'pair':
    case 'judged':
    case 'prompt':
      return preferenceParts(example).map(({ part, turns }) => ({
        text: shownTurns(turns),
        trained: part !== 'prompt',
      }));
    case 'prompt_completion':
      return [
        { text: `<|im_start|>user\n${example.prompt}<|im_end|>\n<|im_start|>assistant\n`, trained: false },
        { text: `${example.completion}<|im_end|>`, trained: true },
      ];
    case 'messages':
      return example.messages.flatMap(({ role, content }) => [
        { text: `<|im_start|>${role}\n`, trained: false },
        { text: `${content}<|im_end|>`, trained: role === 'assistant' },
        { text: '\n', trained: false },
      ]);
  }
}

const wordsOf = (text: string) => text.match(/<\|\w+\|>|\n|\s?[^\s<]{1,6}|./g) ?? [];

function viewOf(example: Example, maxLength: number): TokenView {
  const segments = segmentsOf(example);
  const tokens = segments.flatMap(({ text, trained }) => wordsOf(text).map((word) => ({ text: word, trained })));
  return {
    row: example.row,
    rendered: segments.map(({ text }) => text).join(''),
    tokens: tokens.map((token, i) => ({ ...token, id: token.text.charCodeAt(0) + i, cut: i >= maxLength })),
  };
}

export interface ScriptedDatasets
  extends Pick<
    Session,
    | 'openDataset'
    | 'nearDuplicates'
    | 'augmentPreview'
    | 'augmentDataset'
    | 'leaks'
    | 'exampleLosses'
    | 'tokenLosses'
    | 'importDataset'
    | 'addDataset'
    | 'ownDatasets'
    | 'editDataset'
    | 'undoEdit'
    | 'redoEdit'
    | 'resetDataset'
    | 'tokenize'
    | 'viewTokens'
  > {
  /** How many tokens each example has. */
  lengthsOf(recipe: Recipe): Promise<number[]>;
}

export function createScriptedDatasets(): ScriptedDatasets {
  const files = new Map<string, File>();
  const parsed = new Map<string, ParsedDataset>();

  async function parse(recipe: Pick<Recipe, 'dataset'>['dataset']): Promise<ParsedDataset> {
    const { source, format, columns } = recipe;
    const key = JSON.stringify([source, format, columns]);
    const known = parsed.get(key);
    if (known) return known;
    const name = source.replace(/^\w+:/, '');
    const listed = (await (await fetch('/datasets/index.json')).json()) as { name: string; file: string }[];
    const file = listed.find((entry) => entry.name === name)?.file ?? name;
    const bytes = files.get(source) ?? (await (await fetch(`/datasets/${file}`)).blob());
    const result = parseDataset(file, new Uint8Array(await bytes.arrayBuffer()), { format, columns });
    parsed.set(key, result);
    return result;
  }

  /** What each file was before its edits, and after those that were undone. */
  const past = new Map<string, File[]>();
  const future = new Map<string, File[]>();
  let lastRead: Recipe['dataset'] | null = null;

  function write(source: string, file: File): Promise<ParsedDataset> {
    files.set(source, file);
    parsed.clear();
    return parse({ ...lastRead!, source });
  }

  function step(source: string, from: Map<string, File[]>, to: Map<string, File[]>): Promise<ParsedDataset> {
    const file = from.get(source)!.pop()!;
    to.set(source, [...(to.get(source) ?? []), files.get(source)!]);
    return write(source, file);
  }

  async function lengthsOf(recipe: Recipe): Promise<number[]> {
    const { examples } = await parse(recipe.dataset);
    return examples.map((example) => viewOf(example, Infinity).tokens.length);
  }

  return {
    lengthsOf,
    openDataset(section) {
      lastRead = section;
      return parse(section);
    },
    async augmentPreview(recipe, options, most) {
      const { examples } = await parse(recipe.dataset);
      return {
        made: examples.slice(0, most).flatMap((example) => augment(example, options)),
        examples: examples.length,
      };
    },
    augmentDataset: async () => 'builtin:pirate-chat',
    async nearDuplicates(section) {
      return finish(nearDuplicates((await parse(section)).examples));
    },
    leaks: async () => [],
    async exampleLosses(recipe, onProgress) {
      const { examples } = await parse(recipe.dataset);
      onProgress(examples.length, examples.length);
      const losses = Float32Array.from(examples, ({ row }) => 1 + ((row * 7919) % 100) / 40);
      return { rows: examples.map(({ row }) => row), losses, adapter: null };
    },
    async tokenLosses(recipe, row) {
      const { examples } = await parse(recipe.dataset);
      const { tokens } = viewOf(examples.find((example) => example.row === row)!, Infinity);
      const base = Float32Array.from(tokens, ({ id }, i) => (i === 0 ? Number.NaN : ((id * 31) % 70) / 10));
      return { row, base, tuned: base.map((loss) => loss / 3), adapter: 'scripted' };
    },
    async importDataset(file) {
      files.set(`file:${file.name}`, file);
      parsed.clear();
      return `file:${file.name}`;
    },
    async addDataset(file, section) {
      const source = `file:${file.name}`;
      const dataset = parseDataset(file.name, new Uint8Array(await file.arrayBuffer()), section);
      files.set(source, file);
      parsed.clear();
      return { source, dataset };
    },
    ownDatasets: async () =>
      [...files].map(([source, { name, size, lastModified }]) => ({
        ...{ source, name, bytes: size, addedAt: lastModified, examples: null, reading: {} },
        edited: (past.get(source)?.length ?? 0) > 0,
      })),
    async editDataset(source, edit) {
      const file = files.get(source)!;
      const { columns, format } = lastRead!;
      const bytes = editDataset(file.name, await file.arrayBuffer(), { columns, format }, edit);
      past.set(source, [...(past.get(source) ?? []), file]);
      future.delete(source);
      return write(source, new File([bytes], file.name));
    },
    undoEdit: (source) => step(source, past, future),
    redoEdit: (source) => step(source, future, past),
    async resetDataset(source) {
      const [first] = past.get(source)!;
      past.set(source, [...past.get(source)!, files.get(source)!]);
      return write(source, first!);
    },
    async tokenize(recipe) {
      await sleep(80);
      const { examples } = await parse(recipe.dataset);
      const lengths = await lengthsOf(recipe);
      const sorted = [...lengths].sort((a, b) => a - b);
      const longest = sorted.at(-1) ?? 0;
      const percentile95 = sorted[Math.floor(sorted.length * 0.95)] ?? 0;
      const { max_length, validation_split } = recipe.dataset;
      const maxLength = max_length === 'auto' ? percentile95 : max_length;
      const width = Math.ceil((longest + 1) / 24);
      const validationExamples = Math.round(examples.length * validation_split);
      return {
        train: [],
        validation: [],
        rows: { train: new Int32Array(), validation: new Int32Array() },
        byExample: {
          rows: Int32Array.from(examples, ({ row }) => row),
          tokens: Int32Array.from(lengths),
          sides: Uint8Array.from(examples, (_, i) => (i < examples.length - validationExamples ? 1 : 2)),
        },
        maxLength,
        problems: [],
        task: taskOf(recipe.objective.type, examples),
        stats: {
          examples: examples.length,
          trainExamples: examples.length - validationExamples,
          validationExamples,
          tokens: lengths.reduce((sum, length) => sum + length, 0),
          targetTokens: Math.round(lengths.reduce((sum, length) => sum + length, 0) * 0.58),
          longest,
          percentile95,
          truncated: lengths.filter((length) => length > maxLength).length,
          histogram: Array.from({ length: 24 }, (_, i) => ({
            from: i * width,
            to: (i + 1) * width,
            count: lengths.filter((length) => length >= i * width && length < (i + 1) * width).length,
          })),
          duplicates: 0,
        },
      };
    },
    async viewTokens(recipe, row) {
      const { examples } = await parse(recipe.dataset);
      return viewOf(examples.find((example) => example.row === row)!, 40);
    },
  };
}
