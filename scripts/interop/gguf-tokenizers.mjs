// What llama.cpp makes of hard strings, with the tokenizer sections that GGUF exports have: the ids of the Rust library, but where
// llama.cpp's own rules differ, whatever the file says.
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withModule } from './engine.mjs';
import { openLlamaCpp } from './llama-cpp.mjs';

const decomposed = (text) => text !== text.normalize('NFC');
/** Recognised in any vocabulary that has such a word. */
const known = (text) => /<\/s>|<s>|<unk>|<pad>/.test(text);

/** Texts that llama.cpp tokenises otherwise, by tokenizer: the notes of an export say so, but for the last two. */
const OTHERWISE = {
  gpt_neox: decomposed,
  qwen2: (text) => decomposed(text) || known(text),
  qwen3: (text) => decomposed(text) || known(text),
  'mistral-tekken': (text) => /\p{M}/u.test(text),
  'llama2-new': (text) => /^[\s▁]/.test(text) || known(text),
  // Marks that stand for spaces, written out.
  gemma2: (text) => text.includes('▁'),
  gemma3: (text) => text.includes('▁'),
};
/** Whether llama.cpp's own rules explain other tokens for a text. */
export const otherwise = (tokenizer, text) => OTHERWISE[tokenizer]?.(text) ?? false;
const NOT_FOR_TEXT = ['roberta', 'minilm', 'bert-cased'];

/** `out` has a folder for each tokenizer, with its files and the Rust library's ids (tokenizer_ids.py). */
export async function ggufTokenizers(out, names, report) {
  await withModule('/tests/interop/tokenizer-file.ts', async ({ tokenizerFile }) => {
    for (const name of names) {
      if (NOT_FOR_TEXT.includes(name)) continue;
      const title = `${name}: llama.cpp tokenises as the Rust library does`;
      const read = (file) => readFileSync(path.join(out, name, file), 'utf8');
      const file = path.join(out, name, 'tokenizer.gguf');
      try {
        const { header, bytes } = tokenizerFile(read('tokenizer.json'), read('tokenizer_config.json'));
        writeFileSync(file, header);
        truncateSync(file, bytes);
        const llama = await openLlamaCpp(file, { contextSize: 32 });
        const rows = JSON.parse(read('strings.json'));
        const wrong = rows.filter(({ text, ids }) => llama.tokenizeStart(text.toWellFormed()).join() !== ids.join());
        await llama.close();
        const unexplained = wrong.filter(({ text }) => !otherwise(name, text));
        const shown = unexplained.slice(0, 3).map(({ text }) => JSON.stringify(text.slice(0, 60)));
        const detail = `${rows.length - wrong.length} of ${rows.length} strings, ${wrong.length} by its own rules`;
        report.check(title, unexplained.length === 0, shown.length > 0 ? shown.join(', ') : detail);
      } catch (error) {
        report.check(title, false, error.message);
      }
    }
  });
}
