// Which process it is: a process id alone is given to another program sooner or later, or is of another machine.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAlive } from './child.mjs';

/** The fields of /proc/PID/stat after the program's name, which may itself hold spaces; null where there is no such file. */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** When a process was started, in ticks since the machine was; null where the system does not say. */
const startOf = (pid) => statOf(pid)?.[19] ?? null;

/**
 * Who started us, as a text that changes when they end: our parent, and when that is only a shell for one command, its parent
 * too, as far as the system says.
 */
export function starters() {
  const parent = process.ppid;
  const isShell = /^(ba|da|z)?sh$/.test(nameOf(parent) ?? '');
  return [parent, isShell ? statOf(parent)?.[1] : ''].join();
}

function nameOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return null;
  }
}

/** @typedef {{ pid: number, started: string | null, host: string }} Owner */

/** @returns {Owner} */
export const ourselves = () => ({ pid: process.pid, started: startOf(process.pid), host: hostname() });

/**
 * Whether that process still runs; null if it is of another machine, which cannot be known from here.
 *
 * @param {Owner} owner
 */
export function stillRuns({ pid, started, host }) {
  if (host !== hostname()) return null;
  return isAlive(pid) && (started === null || startOf(pid) === started);
}
