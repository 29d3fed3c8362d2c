/** Runs mutated inputs through a parser and says how each ended. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { TabtuneError } from '../../src/base/errors';
import { Draw } from './random';

/** 2,000 with the other tests; `npm run fuzz` sets more. */
export const CASES = Number(process.env.FUZZ_CASES ?? 2000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

/** Real time of one case, on two cores that others use as well. Nearly all take a millisecond. */
const SLOW_MS = 10_000;
/** No machine is that slow. */
const HANGS_MS = 120_000;
/** Of the whole process, with Node, Vitest and the tests' own data. */
const MOST_BYTES = 2 ** 30;

export interface Target<T> {
  name: string;
  seeds: readonly T[];
  /** Whatever the bytes are, something can be read of them. */
  takesAll?: true;
  change(seed: T, draw: Draw): T;
  /** Returns a sentence if the result is wrong though nothing was thrown. */
  run(input: T): unknown;
}

interface Outcome {
  kind: 'read' | 'refused' | 'raw' | 'slow';
  says: string;
}

function judge(cause: unknown): Outcome {
  if (!(cause instanceof TabtuneError)) {
    const stack = cause instanceof Error ? (cause.stack ?? '').split('\n').slice(0, 4).join(' ') : String(cause);
    return { kind: 'raw', says: stack.slice(0, 600) };
  }
  const { code, message, where, action, details = '' } = cause;
  const sentence = /\S.*[.?!…)]$/su.test(message);
  if (code === 'internal' || !sentence) return { kind: 'raw', says: `${code}: ${message} ${details}`.slice(0, 600) };
  // A raw error that was only wrapped hides what is wrong.
  if (/^(Type|Range|Reference|Internal)Error: /.test(details)) return { kind: 'raw', says: `${message} ${details}` };
  const length = message.length + (where?.length ?? 0) + (action?.length ?? 0) + details.length;
  if (length > 25_000) return { kind: 'raw', says: `an error of ${length} letters` };
  return { kind: 'refused', says: message };
}

/**
 * Ends the process when a case hangs: a loop in a parser lets no timer of its own thread run, so another thread looks whether
 * the number of the case still changes.
 */
function watchdog(name: string): { at(i: number): void; stop(): Promise<unknown> } {
  const beat = new Int32Array(new SharedArrayBuffer(4));
  const script = `
    const { workerData: { beat, name, hangs } } = require('node:worker_threads');
    let last = -1, since = Date.now();
    setInterval(() => {
      const now = Atomics.load(beat, 0);
      if (now !== last) { last = now; since = Date.now(); }
      else if (Date.now() - since > hangs) {
        require('node:fs').writeSync(2, name + ': case ' + now + ' hangs\\n');
        process.kill(process.pid, 'SIGKILL');
      }
    }, 1000);`;
  const worker = new Worker(script, { eval: true, workerData: { beat, name, hangs: HANGS_MS } });
  worker.unref();
  return { at: (i) => void Atomics.store(beat, 0, i), stop: () => worker.terminate() };
}

export function fuzz<T>({ name, seeds, takesAll, change, run }: Target<T>): void {
  test(`${name}: ${CASES} mutations`, { timeout: 60_000 + CASES * 100 }, async () => {
    const counts = { read: 0, refused: 0, raw: 0, slow: 0 };
    const wrong = new Map<string, number[]>();
    // The unchanged inputs are right: otherwise nothing behind their first check is tried.
    for (const seed of seeds) await run(seed);
    const dog = watchdog(`${name}, seed ${SEED}`);
    for (let i = 0; i < CASES; i++) {
      dog.at(i);
      const draw = new Draw(SEED, i);
      const input = change(draw.pick(seeds), draw);
      const start = performance.now();
      let outcome: Outcome = { kind: 'read', says: '' };
      try {
        await run(input);
      } catch (cause) {
        outcome = judge(cause);
      }
      const ms = performance.now() - start;
      if (ms > SLOW_MS) outcome = { kind: 'slow', says: `${Math.round(ms)} ms` };
      counts[outcome.kind]++;
      if (outcome.kind === 'raw' || outcome.kind === 'slow') {
        wrong.set(outcome.says, [...(wrong.get(outcome.says) ?? []), i]);
      }
    }
    await dog.stop();
    const peak = process.resourceUsage().maxRSS * 1024;
    console.log(
      `${name}: ${counts.read} read, ${counts.refused} refused, ${counts.raw} raw, ${counts.slow} slow; peak ${Math.round(peak / 2 ** 20)} MB`,
    );
    const list = [...wrong].map(([says, cases]) => `${cases.length}× (case ${cases[0]}) ${says}`);
    expect(list, `${name}, seed ${SEED}`).toEqual([]);
    expect(peak, 'peak bytes of the process').toBeLessThan(MOST_BYTES);
    // Mutations that are all read, or all refused at the door, try nothing.
    if (!takesAll) expect(counts.refused).toBeGreaterThan(0);
    expect(counts.read).toBeGreaterThan(0);
  });
}
