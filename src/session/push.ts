/** Sends files to the Hub, in a worker of its own that lives as long as it sends, and until it has told what it asked. */
import type { HubSettings } from '../hub/descriptions';
import { Meter, secondsLeft } from '../hub/meter';
import { PushClient } from '../hub/push/client';
import type {
  PartialUpload,
  Pushed,
  PushOrder,
  PushPace,
  PushProgress,
  PushTarget,
  Remembered,
} from '../hub/push/types';
import type { Connection } from '../rpc/rpc';
import type { UploadApi } from '../workers/upload/service';
import type { PushApi } from './hub-api';

export interface PushNeeds {
  connect: () => Connection<UploadApi>;
  settings(): HubSettings;
  /** How long a worker stays after its push, in milliseconds. */
  lingerMs?: number;
}

/** Browsers list a worker's requests a moment later, and the privacy page lists them all. */
const LINGER_MS = 3000;
/** Of uploads that were begun and never ended. The Hub forgets them, too. */
const MOST_KEPT = 10;

export class PushSession implements PushApi {
  private readonly hashes = new WeakMap<Blob, string>();
  /** Their addresses are signed and let anyone write there, so they are never stored: a reload asks the Hub for new ones. */
  private partials: PartialUpload[] = [];

  constructor(private readonly needs: PushNeeds) {}

  account(token: string, signal?: AbortSignal) {
    return new PushClient({ ...this.needs.settings(), token }).account(signal);
  }

  target(repo: string, signal?: AbortSignal): Promise<PushTarget | null> {
    return new PushClient(this.needs.settings()).target(repo, signal);
  }

  async push(order: PushOrder, onProgress: (progress: PushPace) => void, signal: AbortSignal): Promise<Pushed> {
    const files = order.files.map((file) => ({ ...file, sha256: this.hashes.get(file.blob) ?? file.sha256 }));
    const remember = (what: Remembered) => {
      if (what.kind === 'hash') {
        const blob = order.files.find(({ path }) => path === what.path)?.blob;
        if (blob) this.hashes.set(blob, what.sha256);
        return;
      }
      const sha256 = what.kind === 'upload' ? what.upload.sha256 : what.sha256;
      const others = this.partials.filter((one) => one.sha256 !== sha256);
      this.partials = what.kind === 'upload' ? [...others, what.upload].slice(-MOST_KEPT) : others;
    };
    const connection = this.needs.connect();
    try {
      const { settings } = this.needs;
      return await connection.api.push(
        { ...order, files },
        settings(),
        this.partials,
        paced(onProgress),
        remember,
        signal,
      );
    } finally {
      setTimeout(() => connection.terminate(), this.needs.lingerMs ?? LINGER_MS);
    }
  }
}

function paced(onProgress: (progress: PushPace) => void): (progress: PushProgress) => void {
  let meter = new Meter();
  let phase: PushProgress['phase'] | null = null;
  return (progress) => {
    if (progress.phase !== phase) meter = new Meter();
    phase = progress.phase;
    const rate = progress.total > 0 ? meter.add(progress.done) : null;
    onProgress({ ...progress, rate, secondsLeft: secondsLeft(rate, progress.total - progress.done) });
  };
}
