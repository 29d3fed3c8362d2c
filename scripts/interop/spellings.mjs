// Adapters whose keys are spelled in other ways: what Tabtune opens gives PEFT's logits, and what it refuses PEFT does not read.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { withModule } from './engine.mjs';
import { judged } from './judged.mjs';

export async function spellings({ python, folder, report }) {
  const cases = await withModule('/tests/interop/respelled.ts', ({ writeSpellings }) =>
    writeSpellings(path.join(folder, 'spellings')),
  );
  const file = path.join(folder, 'spellings.json');
  writeFileSync(file, JSON.stringify(cases));
  const script = path.join(root, 'scripts/interop/check_spellings.py');
  await judged(report, python, [script, file], { cases: cases.map(({ name }) => name), folder });
}
