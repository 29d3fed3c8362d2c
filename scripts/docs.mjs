// npm run docs: writes docs/METHODS.md, the example of docs/INSPECT.md and the table of folders in docs/ARCHITECTURE.md from what
// the code says. The unit tests compare the first two with that, and `npm run lint` the table.
import { spawnSync } from 'node:child_process';
import { writeFoldersTable } from './lint/folders.mjs';

writeFoldersTable(process.cwd());

const { status } = spawnSync(
  'npx',
  ['vitest', 'run', '--project', 'unit', 'tests/unit/matrix/page.test.ts', 'tests/unit/docs/inspect.test.ts'],
  {
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, WRITE_DOCS: '1' },
  },
);
process.exitCode = status ?? 1;
