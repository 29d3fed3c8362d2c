// Tied and untied output projections, stored copies and saved modules of every family: imports, exports and merges against
// transformers and PEFT. The app's code runs in Node here, on the CPU references of its kernels.
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { withModule } from './engine.mjs';

export async function heads({ python, folder, report }) {
  const cases = path.join(folder, 'heads');
  const script = (command) =>
    run(python, [path.join(root, 'tests/oracle/head_cases.py'), command, cases], { timeoutMs: 900_000 });
  if (!report.check('heads: models and adapters are made', (await script('make')) === 0)) return;
  await withModule('/tests/interop/head-cases.ts', async ({ runHeadCases }) => {
    let all = 0;
    const done = await runHeadCases(cases, (number, of) => {
      all = of;
      if (number % 100 === 0) console.log(`      ${number} of ${of} cases`);
    });
    report.check('heads: the app opened, trained and exported', done > 0 && done === all, `${done} of ${all} cases`);
  });
  report.check('heads: transformers and PEFT agree with all of it', (await script('check')) === 0);
}
