// A second software GPU, for tests: Mesa's llvmpipe, a Vulkan driver that runs on the CPU. Unlike SwiftShader in Chromium it has 16-bit floats,
// subgroups of 8 and timestamps, and binds at most 128 MiB at a time.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './build.mjs';
import { probeAdapter } from './webgpu-node.mjs';

/** Dawn refuses the drivers before it, which lack what its images need. */
const OLDEST = 25;

const cache = path.join(root, '.cache', 'mesa');
/** Compiled shaders, which Mesa looks after itself. */
const shaders = path.join(cache, 'shaders');
const extracted = path.join(cache, 'root');

/** Where Vulkan looks for drivers itself. */
const systemFolders = ['/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/usr/share/vulkan/icd.d'];

const filesIn = (folder) => (existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : []);

const systemDrivers = () =>
  systemFolders.flatMap(filesIn).filter((file) => /^lvp_icd\b.*\.json$/.test(path.basename(file)));

/** Mesa's version in what an adapter says of itself; null for other drivers. */
const mesaOf = ({ description }) => /\bMesa (\d+)\.\d+/.exec(description)?.[1] ?? null;

const titleOf = ({ description, architecture, vendor }) => description || `${vendor} ${architecture}`;

/**
 * The suite of Debian to take Mesa from: the release's own, else its backports. Those of another release need another C library, which a
 * process cannot have beside the system's own.
 *
 * @param {string} madison what `apt-cache madison mesa-vulkan-drivers` printed
 * @param {string} release its code name
 * @returns {{ suite: string | null, found: string[] }}
 */
export function suiteWithMesa(madison, release) {
  const rows = madison.split('\n').flatMap((line) => {
    const [, version, place] = line.split('|').map((part) => part.trim());
    const suite = place?.split(' ')[1]?.split('/')[0];
    return suite ? [{ version, suite }] : [];
  });
  const fits = ({ version }) => Number.parseInt(version.replace(/^\d+:/, ''), 10) >= OLDEST;
  const order = [release, `${release}-updates`, `${release}-backports`];
  const suite = order.find((name) => rows.some((row) => row.suite === name && fits(row)));
  return { suite: suite ?? null, found: rows.map((row) => `${row.version} in ${row.suite}`) };
}

const instead =
  'Install the Vulkan drivers of Mesa 25 or newer with the Vulkan loader (Debian and Ubuntu: mesa-vulkan-drivers and libvulkan1), or name a driver’s file in VK_DRIVER_FILES.';
const without = (why) => new Error(`No Vulkan driver for WebGPU in Node: ${why}. ${instead}`);

/** The release that this system is, if it is Debian. */
function debianRelease() {
  try {
    const facts = readFileSync('/etc/os-release', 'utf8');
    return /^ID=debian$/m.test(facts) ? (/^VERSION_CODENAME=(.+)$/m.exec(facts)?.[1] ?? null) : null;
  } catch {
    return null;
  }
}

/** Runs a tool of Debian's; throws with the last lines that it said. */
function tool(name, args) {
  const { status, stdout, stderr, error } = spawnSync(name, args, {
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (status === 0) return stdout;
  const said = (stderr || stdout || '').trim().split('\n');
  throw without(`${name} did not work: ${error?.message ?? (said.find((line) => /^E:/.test(line)) || said.at(-1))}`);
}

/**
 * Downloads Mesa and what it needs besides what is installed, and unpacks it into the cache. apt has lists and archives of its own here;
 * nothing of the system is changed, and no rights are needed.
 */
function download(log) {
  const release = debianRelease();
  if (release === null) throw without('none is installed, and only on Debian can one be downloaded');
  const work = path.join(cache, `apt-${process.pid}`);
  const clear = () => rmSync(work, { recursive: true, force: true });
  process.once('exit', clear);
  try {
    for (const folder of ['lists/partial', 'archives/partial']) {
      mkdirSync(path.join(work, folder), { recursive: true });
    }
    const targets = tool('apt-get', ['indextargets', '--format', '$(ORIGIN) $(REPO_URI)', 'Created-By: Packages']);
    // The mirror that this system uses.
    const mirror = /^Debian (\S+?)\/?$/m.exec(targets)?.[1] ?? 'http://deb.debian.org/debian';
    const key = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';
    const suites = [release, `${release}-updates`, `${release}-backports`];
    const sources = suites.map((suite) => `deb ${key} ${mirror} ${suite} main\n`).join('');
    writeFileSync(path.join(work, 'sources.list'), sources);
    const options = [
      `Dir::Etc::sourcelist=${path.join(work, 'sources.list')}`,
      'Dir::Etc::sourceparts=/dev/null',
      `Dir::State::lists=${path.join(work, 'lists')}`,
      `Dir::Cache::archives=${path.join(work, 'archives')}`,
      'Dir::Cache::pkgcache=',
      'Dir::Cache::srcpkgcache=',
      'Debug::NoLocking=1',
      'Acquire::Retries=3',
      // The user _apt could not write into the cache.
      ...(process.getuid?.() === 0 ? ['APT::Sandbox::User=root'] : []),
    ].flatMap((option) => ['-o', option]);
    log(`Downloading Mesa's Vulkan drivers from ${mirror} into .cache/mesa.`);
    tool('apt-get', [...options, '-q', 'update']);
    const { suite, found } = suiteWithMesa(tool('apt-cache', [...options, 'madison', 'mesa-vulkan-drivers']), release);
    if (suite === null) {
      throw without(`Mesa ${OLDEST} or newer is needed, and ${mirror} has ${found.join(', ') || 'none'}`);
    }
    const wanted = ['mesa-vulkan-drivers', 'libvulkan1'];
    const install = ['-q', '-y', '--download-only', '--no-install-recommends', '-t', suite, 'install', '--reinstall'];
    tool('apt-get', [...options, ...install, ...wanted]);
    const unpacked = path.join(work, 'root');
    for (const file of filesIn(path.join(work, 'archives')).filter((name) => name.endsWith('.deb'))) {
      tool('dpkg-deb', ['-x', file, unpacked]);
    }
    rmSync(extracted, { recursive: true, force: true });
    renameSync(unpacked, extracted);
  } finally {
    clear();
    process.off('exit', clear);
  }
}

/** The driver that was downloaded; null if there is none. The folder may have been moved since, so its file is written anew. */
function downloaded() {
  const libraries = filesIn(path.join(extracted, 'usr', 'lib')).find((folder) =>
    existsSync(path.join(folder, 'libvulkan_lvp.so')),
  );
  if (!libraries) return null;
  const driver = path.join(cache, 'lvp.json');
  const library_path = path.join(libraries, 'libvulkan_lvp.so');
  writeFileSync(driver, JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path, api_version: '1.4.0' } }));
  const paths = [libraries, ...(process.env.LD_LIBRARY_PATH ? [process.env.LD_LIBRARY_PATH] : [])];
  return { VK_DRIVER_FILES: driver, LD_LIBRARY_PATH: paths.join(path.delimiter) };
}

/**
 * The environment under which Dawn finds a driver: the one that VK_DRIVER_FILES names, else the system's llvmpipe, else one that is
 * downloaded (on Debian). Throws with what to do if there is none.
 *
 * @returns {Record<string, string>}
 */
export function findDriver({ log = console.log } = {}) {
  mkdirSync(shaders, { recursive: true });
  const kept = { MESA_SHADER_CACHE_DIR: process.env.MESA_SHADER_CACHE_DIR ?? shaders };
  const given = process.env.VK_DRIVER_FILES;
  if (given) {
    const { adapter, problem } = probeAdapter();
    if (!adapter) throw without(`with VK_DRIVER_FILES=${given} there is no adapter (${problem ?? 'no reason given'})`);
    log(`GPU in Node: ${titleOf(adapter)} (from VK_DRIVER_FILES)`);
    return kept;
  }
  const usable = (env, where) => {
    const { adapter, problem } = probeAdapter(env);
    if (adapter && Number(mesaOf(adapter) ?? 0) >= OLDEST) {
      log(`GPU in Node: ${titleOf(adapter)} (${where})`);
      return { ...env, ...kept };
    }
    const why = adapter ? `${titleOf(adapter)} is older than Mesa ${OLDEST}` : (problem ?? 'Dawn refuses it');
    log(`${env.VK_DRIVER_FILES} is not used: ${why}`);
    return null;
  };
  for (const file of systemDrivers()) {
    const env = usable({ VK_DRIVER_FILES: file }, 'of this system');
    if (env) return env;
  }
  const before = downloaded();
  const known = before && usable(before, 'downloaded before');
  if (known) return known;
  download(log);
  const fresh = downloaded();
  const env = fresh && usable(fresh, 'downloaded');
  if (!env) throw without('what was downloaded does not work here');
  return env;
}
