// npm run test:interruptions [-- --moments 30] [--seed 1] [--from 0] [--kind KIND] [--strikes 20] [--speed 4]: interrupts runs
// at random moments of every kind (kill, crash, close, reload, lost, saving, twice) and compares what they end with; `time`
// interrupts one run many times, with a clock that runs fast, and measures what each costs. See tests/e2e/interruptions.spec.ts.
import { parseArgs } from 'node:util';
import { findBrowser } from './browser.mjs';
import { ensureBuilt, root } from './build.mjs';
import { runTool } from './child.mjs';

process.chdir(root);
const { values } = parseArgs({
  options: {
    moments: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    kind: { type: 'string' },
    strikes: { type: 'string', default: '20' },
    speed: { type: 'string', default: '4' },
  },
});
await ensureBuilt();
process.exitCode = await runTool(
  '@playwright/test/cli.js',
  [
    ...['test', 'tests/e2e/interruptions.spec.ts', '--trace', 'off'],
    ...(values.kind ? ['--grep', `${values.kind}, moment`] : []),
  ],
  {
    env: {
      CHROME_PATH: await findBrowser(),
      TABTUNE_MOMENTS: values.moments,
      TABTUNE_SEED: values.seed,
      TABTUNE_FROM: values.from,
      TABTUNE_STRIKES: values.strikes,
      TABTUNE_SPEED: values.speed,
    },
  },
);
