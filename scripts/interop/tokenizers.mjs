// Compares our tokenizer, and llama.cpp with our GGUF sections, with the Rust library on the hard and the long strings, for the complete
// tokenizers of real models.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { ggufTokenizers } from './gguf-tokenizers.mjs';

/** Builds our tokenizer as a module that Node can import. */
async function ourTokenizer(folder) {
  const { build } = await import('vite');
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: { ssr: 'src/data/tokenizer.ts', outDir: folder, emptyOutDir: false },
  });
  return (await import(pathToFileURL(path.join(folder, 'tokenizer.js')).href)).TextTokenizer;
}

const differs = (a, b) => a.length !== b.length || a.some((value, i) => value !== b[i]);

/** Describes the first string that our tokenizer encodes or decodes differently; null if all agree. */
function firstDifference(tokenizer, rows) {
  const wrong = [];
  for (const { text, ids, ids_with_special, decoded } of rows) {
    const show = JSON.stringify(text.slice(0, 60));
    const ours = tokenizer.encode(text, false).ids;
    if (differs(ours, ids)) wrong.push(`ids of ${show}: ${ours.slice(0, 20)} instead of ${ids.slice(0, 20)}`);
    else if (differs(tokenizer.encode(text, true).ids, ids_with_special)) wrong.push(`special tokens at ${show}`);
    else if (tokenizer.decode(ids, false) !== decoded) wrong.push(`text of ${show}`);
  }
  return wrong.length === 0 ? null : `${wrong.length} of ${rows.length} differ; ${wrong[0]}`;
}

/** For every family, the ids with and without special tokens and the decoded texts must equal the Rust library's. */
export async function tokenizers({ python, folder, report }) {
  const out = path.join(folder, 'tokenizers');
  const script = path.join(root, 'scripts/interop/tokenizer_ids.py');
  if ((await run(python, [script, out], { timeoutMs: 900_000 })) !== 0) {
    throw new Error('The tokenizers could not be downloaded and read by the Rust library.');
  }
  const TextTokenizer = await ourTokenizer(path.join(folder, 'tokenizer-module'));
  const names = readdirSync(out);
  for (const name of names) {
    const read = (file) => readFileSync(path.join(out, name, file), 'utf8');
    const title = `${name}: ids and texts equal the Rust library's`;
    try {
      const tokenizer = new TextTokenizer({
        tokenizerJson: read('tokenizer.json'),
        tokenizerConfig: read('tokenizer_config.json'),
        specialTokensMap: null,
        generationConfig: null,
      });
      const rows = JSON.parse(read('strings.json'));
      const difference = firstDifference(tokenizer, rows);
      report.check(title, difference === null, difference ?? `${rows.length} strings, ${tokenizer.vocabSize} tokens`);
    } catch (error) {
      report.check(title, false, error.message);
    }
  }
  await ggufTokenizers(out, names, report);
}
