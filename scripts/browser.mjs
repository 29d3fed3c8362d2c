// Finds Chrome or Chromium, or installs one, and says what it did. Shared by every script that needs a browser.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Flags under which WebGPU runs on a machine without a GPU (SwiftShader), in workers too, and stays off the network. */
export const softwareGpuArgs = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Flags for the machine's own GPU. Headless Chrome on Linux finds it through Vulkan only, and without a surface. */
const hardwareGpuArgs = [
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  ...(process.platform === 'linux' ? ['--use-angle=vulkan', '--disable-vulkan-surface', '--ignore-gpu-blocklist'] : []),
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Launch flags for 'hardware' or 'software'; TABTUNE_GPU=hardware makes the machine's own GPU the default. */
export function browserArgs(device = process.env.TABTUNE_GPU === 'hardware' ? 'hardware' : 'software') {
  const args = device === 'hardware' ? [...hardwareGpuArgs] : [...softwareGpuArgs];
  // Chrome's sandbox refuses to run as root, as in most containers.
  if (process.platform === 'linux' && process.getuid?.() === 0) args.push('--no-sandbox');
  return args;
}

function usualPlaces() {
  switch (process.platform) {
    case 'darwin':
      return [
        '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
        '/Applications/Chromium.app/Contents/MacOS/Chromium',
        '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
      ];
    case 'win32':
      return [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA]
        .filter(Boolean)
        .map((root) => path.join(root, 'Google\\Chrome\\Application\\chrome.exe'));
    default:
      return [
        '/usr/bin/google-chrome-stable',
        '/usr/bin/google-chrome',
        '/usr/bin/chromium',
        '/usr/bin/chromium-browser',
        '/opt/google/chrome/chrome',
      ];
  }
}

async function playwrightsOwn() {
  const { chromium } = await import('@playwright/test');
  const own = chromium.executablePath();
  return own && existsSync(own) ? own : undefined;
}

/** An executable's path; throws with what to do when there is none and `install` is false or fails. */
export async function findBrowser({ install = true, log = console.log } = {}) {
  for (const name of ['TABTUNE_CHROME', 'CHROME_PATH']) {
    const given = process.env[name];
    if (given) {
      if (!existsSync(given)) throw new Error(`${name} names ${given}, which does not exist.`);
      log(`Browser: ${given} (from ${name})`);
      return given;
    }
  }
  const found = usualPlaces().find((place) => existsSync(place)) ?? (await playwrightsOwn());
  if (found) {
    log(`Browser: ${found}`);
    return found;
  }
  if (!install) throw new Error('No Chrome or Chromium was found. Install one, or set CHROME_PATH to its executable.');

  log("No Chrome or Chromium found: installing Playwright's Chromium.");
  spawnSync(process.execPath, ['node_modules/@playwright/test/cli.js', 'install', 'chromium'], {
    stdio: 'inherit',
    timeout: 300_000,
  });
  const own = await playwrightsOwn();
  if (own) {
    log(`Browser: ${own} (installed by Playwright)`);
    return own;
  }
  if (process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    log("Playwright's download did not work: installing Debian's chromium package.");
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit' });
    spawnSync('apt-get', ['install', '-y', '-qq', 'chromium', 'fonts-liberation'], {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    const place = usualPlaces().find((p) => existsSync(p));
    if (place) {
      log(`Browser: ${place} (installed from Debian)`);
      return place;
    }
  }
  throw new Error('No browser could be found or installed. Install Chrome or Chromium, or set CHROME_PATH.');
}
