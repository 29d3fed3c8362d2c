/** Reads what the Hub says of a token. */
import { AccessError, type Asked } from '../hub-errors';
import { unlikeHub } from '../hub-requests';
import { tokenPage } from './errors';
import type { PushAccount } from './types';

type Json = Record<string, unknown>;
interface Scope {
  entity?: { type?: string; name?: string };
  permissions?: string[];
}

const list = (value: unknown): Json[] =>
  Array.isArray(value) ? value.filter((one) => one !== null && typeof one === 'object') : [];

/** From the answer of `whoami-v2`. A right that the Hub does not mention is left for it to refuse. */
export function accountOf(answer: Json, asked: Asked): PushAccount {
  const { name } = answer;
  if (typeof name !== 'string' || name === '') throw unlikeHub(asked, 'it does not say whose token it is');
  const token = (answer.auth as Json | undefined)?.accessToken as Json | undefined;
  const noWriting = (message: string) =>
    new AccessError('token', {
      message,
      where: name,
      action: `Create one of the type Write at ${tokenPage(asked.endpoint)}, and enter it here.`,
      details: `role ${String(token?.role)}`,
    });
  if (token?.role === 'read') throw noWriting('This access token can only read.');
  const fine = token?.role === 'fineGrained' ? ((token.fineGrained as Json | undefined) ?? {}) : null;
  const scopes = list(fine?.scoped) as Scope[];
  const everywhere = fine === null || (Array.isArray(fine.global) && fine.global.includes('repo.write'));
  const mayWrite = (owner: string) =>
    everywhere ||
    scopes.some(
      ({ entity, permissions }) =>
        permissions?.includes('repo.write') && (entity?.name === owner || entity?.name?.startsWith(`${owner}/`)),
    );

  const owners: string[] = [];
  const refused: string[] = [];
  // A token of an organisation itself has no person behind it, but may write there as well.
  const organisations = list(answer.orgs).filter((one) => typeof one.name === 'string') as {
    name: string;
    roleInOrg?: string;
  }[];
  if (mayWrite(name)) owners.push(name);
  for (const { name: organisation, roleInOrg } of organisations) {
    if (roleInOrg === 'read') refused.push(`Your role in ${organisation} only allows reading.`);
    else if (!mayWrite(organisation)) refused.push(`This token has no write access to ${organisation}.`);
    else owners.push(organisation);
  }
  if (owners.length === 0) throw noWriting('This access token may not write to any repository.');
  return { name, owners, refused };
}
