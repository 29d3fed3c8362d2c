// Processes. Children end with us: on Ctrl-C, on SIGTERM and on any exit, their own children included.
import { spawn } from 'node:child_process';

const running = new Set();

/** Ends a child and everything that it started. */
function end(child, signal) {
  try {
    // A group of its own on POSIX; Windows ends the child alone.
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}

export function endChildren(signal = 'SIGTERM') {
  for (const child of running) end(child, signal);
}

let watching = false;
function watchForOurEnd() {
  if (watching) return;
  watching = true;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      endChildren(signal);
      process.exit(signal === 'SIGINT' ? 130 : 143);
    });
  }
  process.once('exit', () => endChildren('SIGKILL'));
}

/** Runs a command, its output ours. Resolves with its exit code; 127 when it could not be started. */
export function run(command, args, { env = {}, cwd, timeoutMs, stdio = ['ignore', 'inherit', 'inherit'] } = {}) {
  watchForOurEnd();
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio,
      cwd,
      env: { ...process.env, ...env },
      detached: process.platform !== 'win32',
    });
    running.add(child);
    let timer;
    if (timeoutMs) {
      timer = setTimeout(() => {
        console.error(`${[command, ...args].join(' ')}: still running after ${timeoutMs / 1000} s, ended.`);
        end(child, 'SIGKILL');
      }, timeoutMs);
    }
    const finish = (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve(code);
    };
    child.once('error', (error) => {
      console.error(`${command}: ${error.message}`);
      finish(127);
    });
    child.once('close', (code) => {
      // What it left behind (a browser, a server) goes with it.
      end(child, 'SIGKILL');
      finish(code ?? 1);
    });
  });
}

/** Runs a tool of node_modules by its script, which needs no shell and works the same on Windows. */
export function runTool(script, args, options) {
  return run(process.execPath, [`node_modules/${script}`, ...args], options);
}

/** Whether a process with this id runs, ours or another person's. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
