/** Turns refusals of the Hub to take something into errors that say what to do. */
import { TabtuneError } from '../../base/errors';
import { AccessError, type Asked, busy, hostOf, type Refusal, rejected } from '../hub-errors';

/** A commit was made since the one that this push began from. */
export class ConflictError extends TabtuneError {
  constructor({ where, details }: Refusal, id: string) {
    super({
      code: 'access',
      message: `Somebody else changed ${id} at the same time, twice.`,
      where,
      action: 'Push again: what was sent is kept, and your commit then follows theirs.',
      details,
    });
  }
}

/** The repository is there already. */
export class TakenError extends TabtuneError {
  constructor({ where, details }: { where: string; details?: string }, id: string, visible: boolean) {
    super({
      code: 'access',
      message: `${id} exists already.`,
      where,
      action: visible
        ? 'Choose another name, or push again and confirm that the files are to be added to it.'
        : 'Choose another name. This token cannot read the existing one.',
      details,
    });
  }
}

/** There is no repository that this token can see. */
export class MissingError extends TabtuneError {
  constructor({ where, details }: Refusal, id: string) {
    super({
      code: 'access',
      message: `The Hub has no model ${id}, or this token cannot see it.`,
      where,
      action: 'It may have been deleted meanwhile. Push again to create it, or choose another name.',
      details,
    });
  }
}

/** A request that the Hub does not accept, for a reason of which nothing is known here. */
export class RefusedError extends TabtuneError {
  constructor({ where, details }: Refusal, { endpoint, file, id }: Asked) {
    super({
      code: 'access',
      message: `${hostOf(endpoint)} did not accept ${file ?? id ?? 'the request'}.`,
      where,
      action: 'The details say why. Change the name or the files, then push again.',
      details,
    });
  }
}

/** The signed address has expired, or the Hub has given up the upload: a new one has to be asked for. */
export class ExpiredError extends TabtuneError {
  constructor(file: string, details: string) {
    super({
      code: 'access',
      message: `The Hub’s permission to upload ${file} has expired.`,
      where: file,
      action: 'Push again. Check that the clock of this device is right.',
      details,
    });
  }
}

const FULL =
  /storage (limit|quota|patterns)|quota (exceeded|reached)|out of storage|exceed\w* .{0,40}storage|insufficient storage/i;

export const tokenPage = (endpoint: string) => `${endpoint}/settings/tokens`;

/** The error for a request to write. */
export function explainRefusal(refusal: Refusal, asked: Asked): TabtuneError {
  const { status, reason, said, where, details } = refusal;
  const { id, endpoint, file } = asked;
  const owner = id?.split('/')[0] ?? 'this account';
  const words = { where, details };

  // The Hub says so with 400, 403 or 413, from whichever request notices first.
  if (FULL.test(said) || status === 402 || status === 507) {
    const ofPrivate = /private/i.test(said);
    return new TabtuneError({
      code: 'access',
      message: ofPrivate
        ? `The private storage of ${owner} on the Hub is full.`
        : `The Hub gives ${owner} no more storage.`,
      action: ofPrivate
        ? `Delete something from ${owner}’s private repositories, choose another owner, or make this repository public at ${endpoint}/${id}/settings.`
        : `Delete something from ${owner}’s repositories, choose another owner, or ask for more storage on the Hub’s pages.`,
      ...words,
    });
  }
  if (status === 413) {
    return new TabtuneError({
      code: 'access',
      message: `${file ?? 'The commit'} is larger than the Hub accepts.`,
      action: 'Export fewer or smaller files: a lower precision, or the adapter alone.',
      ...words,
    });
  }
  if (status === 401 && !/RepoNotFound/.test(reason)) return rejected(refusal, asked);
  if (reason === 'GatedRepo') {
    return new AccessError('terms', {
      message: `${id} is open only to people who have accepted its terms.`,
      action: `Accept them with the token’s account at ${endpoint}/${id}, then push again.`,
      ...words,
    });
  }
  if (status === 403 && /namespace|rights to create/i.test(said)) {
    return new AccessError('token', {
      message: `This token may not create models under ${owner}.`,
      action: `Choose another owner, or use a token with write access to ${owner} (${tokenPage(endpoint)}). In an organisation, your role must allow writing.`,
      ...words,
    });
  }
  if (status === 403) {
    return new AccessError('token', {
      message: `This token may not write to ${id ?? 'the Hub'}.`,
      action: `Create a token with write access at ${tokenPage(endpoint)} and enter it. In an organisation, you must be a member whose role allows writing.`,
      ...words,
    });
  }
  if (id !== null && (status === 404 || status === 401)) return new MissingError(refusal, id);
  if (id !== null && (status === 409 || status === 412)) return new ConflictError(refusal, id);
  return busy(refusal, asked) ?? new RefusedError(refusal, asked);
}
