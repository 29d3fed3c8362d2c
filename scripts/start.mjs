// npm start [-- --port N] [-- --no-open]: builds the app, serves it to this machine only, and opens it in the browser.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ensureBuilt } from './build.mjs';
import { parsePort, serve } from './serve.mjs';

// Always the same port: browsers store models, datasets and runs by origin, which includes the port.
const usualPort = 4717;

function openBrowser(address) {
  const { platform, env } = process;
  if (platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY) return;
  const [command, args] =
    platform === 'darwin'
      ? ['open', [address]]
      : platform === 'win32'
        ? ['cmd', ['/c', 'start', '""', address]]
        : ['xdg-open', [address]];
  // The address is printed anyway, so a missing browser is not an error.
  spawn(command, args, { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}

try {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, open: { type: 'boolean', default: true } },
    allowNegative: true,
  });
  const wanted = values.port === undefined ? usualPort : parsePort(values.port);
  const { address, port, close } = await serve(await ensureBuilt(), { port: wanted });
  if (wanted !== 0 && port !== wanted) {
    console.log(
      `Port ${wanted} is in use. On another port the browser does not show your earlier models, datasets and runs.`,
    );
  }
  console.log(
    `\n  Tabtune  ${address}\n\n  Needs a browser with WebGPU, such as Chrome or Edge. Ctrl+C stops the server.\n`,
  );
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => close().then(() => process.exit(0)));
  if (values.open) openBrowser(address);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
