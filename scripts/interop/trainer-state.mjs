// trainer_state.json of a run, read by transformers' own TrainerState: nothing unknown in it, nothing missing, and what it
// writes again is what was read.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { withModule } from './engine.mjs';
import { judged } from './judged.mjs';

export async function trainerState({ python, folder, report }) {
  const states = await withModule('/tests/interop/trainer-states.ts', ({ trainerStates }) => trainerStates());
  const cases = Object.entries(states).map(([name, text]) => {
    const file = path.join(folder, `trainer_state-${name}.json`);
    writeFileSync(file, text);
    return { name: `trainer_state.json of a run ${name}`, file };
  });
  const list = path.join(folder, 'trainer-states.json');
  writeFileSync(list, JSON.stringify(cases));
  const script = path.join(root, 'scripts/interop/check_trainer_state.py');
  await judged(report, python, [script, list], { cases: cases.map(({ name }) => name), folder });
}
