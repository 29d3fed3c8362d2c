// The held-out questions that the demos of the built-in model are judged by, and what a model answers to them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureNodeModule, root } from '../build.mjs';
import { measure } from '../interop/measure.mjs';

export const base = path.join(root, 'public/models/stories');
/** Longer than every answer of the datasets. */
const TOKENS = 48;
const END = 2;

export const moduleOf = async (entry) => import(pathToFileURL(await ensureNodeModule(entry)).href);

/** `closing`: the pirate's words; of each row the `question` and the `references` that answer it. */
export const { closing, rows } = JSON.parse(
  readFileSync(path.join(root, 'scripts/builtin/pirate-held-out.json'), 'utf8'),
);

export const hasVoice = (answer) => answer.endsWith(closing);

async function openTokenizer() {
  const { TextTokenizer } = await moduleOf('src/data/tokenizer.ts');
  const read = (file) => readFileSync(path.join(base, file), 'utf8');
  return new TextTokenizer({
    tokenizerJson: read('tokenizer.json'),
    tokenizerConfig: read('tokenizer_config.json'),
    specialTokensMap: null,
    generationConfig: null,
  });
}

/** Greedy answers of a model's folder to the held-out questions, in their order. */
export async function answersOf(model) {
  const tokenizer = await openTokenizer();
  const greedy = rows.map(({ question }) => ({
    prompt: tokenizer.encode(`<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`, false).ids,
    tokens: TOKENS,
  }));
  const { greedy: written } = await measure({ model, greedy });
  return written.map((ids) => {
    const end = ids.indexOf(END);
    return tokenizer.decode(Array.from(end < 0 ? ids : ids.slice(0, end)), true).trim();
  });
}
