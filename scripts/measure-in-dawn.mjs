// Measuring a GPU through Dawn, in a process of its own.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a driver said last is kept for the message, if its process ends early. */
const KEPT = 4000;

/**
 * Runs the part `what` of a module (headless-node/measure.mjs). `given`: `device`, `adapter` and `filter` of the command line; `env`: of
 * the driver; `onProgress` gets whatever the part tells. Resolves with its result; rejects with what it threw, or what its process wrote
 * before it ended. A `signal` ends it, which gives its reason, and so do `timeoutMs` milliseconds.
 */
export function measureInDawn(module, what, { given, env, onProgress, timeoutMs, signal }) {
  return new Promise((resolve, reject) => {
    const program = fileURLToPath(new URL('headless-node/measure.mjs', import.meta.url));
    const child = fork(program, [JSON.stringify({ module, what, adapter: null, ...given })], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      timeout: timeoutMs,
      signal,
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said = `${said}${text}`.slice(-KEPT);
    });
    child.on('message', ({ progress, result, error }) => {
      if (progress) onProgress(progress);
      if (result) resolve(result);
      if (error) reject(new Error([error.message, error.action, error.details].filter(Boolean).join('\n')));
    });
    // What ended it is the reason, and not that it was ended.
    child.once('error', (error) => reject(signal?.aborted ? signal.reason : error));
    child.once('close', (code, end) => reject(new Error(`Measuring ended early (${end ?? code}).\n${said}`)));
  });
}
