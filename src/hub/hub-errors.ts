/** Turns failed requests to the Hub into errors that say what to do. */
import { TabtuneError } from '../base/errors';

/** An `access` error and its cause: a missing or invalid token, or terms that the token's owner has not accepted. */
export class AccessError extends TabtuneError {
  constructor(
    readonly needs: 'token' | 'terms',
    words: { message: string; where: string; action: string; details: string },
  ) {
    super({ code: 'access', ...words });
  }
}

/** The Hub, or a server on the way to it, asks to try again later. */
export class BusyError extends TabtuneError {
  constructor(
    /** How long the server asks to wait; null if it does not say. */
    readonly seconds: number | null,
    words: { message: string; where?: string; action: string; details: string },
  ) {
    super({ code: 'network', ...words });
  }
}

const TOKEN = /\bhf_[A-Za-z0-9]{4,}/g;

/** Removes tokens from text: server messages and addresses end up in error reports. */
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

/** The server could not be reached, or the connection was lost. */
export function unreachable(cause: unknown, asked: Asked): TabtuneError {
  const { name = 'Error', message = '' } = (cause ?? {}) as { name?: string; message?: string };
  const host = hostOf(asked.endpoint);
  const offline = globalThis.navigator?.onLine === false;
  return new TabtuneError({
    code: 'network',
    message: offline ? 'This device is offline.' : `${host} could not be reached, or the connection was lost.`,
    where: asked.file ?? asked.id ?? host,
    action: offline
      ? 'Connect to the internet, then continue.'
      : 'Check your connection, and whether a content blocker or company network blocks the address. Then try again.',
    details: redact(`${name}: ${message}`),
  });
}

export const hostOf = (endpoint: string): string => {
  try {
    return new URL(endpoint).host;
  } catch {
    return endpoint;
  }
};

/** From `Retry-After` (seconds or a date), or from `t` in the Hub's RateLimit header. */
function secondsToWait(headers: Headers): number | null {
  const after = headers.get('Retry-After');
  if (after !== null) {
    const seconds = /^\d+$/.test(after.trim()) ? Number(after) : (Date.parse(after) - Date.now()) / 1000;
    if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds));
  }
  const reset = /\bt=(\d+)/.exec(headers.get('RateLimit') ?? '')?.[1];
  return reset === undefined ? null : Number(reset);
}

/** A response that is no success, and where in the words of the app. */
export interface Refusal {
  status: number;
  headers: Headers;
  /** The Hub's code, such as `RepoNotFound`; empty if there is none. */
  reason: string;
  /** The Hub's sentence, or the start of the body. */
  said: string;
  where: string;
  details: string;
}

export async function refusalOf(response: Response, asked: Asked): Promise<Refusal> {
  const { status, headers } = response;
  const reason = headers.get('X-Error-Code') ?? '';
  const said = headers.get('X-Error-Message') ?? (await beginning(response));
  return refusal(status, headers, reason, said, asked);
}

export function refusal(status: number, headers: Headers, reason: string, said: string, asked: Asked): Refusal {
  const where = asked.file ?? asked.id ?? hostOf(asked.endpoint);
  const details = redact(`HTTP ${status} ${reason} ${said}`.replace(/\s+/g, ' ').trim());
  return { status, headers, reason, said, where, details };
}

/** Explains a failed response. Reads the start of its body for the details. */
export async function explainStatus(response: Response, asked: Asked): Promise<TabtuneError> {
  const given = await refusalOf(response, asked);
  const { status, reason, said, where, details } = given;
  const name = asked.id ?? 'This';
  const page = asked.id === null ? asked.endpoint : `${asked.endpoint}/${asked.id}`;

  if (reason === 'GatedRepo' || (status === 403 && /gated|access to model/i.test(said))) {
    return asked.hasToken && status === 403
      ? new AccessError('terms', {
          message: `${name} is available only to people who have accepted its terms. The owner of this token has not accepted them, or is waiting for approval.`,
          where,
          action: `Sign in to the token’s account at ${page} and accept the terms, then try again.`,
          details,
        })
      : new AccessError('token', {
          message: `${name} is available only to people who have accepted its terms.`,
          where,
          action: `Accept the terms on ${page}, create an access token at ${asked.endpoint}/settings/tokens, and enter it here.`,
          details,
        });
  }
  if (status === 401 && asked.hasToken && !/RepoNotFound/.test(reason)) return rejected(given, asked);
  if (status === 401) {
    // Without a token, the Hub does not reveal whether a private repository exists.
    return new AccessError('token', {
      message: `The Hub has no public model ${name}.`,
      where,
      action: 'Check the spelling. For a private model, enter an access token that can read it.',
      details,
    });
  }
  if (status === 403) {
    return new AccessError(asked.hasToken ? 'terms' : 'token', {
      message: asked.hasToken
        ? `This access token does not allow downloading ${asked.file ?? name}.`
        : `The Hub does not allow everyone to download ${asked.file ?? name}.`,
      where,
      action: asked.hasToken
        ? `Open ${page} with the token’s account. The token needs permission to read this repository.`
        : `Open ${page} to see why. You may need an access token.`,
      details,
    });
  }
  if (status === 404) return missing(asked, where, reason, details);
  const later = busy(given, asked);
  if (later) return later;
  return new TabtuneError({
    code: 'network',
    message: `${hostOf(asked.endpoint)} responded with an error.`,
    where,
    action: 'Try again. If it fails again, choose another model.',
    details,
  });
}

/** For a token that is wrong or has expired. */
export const rejected = ({ where, details }: Refusal, { endpoint }: Asked): AccessError =>
  new AccessError('token', {
    message: 'The Hub rejected the access token.',
    where,
    action: `It may have expired. Create a new one at ${endpoint}/settings/tokens and enter it here.`,
    details,
  });

/** The Hub asks to come back later; null if the response says something else. */
export function busy({ status, headers, where, details }: Refusal, asked: Asked): BusyError | null {
  if (status === 429) {
    const seconds = secondsToWait(headers);
    const moment = seconds === null ? 'a few minutes' : wait(seconds);
    return new BusyError(seconds, {
      message: `The Hub has received too many requests from your ${asked.hasToken ? 'account' : 'network'}.`,
      where,
      action: `Wait ${moment}, then try again.${asked.hasToken ? '' : ' An access token raises the limit.'}`,
      details,
    });
  }
  if (status >= 500) {
    return new BusyError(secondsToWait(headers), {
      message: `${hostOf(asked.endpoint)} is having problems at the moment.`,
      where,
      action: 'Try again in a few minutes.',
      details,
    });
  }
  return null;
}

function missing(asked: Asked, where: string, reason: string, details: string): TabtuneError {
  const { id, revision, file } = asked;
  if (reason === 'RevisionNotFound') {
    return new TabtuneError({
      code: 'bad_model',
      message: `${id} has no branch, tag or commit ${revision ?? 'main'}.`,
      where,
      action: 'Check the name after the @, or leave it out.',
      details,
    });
  }
  if (file !== undefined && (reason === 'EntryNotFound' || reason === '')) {
    return new TabtuneError({
      code: 'bad_model',
      message: `${file} no longer exists on the Hub.`,
      where,
      action: 'The repository may have been renamed or deleted. Search for the model again.',
      details,
    });
  }
  return new TabtuneError({
    code: 'bad_model',
    message: `The Hub has no model ${id ?? ''}.`,
    where,
    action: 'Check the spelling. The model may also have been renamed, deleted or made private.',
    details,
  });
}

/** A web page arrived where data was expected, e.g. from a captive portal, a firewall or another site. */
export class WebPageError extends TabtuneError {
  constructor(what: string, asked: Asked, details: string) {
    super({
      code: 'network',
      message: `The server sent a web page instead of ${what}.`,
      where: asked.file ?? asked.id ?? hostOf(asked.endpoint),
      action:
        'Your network may require you to log in. Open any page in a new tab, log in, then continue. If you set your own Hub endpoint, check its address.',
      details: redact(details),
    });
  }
}

/** The server has a different version of the file from the one partly downloaded, or from the one the Hub lists. */
export class OtherVersion extends TabtuneError {
  constructor(file: string, details: string) {
    super({
      code: 'network',
      message: `${file} on the server differs from the Hub’s listing, or it changed during the download.`,
      where: file,
      action: 'Try again later. If you set your own Hub endpoint, check that its copy is up to date.',
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
