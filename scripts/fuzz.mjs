// npm run fuzz: mutated files for every parser, ten times as many as `npm test` tries.
//   npm run fuzz -- --cases 50000 --seed 7 [tests/unit/fuzz/models.test.ts …]
import { parseArgs } from 'node:util';
import { run } from './child.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } },
});
const whole = (name) => {
  if (/^[1-9]\d{0,8}$/.test(values[name])) return values[name];
  console.error(`--${name} must be a whole number above 0, not ${values[name]}.`);
  process.exit(1);
};
const env = { FUZZ_CASES: whole('cases'), FUZZ_SEED: whole('seed') };
const files = positionals.length > 0 ? positionals : ['tests/unit/fuzz'];
process.exitCode = await run('npx', ['vitest', 'run', '--project', 'unit', ...files], { env });
