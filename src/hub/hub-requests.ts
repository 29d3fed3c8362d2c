/**
 * One request to the Hub, for everything that asks it: it adds the token only where it belongs, and turns every failure into a
 * TabtuneError.
 */
import { TabtuneError } from '../base/errors';
import { parseUntrusted } from '../base/json';
import { within } from '../base/patience';
import type { HubSettings } from './descriptions';
import { checkEndpoint, mayCarryToken } from './hub-endpoint';
import { type Asked, BusyError, explainStatus, OtherVersion, unreachable, WebPageError } from './hub-errors';

export type Fetch = typeof globalThis.fetch;
/** Of a server that has accepted a request. */
export const SILENCE_MS = 60_000;
/** Of one page of a listing; real ones have a thousand files. */
const MOST_JSON = 32 * 2 ** 20;
export const ATTEMPTS = 3;
/** Waits longer than this are left to the person: the error is shown instead. */
export const PATIENCE_SECONDS = 20;

export class HubRequests {
  readonly endpoint: string;
  protected readonly token: string | null;
  private readonly ask: Fetch;

  constructor(settings: HubSettings, ask: Fetch = (...given) => globalThis.fetch(...given)) {
    this.endpoint = checkEndpoint(settings.endpoint);
    this.token = settings.token?.trim() || null;
    this.ask = ask;
  }

  protected asked(given: Partial<Asked> = {}): Asked {
    return { id: null, endpoint: this.endpoint, hasToken: this.token !== null, ...given };
  }

  /** The error for a response that is no success. */
  protected explain(response: Response, asked: Asked): Promise<TabtuneError> {
    return explainStatus(response, asked);
  }

  /** Hears of the address that answered in place of the one that was asked. */
  protected redirected(_to: string): void {}

  /**
   * Sends one request. Rejects with a TabtuneError unless the response is a success, or of the status that is `welcome`. `patience` is how
   * long the server may take to answer, in milliseconds: what is sent may take its time.
   */
  protected async request(
    url: string,
    init: RequestInit,
    asked: Asked,
    { patience = SILENCE_MS, welcome = 200 } = {},
  ): Promise<Response> {
    const headers = new Headers(init.headers);
    const target = new URL(url);
    // The endpoint redirects to other hosts, which must not see the token. Browsers drop it on such redirects.
    if (this.token !== null && target.origin === new URL(this.endpoint).origin && mayCarryToken(target)) {
      headers.set('Authorization', `Bearer ${this.token}`);
    }
    let response: Response;
    // Of the answer's head; what follows has its own patience.
    const silence = new AbortController();
    const signal = init.signal ? AbortSignal.any([init.signal, silence.signal]) : silence.signal;
    try {
      const options: RequestInit = { ...init, headers, signal, credentials: 'omit', referrerPolicy: 'no-referrer' };
      response = await within(this.ask(url, options), patience, () => silent(patience));
    } catch (cause) {
      if (init.signal?.aborted) throw init.signal.reason;
      silence.abort();
      throw unreachable(cause, asked);
    }
    if (response.redirected) this.redirected(response.url);
    if (response.ok || response.status === welcome) return response;
    if (response.status === 416) {
      await response.body?.cancel();
      throw new OtherVersion(asked.file ?? '', `HTTP 416 ${response.headers.get('Content-Range') ?? ''}`);
    }
    throw await this.explain(response, asked);
  }

  /** The fetch for the library: returns JSON, or throws a TabtuneError that passes through the library unchanged. */
  protected jsonFetch(asked: Asked, signal?: AbortSignal): Fetch {
    return async (input, init) => {
      const { text, response } = await this.json(String(input), { ...init, signal }, asked);
      const { status, headers } = response;
      return new Response(text, { status, headers });
    };
  }

  /**
   * An answer that is known to be JSON of the expected kind (an object or a list of them), and neither huge nor absurdly deep. A Hub
   * that is busy is asked again, as often as `attempts` says.
   */
  protected async json(
    url: string,
    init: RequestInit,
    asked: Asked,
    { attempts = ATTEMPTS, ...options }: { attempts?: number; patience?: number; welcome?: number } = {},
  ): Promise<{ value: unknown; text: string; response: Response }> {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.request(url, init, asked, options);
        const type = response.headers.get('Content-Type') ?? '';
        if (/text\/html/.test(type)) {
          await response.body?.cancel();
          throw new WebPageError('the Hub’s response', asked, `HTTP ${response.status} ${type}`);
        }
        const text = await limitedText(response, MOST_JSON);
        return { value: parsed(text, asked), text, response };
      } catch (cause) {
        const seconds = cause instanceof BusyError ? (cause.seconds ?? attempt) : Infinity;
        if (attempt >= attempts || seconds > PATIENCE_SECONDS) throw cause;
        await pause(seconds * 1000, init.signal ?? undefined);
      }
    }
  }

  /** Reports responses that do not come from a Hub at all. */
  protected async understood<T>(asked: Asked, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof TabtuneError || (cause as { name?: string })?.name === 'AbortError') throw cause;
      throw unlikeHub(asked, cause instanceof Error ? cause.message : String(cause));
    }
  }
}

function parsed(text: string, asked: Asked): unknown {
  let value: unknown;
  try {
    value = parseUntrusted(text);
  } catch (cause) {
    throw unlikeHub(asked, (cause as Error).message);
  }
  const items = Array.isArray(value) ? value : [value];
  if (!items.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item))) {
    throw unlikeHub(asked, 'its answer is neither an object nor a list of objects');
  }
  return value;
}

/** Wraps an error of a connection. */
export const broken = (cause: unknown, asked: Asked): TabtuneError =>
  cause instanceof TabtuneError ? cause : unreachable(cause, asked);

export const silent = (patience = SILENCE_MS) => new Error(`no answer within ${patience / 1000} seconds`);

export const unlikeHub = ({ endpoint, id }: Asked, details: string) =>
  new TabtuneError({
    code: 'network',
    message: `${endpoint} does not respond like a Hugging Face Hub.`,
    where: id ?? 'Hub endpoint',
    action: 'Check the Hub address in the settings, or try again later.',
    details,
  });

/** The text of a response of at most so many bytes. */
async function limitedText(response: Response, limit: number): Promise<string> {
  const reader = (response.body ?? new Blob([]).stream()).getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await within(reader.read(), SILENCE_MS, silent);
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > limit) {
      void reader.cancel().catch(() => {});
      throw new Error(`its answer has more than ${limit} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** Rejects with the signal's reason. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
