/**
 * Which code of rewards may run: what a person has written here or has read and agreed to. Kept in this browser letter by letter, so
 * that a changed one asks again.
 */
import { EXAMPLE_CODE } from '../rewards/javascript';

const KEY = 'tabtune.allowed-code';
/** The oldest are forgotten, and asked about again. */
const MOST = 50;

const inTab = new Set<string>();

function stored(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

export function mayRun(code: string): boolean {
  if (code === EXAMPLE_CODE) return true;
  return inTab.has(code) || stored().includes(code);
}

/** What is still being written is allowed in this tab only. */
export function allowCode(code: string, finished = true): void {
  inTab.add(code);
  if (!finished) return;
  try {
    localStorage.setItem(KEY, JSON.stringify([...stored().filter((one) => one !== code), code].slice(-MOST)));
  } catch {
    // Without storage it holds in this tab.
  }
}
