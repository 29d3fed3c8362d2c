// npm run docs: writes docs/METHODS.md from what the code says. The unit tests compare the page with that.
import { spawnSync } from 'node:child_process';

const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'unit', 'tests/unit/matrix/page.test.ts'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: { ...process.env, WRITE_DOCS: '1' },
});
process.exitCode = status ?? 1;
