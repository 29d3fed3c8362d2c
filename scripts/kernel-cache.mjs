// What runs without a screen have timed of this computer's cards: a browser profile of their own would forget it, and two runs of one
// recipe might then compute with different kernels.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const fileIn = (folder) => path.join(folder, 'kernels.json');

/**
 * By card, as the app keeps it; empty where there is nothing or nothing readable.
 *
 * @returns {Record<string, { version: string, classes: Record<string, unknown> }>}
 */
export function keptKernels(folder) {
  try {
    const kept = JSON.parse(readFileSync(fileIn(folder), 'utf8'));
    return typeof kept === 'object' && kept !== null ? kept : {};
  } catch {
    return {};
  }
}

/** Adds what a run has timed. What is there already stays: another run may have begun with it. */
export function keepKernels(folder, timed) {
  const before = keptKernels(folder);
  const kept = { ...before };
  for (const [card, own] of Object.entries(timed)) {
    const same = before[card]?.version === own.version;
    kept[card] = same ? { ...before[card], classes: { ...own.classes, ...before[card].classes } } : own;
  }
  if (JSON.stringify(kept) === JSON.stringify(before)) return;
  mkdirSync(folder, { recursive: true });
  const next = `${fileIn(folder)}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify(kept, null, 1)}\n`);
  renameSync(next, fileIn(folder));
}
