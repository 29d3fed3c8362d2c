// npm run test:interop [-- PART … | --list]: what the app makes and says, against the software that people use it with. Weights and
// tools that are needed are fetched. The last line is `N passed, N failed`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './build.mjs';
import { answers } from './interop/answers.mjs';
import { converters } from './interop/converters.mjs';
import { gguf } from './interop/gguf.mjs';
import { heads } from './interop/heads.mjs';
import { hub } from './interop/hub.mjs';
import { minilm } from './interop/minilm.mjs';
import { mlx } from './interop/mlx.mjs';
import { models } from './interop/models.mjs';
import { ollama } from './interop/ollama.mjs';
import { peft } from './interop/peft.mjs';
import { quantised } from './interop/quantised.mjs';
import { Report } from './interop/report.mjs';
import { snippets } from './interop/snippets.mjs';
import { spellings } from './interop/spellings.mjs';
import { tokenizers } from './interop/tokenizers.mjs';
import { trained } from './interop/trained.mjs';
import { trainerState } from './interop/trainer-state.mjs';
import { trainers } from './interop/trainers.mjs';
import { trl } from './interop/trl.mjs';
import { trlMore } from './interop/trl-more.mjs';
import { vllm } from './interop/vllm.mjs';
import { votes } from './interop/votes.mjs';
import { findPython } from './python.mjs';

/** In the order in which they run; the long conversions last. */
const parts = {
  votes,
  peft,
  gguf,
  trained,
  models,
  quantised,
  answers,
  minilm,
  heads,
  trl,
  'trl-more': trlMore,
  mlx,
  vllm,
  ollama,
  tokenizers,
  trainers,
  hub,
  snippets,
  spellings,
  'trainer-state': trainerState,
  converters,
};

process.chdir(root);
const report = new Report();
const folder = mkdtempSync(path.join(tmpdir(), 'tabtune-interop-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const wanted = process.argv.slice(2);
if (wanted[0] === '--list') {
  console.log(Object.keys(parts).join('\n'));
  process.exit(0);
}
const unknown = wanted.find((name) => !Object.hasOwn(parts, name));
if (unknown) {
  console.error(`There is no part ${unknown}; there are ${Object.keys(parts).join(', ')}.`);
  process.exit(1);
}
try {
  const python = await findPython();
  for (const [name, part] of Object.entries(parts)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`== ${name}`);
    await report.part(name, () => part({ python, folder, report }));
  }
} catch (error) {
  report.check('setting up', false, error.message);
}
console.log(`\n${report.passed} passed, ${report.failed} failed`);
process.exitCode = report.failed > 0 ? 1 : 0;
