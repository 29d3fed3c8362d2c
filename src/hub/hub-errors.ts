/** What the Hub answers, and what does not answer, in words that say what to do. */
import { TabtuneError } from '../base/errors';

/** Tells `access` apart: no token or a bad one, or terms that the token's owner has not accepted. */
export class AccessError extends TabtuneError {
  constructor(
    readonly needs: 'token' | 'terms',
    words: { message: string; where: string; action: string; details: string },
  ) {
    super({ code: 'access', ...words });
  }
}

/** The Hub, or the way to it, asks to come again later. */
export class BusyError extends TabtuneError {
  constructor(
    /** What the server asks for; null when it does not say. */
    readonly seconds: number | null,
    words: { message: string; where?: string; action: string; details: string },
  ) {
    super({ code: 'network', ...words });
  }
}

const TOKEN = /\bhf_[A-Za-z0-9]{4,}/g;

/** Text that may hold a token, without it: addresses and messages of servers end up in error reports. */
export function redact(text: string): string {
  return text
    .replace(TOKEN, 'hf_…')
    .replace(/([?&](?:token|X-Amz-[\w-]+|Signature|Policy|Key-Pair-Id)=)[^&\s"]+/gi, '$1…');
}

export interface Asked {
  /** ORG/NAME, or null for a search. */
  id: string | null;
  revision?: string | null;
  file?: string;
  endpoint: string;
  hasToken: boolean;
}

/** The server could not be reached, or what it sent broke off. */
export function unreachable(cause: unknown, asked: Asked): TabtuneError {
  const { name = 'Error', message = '' } = (cause ?? {}) as { name?: string; message?: string };
  const host = hostOf(asked.endpoint);
  const offline = globalThis.navigator?.onLine === false;
  return new TabtuneError({
    code: 'network',
    message: offline ? 'This device is offline.' : `${host} could not be reached, or the connection broke off.`,
    where: asked.file ?? asked.id ?? host,
    action: offline
      ? 'Connect to the internet, then go on.'
      : 'Check the connection, and a blocker or company network that may forbid the address; then try again.',
    details: redact(`${name}: ${message}`),
  });
}

const hostOf = (endpoint: string): string => {
  try {
    return new URL(endpoint).host;
  } catch {
    return endpoint;
  }
};

/** `Retry-After` in seconds or as a date; or `t` of the Hub's RateLimit header. */
function secondsToWait(headers: Headers): number | null {
  const after = headers.get('Retry-After');
  if (after !== null) {
    const seconds = /^\d+$/.test(after.trim()) ? Number(after) : (Date.parse(after) - Date.now()) / 1000;
    if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds));
  }
  const reset = /\bt=(\d+)/.exec(headers.get('RateLimit') ?? '')?.[1];
  return reset === undefined ? null : Number(reset);
}

/** Why an answer is no success. Reads the beginning of its body for the details. */
export async function explainStatus(response: Response, asked: Asked): Promise<TabtuneError> {
  const { status, headers } = response;
  const reason = headers.get('X-Error-Code') ?? '';
  const said = headers.get('X-Error-Message') ?? (await beginning(response));
  const where = asked.file ?? asked.id ?? hostOf(asked.endpoint);
  const details = redact(`HTTP ${status} ${reason} ${said}`.replace(/\s+/g, ' ').trim());
  const name = asked.id ?? 'This';
  const page = asked.id === null ? asked.endpoint : `${asked.endpoint}/${asked.id}`;

  if (reason === 'GatedRepo' || (status === 403 && /gated|access to model/i.test(said))) {
    return asked.hasToken && status === 403
      ? new AccessError('terms', {
          message: `${name} is given only to people who accepted its terms, and the owner of this token has not, or waits for approval.`,
          where,
          action: `Open ${page}, accept the terms there with the account of the token, then try again.`,
          details,
        })
      : new AccessError('token', {
          message: `${name} is given only to people who accepted its terms.`,
          where,
          action: `Accept the terms on ${page}, make an access token at ${asked.endpoint}/settings/tokens, and enter it here.`,
          details,
        });
  }
  if (status === 401 && asked.hasToken && !/RepoNotFound/.test(reason)) {
    return new AccessError('token', {
      message: 'The Hub does not accept the access token.',
      where,
      action: `It may have expired: make a new one at ${asked.endpoint}/settings/tokens, and enter it here.`,
      details,
    });
  }
  if (status === 401) {
    // The Hub does not tell strangers whether a private repository exists.
    return new AccessError('token', {
      message: `There is no public model ${name} on the Hub.`,
      where,
      action: 'Check the spelling; for a private model, enter an access token that may read it.',
      details,
    });
  }
  if (status === 403) {
    return new AccessError(asked.hasToken ? 'terms' : 'token', {
      message: `The Hub does not give ${asked.file ?? name} to ${asked.hasToken ? 'the owner of this token' : 'everybody'}.`,
      where,
      action: asked.hasToken
        ? `Look at ${page} with the account of the token; the token needs the right to read this repository.`
        : `Look at ${page}; an access token may be needed.`,
      details,
    });
  }
  if (status === 404) return missing(asked, where, reason, details);
  if (status === 429) {
    const seconds = secondsToWait(headers);
    return new BusyError(seconds, {
      message: 'The Hub has had too many requests from here.',
      where,
      action:
        seconds === null
          ? 'Wait a few minutes, then try again; with an access token the limits are higher.'
          : `Wait ${wait(seconds)}, then try again; with an access token the limits are higher.`,
      details,
    });
  }
  if (status >= 500) {
    return new BusyError(secondsToWait(headers), {
      message: `${hostOf(asked.endpoint)} has a problem of its own at the moment.`,
      where,
      action: 'Try again in a few minutes.',
      details,
    });
  }
  return new TabtuneError({
    code: 'network',
    message: `${hostOf(asked.endpoint)} answered with an error.`,
    where,
    action: 'Try again; if it happens again, choose another model.',
    details,
  });
}

function missing(asked: Asked, where: string, reason: string, details: string): TabtuneError {
  const { id, revision, file } = asked;
  if (reason === 'RevisionNotFound') {
    return new TabtuneError({
      code: 'bad_model',
      message: `${id} has no branch, tag or commit ${revision ?? 'main'}.`,
      where,
      action: 'Check the name behind the @, or leave it out.',
      details,
    });
  }
  if (file !== undefined && (reason === 'EntryNotFound' || reason === '')) {
    return new TabtuneError({
      code: 'bad_model',
      message: `${file} is not there any more.`,
      where,
      action: 'The repository may have been renamed or deleted: look for the model again.',
      details,
    });
  }
  return new TabtuneError({
    code: 'bad_model',
    message: `There is no model ${id ?? ''} on the Hub.`,
    where,
    action: 'Check the spelling; it may also have been renamed, deleted, or be private.',
    details,
  });
}

/** A page of a hotel's network, of a firewall or of another site, where something else was expected. */
export class WebPageError extends TabtuneError {
  constructor(what: string, asked: Asked, details: string) {
    super({
      code: 'network',
      message: `A web page came instead of ${what}.`,
      where: asked.file ?? asked.id ?? hostOf(asked.endpoint),
      action:
        'A network that asks to log in first may be in between: open any page in a new tab, log in, then go on. With an endpoint of your own, check its address.',
      details: redact(details),
    });
  }
}

/** The server holds another version of the file than the one whose beginning is here, or that the Hub lists. */
export class OtherVersion extends TabtuneError {
  constructor(file: string, details: string) {
    super({
      code: 'network',
      message: `${file} is not the same on the server as in the Hub's list, or changes while it is fetched.`,
      where: file,
      action: 'Try again later; with an endpoint of your own, check that its copy is up to date.',
      details,
    });
  }
}

function wait(seconds: number): string {
  return seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

async function beginning(response: Response): Promise<string> {
  try {
    return (await response.text()).slice(0, 300);
  } catch {
    return '';
  }
}
