// What goes along with a TRL script: the files for TRL's command line are opened by its own parser, setting by setting, and runs that
// they can carry whole give the losses of the run here; Accelerate's file for ZeRO-3 is read by DeepSpeed.
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { withModule } from './engine.mjs';
import { judged } from './judged.mjs';
import { pythonPackages } from './packages.mjs';
import { compare, curveOf, wantedCases } from './trl.mjs';

async function files({ python, folder, report }) {
  const out = path.join(folder, 'trl-files');
  const made = await withModule('/tests/interop/trl-files.ts', ({ makeTrlFiles }) => makeTrlFiles(out));
  const cases = made.map((one) => ({
    ...one,
    check: `${one.name}: TRL’s parser takes ${one.file} and reads each setting`,
  }));
  const list = path.join(out, 'cases.json');
  writeFileSync(list, JSON.stringify(cases));
  await judged(report, python, [path.join(root, 'scripts/interop/check_trl_files.py'), list], {
    ...{ cases: cases.map(({ check }) => check), folder },
    env: { HF_HOME: path.join(folder, 'hf') },
  });
}

/** `trl COMMAND --config FILE`, and what it logged. */
async function runCommand({ python, folder: work, report }, { name, folder, curve, command }) {
  const title = `${name}: ${command} gives the curve of the run here`;
  await report.part(title, async () => {
    const log = path.join(folder, 'command.log');
    const file = openSync(log, 'w');
    const code = await run(python, ['-m', 'trl.cli.main', ...command.split(' ').slice(1)], {
      ...{ cwd: folder, stdio: ['ignore', file, file], timeoutMs: 900_000 },
      env: { OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1', HF_HOME: path.join(work, 'hf'), TQDM_DISABLE: '1' },
    });
    closeSync(file);
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${readFileSync(log, 'utf8').slice(-1500)}`);
    const last = path.join(folder, 'outputs', name, `checkpoint-${curve.losses.length}`, 'trainer_state.json');
    // Its validation loss is a mean of batches, as the file says, where it is one of tokens.
    const evaluations = name.startsWith('command-sft') ? [] : curve.evaluations;
    const given = curveOf(JSON.parse(readFileSync(last, 'utf8')).log_history);
    compare(report, title, evaluations.length > 0 ? given : { ...given, evaluations }, { ...curve, evaluations });
  });
}

/** DeepSpeed's Python, whose kernels are built when they are first used: here, none is. */
const deepSpeed = (python) =>
  pythonPackages(python, 'deepspeed-0.19.8', [
    ...['deepspeed==0.19.8', 'hjson==3.1.0', 'msgpack==1.2.4', 'ninja==1.13.2', 'py-cpuinfo==9.0.0', 'einops==0.8.2'],
  ]);

async function zero3({ python, folder, report }, script) {
  await judged(report, python, [path.join(root, 'scripts/interop/check_zero3.py'), script], {
    ...{ cases: ['trl-more: DeepSpeed reads accelerate/zero3.yaml'], folder },
    env: {
      ...{ PYTHONPATH: await deepSpeed(python), HF_HOME: path.join(folder, 'hf') },
      ...{ OUTPUT: path.join(folder, 'zero3'), DS_ACCELERATOR: 'cpu' },
    },
  });
}

export async function trlMore(tools) {
  await tools.report.part('trl-more: files for TRL’s command line', () => files(tools));
  const out = path.join(tools.folder, 'trl-command');
  await withModule('/tests/interop/trl-runs.ts', async ({ makeRuns }) => {
    const made = await makeRuns(out, wantedCases, 'command');
    tools.report.check(
      'trl-more: runs were made and written here',
      made.length > 0,
      made.map(({ name }) => name).join(', '),
    );
    await tools.report.part('trl-more: DeepSpeed', () => zero3(tools, made[0].folder));
    for (const one of made) await runCommand(tools, one);
  });
}
