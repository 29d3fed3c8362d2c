// The Python that compares Tabtune with PEFT: TABTUNE_PYTHON, or a virtual environment in .venv, made when missing.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './build.mjs';
import { run } from './child.mjs';

const requirements = path.join(root, 'tests/oracle/requirements.txt');
const cpuWheels = 'https://download.pytorch.org/whl/cpu';
const works = (python, code) => spawnSync(python, ['-c', code], { stdio: 'ignore' }).status === 0;
const hasModules = (python) => works(python, 'import torch, transformers, peft, safetensors, gguf, sentencepiece');

async function reachable(url) {
  try {
    return (await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(5000) })).ok;
  } catch {
    return false;
  }
}

async function makeEnvironment(folder) {
  const base = ['python3.13', 'python3.12', 'python3.11', 'python3', 'python'].find((name) =>
    works(name, 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'),
  );
  if (!base) throw new Error('Python 3.11 to 3.13 is needed. Install it, or set TABTUNE_PYTHON.');
  console.log(`Making a Python environment in ${folder}`);
  if ((await run(base, ['-m', 'venv', folder])) === 0) return;
  // Debian keeps venv in a package of its own.
  if (process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    await run('apt-get', ['install', '-y', '-qq', 'python3-venv'], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
    if ((await run(base, ['-m', 'venv', '--clear', folder])) === 0) return;
  }
  throw new Error(`${base} -m venv failed.`);
}

/** A Python with torch, transformers and PEFT; throws with a sentence when there can be none. */
export async function findPython() {
  const given = process.env.TABTUNE_PYTHON;
  if (given) {
    if (hasModules(given)) return given;
    throw new Error(`TABTUNE_PYTHON (${given}) lacks the packages of tests/oracle/requirements.txt.`);
  }
  const folder = path.join(root, '.venv');
  const python = path.join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (existsSync(python) && hasModules(python)) return python;
  if (!existsSync(python)) await makeEnvironment(folder);

  const pip = (...args) =>
    run(python, ['-m', 'pip', 'install', '--quiet', '--no-input', ...args], { timeoutMs: 600_000 });
  // torch first and alone: from PyTorch's own index it is the small build for CPUs, and nothing later replaces it.
  const index = (await reachable(`${cpuWheels}/torch/`)) ? ['--extra-index-url', cpuWheels] : [];
  const torch = /^torch==\S+/m.exec(readFileSync(requirements, 'utf8'))[0];
  console.log('Installing torch, transformers and PEFT');
  if ((await pip(...index, torch)) !== 0) throw new Error('torch could not be installed.');
  if ((await pip(...index, '-r', requirements)) !== 0) throw new Error('The Python packages could not be installed.');
  if (!hasModules(python)) throw new Error('The Python packages were installed but cannot be imported.');
  return python;
}
