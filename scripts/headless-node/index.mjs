// The program of `npm run headless` in a process of Node, with WebGPU by Dawn (the package `webgpu`), in the place of a browser's page.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureNodeModules } from '../build.mjs';
import { RunError } from '../run-error.mjs';

/** What it says is kept for its last words only. */
const LAST = 8192;

/** Said by Dawn and tfjs at every start. */
const usual = /^(Warning: maxDynamic.*|=+|Hi, looks like you are running TensorFlow\.js in Node\.js.*|\s*)$/;

const modules = {
  program: 'src/headless/node.ts',
  'data-worker': 'src/workers/data/data-worker.ts',
  'plan-worker': 'src/workers/plan/plan-worker.ts',
  'reward-worker': 'src/headless/node-rewards.ts',
};

/**
 * Starts it. `address`: of the server of the built app. `folder`: where it writes. `device` and `adapter`: which GPU. `hear` is given
 * each message. Returns `{gpu, setInputFiles, call, close}`; `opened` is given `close` before there is anything else.
 */
export async function openInNode({ address, folder, device, adapter, hear, opened }) {
  const built = await ensureNodeModules('headless', modules);
  const given = JSON.stringify({ address, modules: built, folder, device, adapter });
  const child = fork(fileURLToPath(new URL('program.mjs', import.meta.url)), [given], {
    serialization: 'advanced',
    // Ctrl+C is for us.
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    if (process.env.TABTUNE_DEBUG) process.stderr.write(text);
    said = `${said}${text}`.slice(-LAST);
  });

  let settle = null;
  let over = null;
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => {
      process.off('exit', kill);
      const words = said.split('\n').filter((line) => !usual.test(line));
      over ??= new RunError({
        code: 'internal',
        message: `The process of the run ended (${signal ?? `exit code ${code}`}).`,
        action:
          'If it ran out of memory or its GPU’s driver failed, use a smaller batch size or model, or the browser.',
        details: words.join('\n'),
      });
      settle?.reject(over);
      resolve();
    });
  });
  child.once('error', (error) => {
    over ??= new RunError({ code: 'internal', message: 'Node could not be started.', details: error.stack });
    settle?.reject(over);
  });
  const close = () => {
    kill();
    return ended;
  };
  opened(close);

  const answer = () =>
    new Promise((resolve, reject) => {
      if (over) reject(over);
      else settle = { resolve, reject };
    });
  child.on('message', (message) => {
    try {
      if (message.type === 'told') hear(message.message);
      else if (message.type === 'refused') {
        over = new RunError(message.error);
        settle?.reject(over);
      } else settle?.resolve(message);
    } catch (error) {
      over = error;
      settle?.reject(error);
      kill();
    }
  });

  const { gpu } = await answer();
  const inputs = {};
  return {
    gpu,
    close,
    /** As Playwright's, of the page's inputs. */
    async setInputFiles(selector, files) {
      inputs[selector.replace(/^#/, '')] = [files].flat();
    },
    async call(method, ...args) {
      const answered = answer();
      child.send({ method, args, inputs });
      return (await answered).outcome;
    },
  };
}
