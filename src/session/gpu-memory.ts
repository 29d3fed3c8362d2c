/**
 * Estimates how much memory this GPU has. WebGPU does not say, so the estimate starts from what the browser reports
 * about the computer, and is corrected by runs on this GPU that succeeded or ran out of memory.
 */
import { formatBytes } from '../base/bytes';
import type { Verdict } from '../hub/descriptions';
import type { DeviceReport } from './api';

export interface Budget {
  bytes: number;
  /** How that is known, in a few words. */
  how: string;
  /** Up to this size, a run fits comfortably. */
  fits: number;
  /** From this size, a run is too big; between the two it is tight. */
  tooBig: number;
}

/** GPU bytes of earlier runs on one GPU. */
interface Seen {
  /** The largest run that succeeded. */
  held?: number;
  /** The smallest planned size of a run that ran out of memory. */
  failed?: number;
}

const GIB = 2 ** 30;
/** The share of the estimate that a run may use comfortably; the rest is for the screen and other programs. */
const COMFORT = 0.8;
/** A run counts as too big only if it exceeds the guess by this factor. */
const DOUBT = 2;
const KEY = 'tabtune.gpu-memory';

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Null in workers, and if it is turned off. */
function pageStorage(): Store | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

export class GpuMemory {
  constructor(
    private readonly store: Store | null = pageStorage(),
    /** GiB of memory, which browsers round down and cap; undefined if the browser does not say. */
    private readonly deviceMemory: number | undefined = (globalThis.navigator as { deviceMemory?: number } | undefined)
      ?.deviceMemory,
  ) {}

  /** Null if nothing is known. */
  budget(device: DeviceReport): Budget | null {
    const { held, failed } = this.seen(device);
    if (failed !== undefined) {
      const bytes = Math.max(held ?? 0, 0.9 * failed);
      const how = `because a ${formatBytes(failed)} run ran out of memory here`;
      return { bytes, how, fits: Math.max(held ?? 0, COMFORT * bytes), tooBig: failed };
    }
    const guess = this.deviceMemory === undefined ? 0 : (this.deviceMemory * GIB) / 2;
    if (held !== undefined && held > COMFORT * guess) {
      const bytes = Math.max(held, guess);
      return { bytes, how: 'because a run of that size succeeded here', fits: held, tooBig: DOUBT * bytes };
    }
    if (guess === 0) return null;
    const memory = 'half of the memory that the browser reports';
    const how = device.software ? memory : `a guess: ${memory}`;
    return { bytes: guess, how, fits: COMFORT * guess, tooBig: DOUBT * guess };
  }

  wentWell(device: DeviceReport, bytes: number): void {
    const seen = this.seen(device);
    // An earlier failure at a size that now succeeded was not caused by the size.
    const failed = seen.failed !== undefined && seen.failed <= bytes ? undefined : seen.failed;
    if (bytes > (seen.held ?? 0) || failed !== seen.failed) {
      this.write(device, { held: Math.max(bytes, seen.held ?? 0), failed });
    }
  }

  ranOut(device: DeviceReport, bytes: number): void {
    const seen = this.seen(device);
    const held = seen.held !== undefined && seen.held >= bytes ? undefined : seen.held;
    this.write(device, { held, failed: Math.min(bytes, seen.failed ?? Infinity) });
  }

  forget(): void {
    this.store?.removeItem(KEY);
  }

  private all(): Record<string, Seen> {
    try {
      return JSON.parse(this.store?.getItem(KEY) ?? '{}') as Record<string, Seen>;
    } catch {
      return {}; // damaged, or storage is turned off
    }
  }

  private seen(device: DeviceReport): Seen {
    return this.all()[nameOf(device)] ?? {};
  }

  private write(device: DeviceReport, seen: Seen): void {
    try {
      this.store?.setItem(KEY, JSON.stringify({ ...this.all(), [nameOf(device)]: seen }));
    } catch {
      // Full or turned off: the next run makes the same guess.
    }
  }
}

const nameOf = ({ vendor, architecture, description }: DeviceReport) => `${vendor} ${architecture} ${description}`;

export function verdictOf(bytes: number, budget: Budget | null): Verdict {
  if (!budget) return 'unknown';
  if (bytes <= budget.fits) return 'fits';
  return bytes < budget.tooBig ? 'tight' : 'too_big';
}
