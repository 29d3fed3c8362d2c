/**
 * How much memory this GPU may have. WebGPU does not tell, so it is guessed from what the browser says of the computer, and
 * corrected by what runs here have shown: one that went well, or one that ran out of memory.
 */
import type { Verdict } from '../hub/descriptions';
import type { DeviceReport } from './api';

export interface Budget {
  bytes: number;
  /** In a few words, how that is known. */
  how: string;
  /** Up to here a run fits with room to spare. */
  fits: number;
  /** Beyond this it is too big; between the two it is tight. */
  tooBig: number;
}

/** GPU bytes of runs on one GPU. */
interface Seen {
  /** The most that went well. */
  held?: number;
  /** The least that was planned for a run that ran out of memory. */
  failed?: number;
}

const GIB = 2 ** 30;
/** Of what is believed to be there; the rest is for the screen and other programs. */
const COMFORT = 0.8;
/** A guess may be wrong by this much before a run is called too big because of it. */
const DOUBT = 2;
const KEY = 'tabtune.gpu-memory';

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Null in workers and where a person has switched it off. */
function pageStorage(): Store | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/** As the screen writes them: powers of 1000. */
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

export class GpuMemory {
  constructor(
    private readonly store: Store | null = pageStorage(),
    /** GiB of memory, which browsers round down and cap; undefined where they keep it to themselves. */
    private readonly deviceMemory: number | undefined = (globalThis.navigator as { deviceMemory?: number } | undefined)
      ?.deviceMemory,
  ) {}

  /** Null when nothing is known. */
  budget(device: DeviceReport): Budget | null {
    const { held, failed } = this.seen(device);
    if (failed !== undefined) {
      const bytes = Math.max(held ?? 0, 0.9 * failed);
      const how = `because a run of ${gigabytes(failed)} ran out of memory here`;
      return { bytes, how, fits: Math.max(held ?? 0, COMFORT * bytes), tooBig: failed };
    }
    const guess = this.deviceMemory === undefined ? 0 : (this.deviceMemory * GIB) / 2;
    if (held !== undefined && held > COMFORT * guess) {
      const bytes = Math.max(held, guess);
      return { bytes, how: 'because a run of that size went well here', fits: held, tooBig: DOUBT * bytes };
    }
    if (guess === 0) return null;
    const memory = 'half of the memory that the browser admits to';
    const how = device.software ? memory : `a guess: ${memory}`;
    return { bytes: guess, how, fits: COMFORT * guess, tooBig: DOUBT * guess };
  }

  wentWell(device: DeviceReport, bytes: number): void {
    const seen = this.seen(device);
    // What went well did not fail for its size.
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
      return {}; // damaged, or storage is switched off
    }
  }

  private seen(device: DeviceReport): Seen {
    return this.all()[nameOf(device)] ?? {};
  }

  private write(device: DeviceReport, seen: Seen): void {
    try {
      this.store?.setItem(KEY, JSON.stringify({ ...this.all(), [nameOf(device)]: seen }));
    } catch {
      // Full or switched off: the next run guesses as this one did.
    }
  }
}

const nameOf = ({ vendor, architecture, description }: DeviceReport) => `${vendor} ${architecture} ${description}`;

export function verdictOf(bytes: number, budget: Budget | null): Verdict {
  if (!budget) return 'unknown';
  if (bytes <= budget.fits) return 'fits';
  return bytes < budget.tooBig ? 'tight' : 'too_big';
}
