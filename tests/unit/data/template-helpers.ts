/** Real chat templates with their tokenisers, opened in the data worker's own code. */
import { readFileSync } from 'node:fs';
import { ChatTemplate } from '../../../src/data/chat-template';
import type { DatasetSection, SystemFallback, TemplatedText } from '../../../src/recipe/sections';
import type { DataApi } from '../../../src/workers/data/api';
import { createDataApi } from '../../../src/workers/data/service';
import { jsonl, section, tokenizerFiles, utf8 } from './helpers';

const FOLDER = 'tests/fixtures/templates';
const read = (file: string) => readFileSync(new URL(`../../../${FOLDER}/${file}`, import.meta.url), 'utf8');

export const OBJECTIVE = { type: 'sft', assistant_only_loss: true } as const;

export function filesOf(name: string, template = read(`${name}.jinja`)) {
  const { tokenizer, special } = JSON.parse(read(`${name}.json`)) as { tokenizer: string; special: object };
  const files = tokenizerFiles(`tests/fixtures/tokenizers/${tokenizer}`);
  const config = { ...JSON.parse(files.tokenizerConfig!), ...special };
  return { ...files, tokenizerConfig: JSON.stringify(config), chatTemplate: template };
}

export const templateOf = (name: string) =>
  new ChatTemplate(read(`${name}.jinja`), { bos_token: '<s>', eos_token: '</s>' });

/** A model with this template (its own, or another in its place), and a file of these rows. */
export function opened(name: string, rows: unknown[], template?: string): DataApi {
  const api = createDataApi();
  api.openTokenizer(filesOf(name, template));
  api.parse('rows.jsonl', utf8(jsonl(rows)).buffer as ArrayBuffer, { format: 'auto', columns: null });
  return api;
}

export interface Written {
  text: string;
  /** What is learned of it, with ¦ where something in between is not. */
  learned: string;
}

/** A row as the model reads it. */
export function written(api: DataApi, row: number, changes: Partial<DatasetSection> = {}): Written {
  const { rendered, tokens } = api.viewTokens(row, section(changes), OBJECTIVE, 1_000_000);
  const learned: number[][] = [];
  tokens.forEach(({ id, trained }, i) => {
    if (!trained) return;
    if (i > 0 && tokens[i - 1]!.trained) learned.at(-1)!.push(id);
    else learned.push([id]);
  });
  const shown = new Map(tokens.map(({ id, text }) => [id, text]));
  return { text: rendered, learned: learned.map((ids) => ids.map((id) => shown.get(id)).join('')).join(' ¦ ') };
}

export const tokenized = (
  api: DataApi,
  changes: { system_fallback?: SystemFallback; templated_text?: TemplatedText } = {},
) => api.tokenize(section(changes), OBJECTIVE, 100_000, 1);

export const turn = (role: string, content: string, more: object = {}) => ({ role, content, ...more });
