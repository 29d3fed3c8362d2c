// Runs a Python script that writes a line of JSON for each of its cases (`name`, `ok`, `detail`) into the file that the
// environment names in CHECKS, and reports them as checks.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run } from '../child.mjs';

/** A case that the script does not report has failed. */
export async function judged(report, python, args, { cases, folder, env = {} }) {
  const file = path.join(folder, 'checks.jsonl');
  rmSync(file, { force: true });
  const code = await run(python, args, {
    env: { HF_HUB_OFFLINE: '1', CHECKS: file, ...env },
    stdio: ['ignore', 'ignore', process.env.TABTUNE_DEBUG ? 'inherit' : 'ignore'],
    timeoutMs: 3_600_000,
  });
  const left = new Set(cases);
  for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []) {
    if (line === '') continue;
    const { name, ok, detail } = JSON.parse(line);
    left.delete(name);
    report.check(name, ok, detail);
  }
  for (const name of left) report.check(name, false, `${path.basename(args[0])} ended with code ${code} before it`);
}
