// Tiny base models with the tokenizers of real ones (make_bases.py), made once for all parts of a run.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';

/** Returns the folder that has a folder for each name. `reduced`: with excerpts of the tokenizers. */
export async function makeBases({ python, folder }, names, { reduced = false } = {}) {
  const bases = path.join(folder, reduced ? 'bases-reduced' : 'bases');
  const missing = names.filter((name) => !existsSync(path.join(bases, name, 'tokenizer_config.json')));
  const maker = path.join(root, 'scripts/interop/make_bases.py');
  const args = [...(reduced ? ['--reduced'] : []), ...missing];
  if (missing.length > 0 && (await run(python, [maker, bases, ...args], { timeoutMs: 1_800_000 })) !== 0)
    throw new Error('The base models could not be made.');
  return bases;
}
