/** Every refusal of the Hub says what to do. */
import { describe, expect, it } from 'vitest';
import { PushClient } from '../../../../src/hub/push/client';
import { nameProblem, suggestName } from '../../../../src/hub/push/names';
import type { PushOrder } from '../../../../src/hub/push/types';
import { type Fault, HubServer, sha256 } from '../../../support/hub-server';
import { asks, content, filesOf, freshHub, KB, server, strike, Tab, WEIGHTS } from './stage';

freshHub();

function refused(order: Partial<PushOrder> = {}, token = 'hf_write') {
  const tab = new Tab();
  tab.token = token;
  return expect(tab.push({ files: filesOf(content(10 * KB)), ...order })).rejects;
}
const oid = sha256(content(10 * KB)[WEIGHTS]!);
const answer = (value: unknown): Fault => ({ contentType: 'application/json', body: JSON.stringify(value) });
const json = (error: string): Fault => ({ body: JSON.stringify({ error }) });

describe('the token', () => {
  it('that is wrong or has expired: a new one', async () => {
    await refused({}, 'hf_expired').toMatchObject({
      code: 'access',
      message: 'The Hub rejected the access token.',
      action: expect.stringContaining(`${server.endpoint}/settings/tokens`),
    });
  });

  it('that can only read: one of the type Write', async () => {
    await refused({}, 'hf_read').toMatchObject({
      code: 'access',
      message: 'This token may not create models under ada.',
      action: expect.stringContaining('a token with write access to ada'),
    });
    server.add({ id: 'ada/pirate', files: {} });
    await refused({ addTo: true }, 'hf_read').toMatchObject({
      code: 'access',
      message: 'This token may not write to ada/pirate.',
      action: expect.stringContaining('Create a token with write access'),
    });
  });

  it('of somebody who is no member of the organisation: another owner', async () => {
    await refused({ repo: 'strangers/pirate' }).toMatchObject({
      message: 'This token may not create models under strangers.',
      action: expect.stringContaining('Choose another owner'),
    });
    await refused({ repo: 'club/pirate' }).toMatchObject({ action: expect.stringContaining('your role must allow') });
  });

  it('is in no error', async () => {
    const words = { ...json('The token hf_write of ada may not'), status: 403 };
    strike(asks('/api/repos/create'), words);
    const error = await new Tab().push({ files: filesOf(content(10)) }).catch((cause) => cause);
    expect(JSON.stringify(error.toData())).not.toContain('hf_write');
    expect(error.details).toContain('hf_…');
  });
});

describe('storage', () => {
  it('that is full: what to delete, or where else to go', async () => {
    server.writes.objects.quota = 5 * KB;
    await refused().toMatchObject({
      code: 'access',
      message: 'The private storage of ada on the Hub is full.',
      action: expect.stringContaining(`make this repository public at ${server.endpoint}/ada/pirate/settings`),
      details: expect.stringContaining('HTTP 403'),
    });
    expect(server.writes.objects.received).toBe(0);
  });

  it.each([400, 403, 413])('that is full, said with the commit (%i)', async (status) => {
    const said = 'Private repository storage limit reached, please upgrade your plan';
    strike(asks('/commit/'), { status, ...json(said) });
    await refused().toMatchObject({ message: 'The private storage of ada on the Hub is full.' });
  });

  it('that is full when an upload is completed is not filled again', async () => {
    strike(asks('complete_multipart'), { status: 403, ...json('Private repository storage limit reached') });
    const order = { files: filesOf(content()) };
    await refused(order).toMatchObject({ message: 'The private storage of ada on the Hub is full.' });
    expect(server.writes.objects.received).toBe(1000 * KB);
  });

  it('that is full for public files too', async () => {
    strike(asks('/objects/batch'), { status: 403, ...json('Your storage patterns tripped our internal systems!') });
    await refused({ private: false }).toMatchObject({ message: 'The Hub gives ada no more storage.' });
  });

  it('that does not take so large a file', async () => {
    strike(asks('/commit/'), { status: 413, body: 'Payload Too Large' });
    await refused().toMatchObject({ message: 'The commit is larger than the Hub accepts.' });
  });

  it('at an address that the page may not contact is not asked', async () => {
    const elsewhere = await new HubServer().start();
    server.writes.objects.storage = elsewhere.storage.replace('127.0.0.1', 'localhost');
    await refused().toMatchObject({
      code: 'access',
      message: expect.stringMatching(/^The Hub wants this file at localhost:\d+, which this page may not contact\.$/),
      action: expect.stringContaining('hf upload'),
    });
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.stop();
  });
});

describe('the repository', () => {
  it('with a name that the Hub does not allow', async () => {
    for (const repo of ['ada/a--b', 'ada/ä', 'ada/.x', 'ada', 'ada/a/b', '/x', 'ada/x.git']) {
      await refused({ repo }).toMatchObject({ code: 'bad_recipe', where: 'Repository' });
    }
    expect(server.requests).toEqual([]);
    strike(asks('/api/repos/create'), { status: 400, ...json('Invalid name') });
    await refused().toMatchObject({ details: expect.stringContaining('Invalid name') });
  });

  it('that is gated', async () => {
    strike(asks('/preupload/'), { status: 403, headers: { 'X-Error-Code': 'GatedRepo' }, ...json('gated') });
    await refused().toMatchObject({ action: expect.stringContaining(`at ${server.endpoint}/ada/pirate`) });
  });

  it('that is deleted meanwhile', async () => {
    strike(asks('/preupload/'), { status: 404, headers: { 'X-Error-Code': 'RepoNotFound' }, ...json('not found') });
    await refused().toMatchObject({ action: expect.stringContaining('Push again to create it') });
  });

  it('that becomes public although it was to be private: nothing is sent', async () => {
    // A server that does not know `visibility`.
    server.writes.visibility = () => 'open';
    await refused().toMatchObject({
      code: 'access',
      message: expect.stringContaining('It was made public'),
      action: expect.stringContaining('Look at it on the Hub'),
    });
    expect(server.writes.objects.received).toBe(0);
    expect(server.writes.messages).toEqual([]);
  });

  it('of a Hub that takes large files in another way only', async () => {
    const upload = { href: 'https://x.example', header: { 'X-Xet-Cas-Url': 'https://cas.example' } };
    strike(asks('/objects/batch'), answer({ transfer: 'xet', objects: [{ oid, size: 1, actions: { upload } }] }));
    await refused().toMatchObject({
      message: expect.stringContaining('only by its Xet protocol'),
      action: expect.stringContaining('hf upload'),
    });
  });

  it('that refuses one file', async () => {
    strike(asks('/objects/batch'), answer({ objects: [{ oid, size: 1, error: { code: 422, message: 'too odd' } }] }));
    await refused().toMatchObject({ where: WEIGHTS, details: 'HTTP 422 too odd' });
  });

  it('whose answers make no sense', async () => {
    const upload = { href: 'https://x.example', header: { chunk_size: '10', '00001': 'https://y.example' } };
    for (const objects of [
      [],
      [{ oid: 'other' }],
      [{ oid, actions: { upload: {} } }],
      [{ oid, actions: { upload } }],
    ]) {
      strike(asks('/objects/batch'), answer({ objects }));
      await refused({ addTo: true }).toMatchObject({ message: expect.stringContaining('does not respond like') });
    }
    strike(asks('/preupload/'), answer({ files: [{ path: WEIGHTS, uploadMode: 'pigeon' }] }));
    await refused({ addTo: true }).toMatchObject({ details: expect.stringContaining(WEIGHTS) });
  });
});

describe('the Hub', () => {
  it('that is asked too often: how long to wait', async () => {
    strike(asks('/preupload/'), { status: 429, headers: { 'Retry-After': '600' } });
    await refused().toMatchObject({ code: 'network', action: expect.stringContaining('Wait 10 minutes') });
  });

  it('that does not answer', async () => {
    strike(() => true, { dropped: true });
    await refused().toMatchObject({ code: 'network', action: expect.stringContaining('Check your connection') });
  });

  it('behind a portal', async () => {
    strike(asks('/objects/batch'), { contentType: 'text/html', body: '<html>log in</html>' });
    await refused().toMatchObject({ message: 'The server sent a web page instead of the Hub’s response.' });
  });
});

describe('accounts', () => {
  const account = (token: string) => new PushClient({ endpoint: server.endpoint, token }).account();

  it('may write under their own name and in organisations whose role allows it', async () => {
    expect(await account('hf_write')).toEqual({
      name: 'ada',
      owners: ['ada', 'lab'],
      refused: ['Your role in club only allows reading.'],
    });
  });

  it('with a fine-grained token, only where it was made for', async () => {
    expect(await account('hf_fine')).toMatchObject({ name: 'ada', owners: ['lab'] });
    server.writes.accounts.hf_fine!.scopes = ['ada'];
    expect(await account('hf_fine')).toMatchObject({
      owners: ['ada'],
      refused: ['This token has no write access to lab.'],
    });
  });

  it('that may write nowhere are told so', async () => {
    await expect(account('hf_read')).rejects.toMatchObject({
      code: 'access',
      message: 'This access token can only read.',
      action: `Create one of the type Write at ${server.endpoint}/settings/tokens, and enter it here.`,
    });
    server.writes.accounts.hf_fine!.scopes = [];
    await expect(account('hf_fine')).rejects.toMatchObject({
      message: 'This access token may not write to any repository.',
    });
    await expect(account('hf_nobody')).rejects.toMatchObject({ message: 'The Hub rejected the access token.' });
  });
});

describe('names', () => {
  it('are checked as the Hub does', () => {
    for (const name of ['a', 'Pirate-LoRA_r16.v2', '0']) expect(nameProblem(name), name).toBeNull();
    for (const name of ['', 'a b', 'ä', '-a', 'a.', 'a--b', 'a..b', 'x.git', 'x'.repeat(97)]) {
      expect(nameProblem(name), name).not.toBeNull();
    }
  });

  it.each([
    ['pirate-chat LoRA r16 · 2', 'pirate-chat-LoRA-r16-2'],
    ['Ödön’s replies', 'Odons-replies'],
    ['  --x..y--  ', 'x.y'],
    ['日本語', 'tabtune-model'],
    ['model.git', 'model-git'],
    ['a - b', 'a-b'],
  ])('are made of a run’s name: %s', (text, name) => {
    expect(suggestName(text)).toBe(name);
    expect(nameProblem(suggestName(text))).toBeNull();
  });

  it('are never longer than the Hub allows', () => {
    for (const text of ['x'.repeat(200), `${'x'.repeat(95)}-.git`, `${'x'.repeat(92)}.git`, `${'ab-'.repeat(60)}`]) {
      expect(nameProblem(suggestName(text)), text).toBeNull();
    }
  });
});
