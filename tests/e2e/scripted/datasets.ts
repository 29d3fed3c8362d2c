/** The datasets of a scripted session: really parsed, and tokens are words. */
import { parseDataset } from '../../../src/data/parse';
import type { Example, ParsedDataset, TokenView } from '../../../src/data/types';
import type { Recipe } from '../../../src/recipe/types';
import type { Session } from '../../../src/session/api';
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
  extends Pick<Session, 'openDataset' | 'importDataset' | 'editDataset' | 'tokenize' | 'viewTokens'> {
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

  async function lengthsOf(recipe: Recipe): Promise<number[]> {
    const { examples } = await parse(recipe.dataset);
    return examples.map((example) => viewOf(example, Infinity).tokens.length);
  }

  return {
    lengthsOf,
    openDataset: (section) => parse(section),
    async importDataset(file) {
      files.set(`file:${file.name}`, file);
      parsed.clear();
      return `file:${file.name}`;
    },
    async editDataset(source, row, fields) {
      const [key, dataset] = [...parsed].find(([known]) => known.includes(source))!;
      const examples = dataset.examples.map((example): Example => {
        if (example.row !== row || example.kind !== 'prompt_completion') return example;
        const { mapping } = dataset;
        return {
          ...example,
          prompt: fields[mapping.prompt ?? mapping.text ?? ''] ?? example.prompt,
          completion: fields[mapping.completion ?? mapping.label ?? ''] ?? example.completion,
        };
      });
      const edited = { ...dataset, examples };
      parsed.set(key, edited);
      return edited;
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
