// Runs written as TRL scripts: the same steps in Python, on one process and on two, give the losses of the run here; and what
// a script leaves opens here and goes on. The steps here are computed in Node, on the CPU references of the kernels.
import { closeSync, cpSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run } from '../child.mjs';
import { withModule } from './engine.mjs';

const TOLERANCE = 1e-3;

/** As many processes over gloo, without GPUs, by the file that goes along with the script. */
const several = (processes) => [
  ...['-m', 'accelerate.commands.launch', '--config_file', 'accelerate/cpu.yaml'],
  ...['--num_processes', String(processes)],
];

/** The largest difference, as a share of the expected value; infinite if there are not as many. */
function apart(given, expected) {
  if (given.length !== expected.length) return Number.POSITIVE_INFINITY;
  return Math.max(...expected.map((value, i) => Math.abs(given[i] - value) / Math.max(Math.abs(value), 1e-9)));
}

/** Runs a script and returns what it logged; throws with the end of its output. */
async function runScript(executable, folder, { processes = 1, script = 'train.py', output, args = [] }) {
  const log = path.join(folder, `${path.basename(output)}.log`);
  const file = openSync(log, 'w');
  const environment = {
    OMP_NUM_THREADS: '1',
    HF_HUB_OFFLINE: '1',
    HF_HOME: path.join(folder, '../hf'),
    TQDM_DISABLE: '1',
  };
  const start = processes > 1 ? several(processes) : [];
  const code = await run(executable, [...start, script, '--output', output, ...args], {
    ...{ cwd: folder, env: environment, stdio: ['ignore', file, file], timeoutMs: 900_000 },
  });
  closeSync(file);
  const text = readFileSync(log, 'utf8');
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${text.slice(-1500)}`);
  const started = Number(/^(\d+) process\(es\)/m.exec(text)?.[1]);
  if (started !== processes) throw new Error(`${started} processes ran, not ${processes}`);
  return curveOf(JSON.parse(readFileSync(path.join(output, 'trainer_state.json'), 'utf8')).log_history);
}

/** What a Trainer logged, as runs here have it. */
export function curveOf(history) {
  const steps = history.filter((row) => 'loss' in row);
  const evaluations = history.filter((row) => 'eval_loss' in row);
  return {
    losses: steps.map(({ loss }) => loss),
    norms: steps.map(({ grad_norm }) => grad_norm),
    rates: steps.map(({ learning_rate }) => learning_rate),
    evaluations: evaluations.map(({ step, eval_loss: loss }) => ({ step, loss })),
  };
}

/** Compares two curves, and says how far they are apart. */
export function compare(report, name, given, expected) {
  const lossOf = ({ loss }) => loss;
  const off = {
    loss: apart(given.losses, expected.losses),
    'gradient norm': apart(given.norms, expected.norms),
    'learning rate': apart(given.rates, expected.rates),
    'validation loss': apart(given.evaluations.map(lossOf), expected.evaluations.map(lossOf)),
  };
  const sameSteps =
    given.evaluations.map(({ step }) => step).join() === expected.evaluations.map(({ step }) => step).join();
  const ok = sameSteps && Object.values(off).every((value) => value <= TOLERANCE);
  const moved = `${expected.losses[0].toFixed(4)} to ${expected.losses.at(-1).toFixed(4)} in ${expected.losses.length} steps`;
  // What is not compared has no figure.
  const figures = Object.entries(off)
    .filter(([, value]) => value !== Number.NEGATIVE_INFINITY)
    .map(([what, value]) => `${what} ${value.toExponential(1)}`);
  report.check(name, ok, `${moved}; apart by ${figures.join(', ')}${sameSteps ? '' : '; other steps evaluated'}`);
}

async function tryRun({ python: executable, report }, { name, folder, curve, processes }) {
  for (const count of processes) {
    const output = path.join(folder, `output-${count}`);
    const title = `${name}: the script’s curve is that of the run here, ${count === 1 ? 'one process' : `${count} processes`}`;
    await report.part(title, async () => {
      const given = await runScript(executable, folder, { processes: count, output });
      compare(report, title, given, curve);
    });
  }
}

/**
 * Goes on from a checkpoint in a folder of its own: the same curve behind it, and the best step of the first part is not forgotten, so
 * that what comes after it is saved only if it is better.
 */
async function resume({ python: executable, report }, { name, folder, curve, resumes }) {
  if (resumes === null) return;
  const title = `${name}: a run that goes on from step ${resumes} ends as the whole one does`;
  await report.part(title, async () => {
    const [whole, resumed] = ['output-1', 'output-resumed'].map((output) => path.join(folder, output));
    cpSync(whole, resumed, { recursive: true });
    rmSync(path.join(resumed, 'adapter'), { recursive: true });
    const args = ['--resume', path.join(resumed, `checkpoint-${resumes}`)];
    compare(report, title, await runScript(executable, folder, { output: resumed, args }), curve);
    const [, ...evaluations] = curve.evaluations;
    const best = evaluations.reduce((low, one) => (one.loss < low.loss ? one : low));
    report.check(
      `${name}: the best step, ${best.step}, is remembered`,
      best.step <= resumes && !existsSync(path.join(resumed, 'adapter')),
      evaluations.map(({ step, loss }) => `${step}: ${loss.toFixed(4)}`).join(', '),
    );
  });
}

/** An adapter from Python, opened by the app's reader and trained on. */
async function reopen({ report }, goesOn, { name, folder, curve, reopens }) {
  if (!reopens) return;
  const adapter = path.join(folder, 'output-1/adapter');
  const title = `${name}: the script’s adapter opens here at its loss, and goes on`;
  await report.part(title, async () => {
    const on = await goesOn(name, adapter);
    const best = Math.min(...curve.evaluations.slice(1).map(({ loss }) => loss));
    const off = Math.abs(on.evaluations[0].loss / best - 1);
    const falls = on.losses.at(-1) < curve.losses.at(-1) && on.losses[0] < curve.losses[0];
    const figures = `${on.evaluations[0].loss.toFixed(5)} here, ${best.toFixed(5)} when it was saved`;
    const moved = `the last step ${on.losses.at(-1).toFixed(4)} after ${curve.losses.at(-1).toFixed(4)}`;
    report.check(title, off <= TOLERANCE && falls, `${figures}; ${moved}`);
  });
}

/** Accelerate's own parser takes each file, which names no setting that it does not know. */
async function accelerateFiles({ python: executable, report }, folder) {
  const code = `import sys
from accelerate.commands.config.config_args import load_config_from_file
for name, kind in zip(sys.argv[1::2], sys.argv[2::2]):
    config = load_config_from_file(f"accelerate/{name}.yaml")
    assert config.distributed_type.value == kind and config.mixed_precision == "no", (name, config)
    assert name != "fsdp2" or config.fsdp_config["fsdp_version"] == 2, config
    assert name != "zero3" or config.deepspeed_config["zero_stage"] == 3, config`;
  const kinds = { single_gpu: 'NO', multi_gpu: 'MULTI_GPU', fsdp2: 'FSDP', zero3: 'DEEPSPEED', cpu: 'MULTI_GPU' };
  const ended = await run(executable, ['-c', code, ...Object.entries(kinds).flat()], { cwd: folder });
  report.check('trl: Accelerate reads its files', ended === 0, Object.keys(kinds).join(', '));
}

/** Cases that the environment names; `all` are all, and none those that every run tries. */
export const wantedCases = (process.env.TRL_CASES ?? '').split(',').filter((name) => name !== '');

export async function trl(tools) {
  const out = path.join(tools.folder, 'trl');
  await withModule('/tests/interop/trl-runs.ts', async ({ makeRuns, goesOn }) => {
    const made = await makeRuns(out, wantedCases);
    const names = made.map(({ name }) => name).join(', ');
    tools.report.check('trl: runs were made and written here', made.length > 0, names);
    await tools.report.part('trl: files for Accelerate', () => accelerateFiles(tools, made[0].folder));
    for (const one of made) {
      await tryRun(tools, one);
      await resume(tools, one);
      await reopen(tools, goesOn, one);
    }
  });
}
