// The files that votes become, read by datasets and TRL: the prompts and answers that people voted on, under the names that its
// trainers look for.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { withModule } from './engine.mjs';
import { judged } from './judged.mjs';

export async function votes({ python, folder, report }) {
  const files = await withModule('/tests/interop/vote-files.ts', ({ voteFiles }) => voteFiles());
  const cases = files.map(({ name, text, ...wanted }, i) => {
    const file = path.join(folder, `votes-${i}.jsonl`);
    writeFileSync(file, text);
    return { name: `votes, ${name}: datasets and TRL find what was written`, file, ...wanted };
  });
  const list = path.join(folder, 'votes.json');
  writeFileSync(list, JSON.stringify(cases));
  await judged(report, python, [path.join(root, 'scripts/interop/check_votes.py'), list], {
    ...{ cases: cases.map(({ name }) => name), folder },
    env: { HF_HOME: path.join(folder, 'hf'), OMP_NUM_THREADS: '1' },
  });
}
