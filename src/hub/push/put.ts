/**
 * Bytes to one address of the Hub's storage. Browsers tell how much of a request is sent only for XMLHttpRequest; where there is none
 * (Node), fetch does without.
 */

export interface PutAnswer {
  status: number;
  /** Of the bytes that arrived; null if storage does not tell. */
  etag: string | null;
  /** The start of the body of a refusal. */
  said: string;
}

/** Rejects with an Error if the connection breaks, or with the signal's reason. */
export type Put = (url: string, body: Blob, onSent: (bytes: number) => void, signal: AbortSignal) => Promise<PutAnswer>;

/** A connection that moves nothing for so long is broken. */
const SILENCE_MS = 60_000;
/** What fetch, which tells nothing meanwhile, must send in a second. */
const SLOWEST = 16_000;
const SHOWN = 500;

export const put: Put = (...given) => (typeof XMLHttpRequest === 'undefined' ? byFetch : byRequest)(...given);

const byRequest: Put = (url, body, onSent, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const request = new XMLHttpRequest();
    let timer: ReturnType<typeof setTimeout>;
    const broken = (why: string) => reject(new Error(why));
    const wake = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        broken(`nothing moved for ${SILENCE_MS / 1000} seconds`);
        request.abort();
      }, SILENCE_MS);
    };
    const stop = () => {
      reject(signal.reason);
      request.abort();
    };
    signal.addEventListener('abort', stop, { once: true });
    request.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
    request.upload.onprogress = ({ loaded }) => {
      wake();
      onSent(loaded);
    };
    request.onerror = () => broken('the connection was lost, or the request was not allowed');
    request.onload = () =>
      resolve({
        status: request.status,
        etag: request.getResponseHeader('ETag'),
        said: request.responseText.slice(0, SHOWN),
      });
    request.open('PUT', url);
    wake();
    // A type would be sent as a header that the address is not signed for.
    request.send(body.slice(0, body.size, ''));
  });

const byFetch: Put = async (url, body, onSent, signal) => {
  const silence = AbortSignal.timeout(SILENCE_MS + Math.ceil((1000 * body.size) / SLOWEST));
  const response = await fetch(url, {
    method: 'PUT',
    body: body.slice(0, body.size, ''),
    signal: AbortSignal.any([signal, silence]),
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
  });
  const said = (await response.text()).slice(0, SHOWN);
  if (response.ok) onSent(body.size);
  return { status: response.status, etag: response.headers.get('ETag'), said };
};
