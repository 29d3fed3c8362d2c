import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../support/hub-server';
import { asks, content, filesOf, freshHub, isPut, KB, pushed, server, strike, Tab, WEIGHTS } from './stage';

freshHub();

const stored = (id?: string) => {
  const { '.gitattributes': _, ...files } = pushed(id).files;
  return Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, sha256(bytes)]));
};
const hashes = (all: Record<string, Uint8Array>) =>
  Object.fromEntries(Object.entries(all).map(([path, bytes]) => [path, sha256(bytes)]));

describe('a push', () => {
  it('makes a private repository with exactly the files, in one commit after the first', async () => {
    const tab = new Tab();
    const all = content();
    const first = server.repositories.size;
    const result = await tab.push({ files: filesOf(all) });
    expect(server.repositories.size).toBe(first + 1);
    expect(pushed().access).toBe('private');
    expect(stored()).toEqual(hashes(all));
    expect(result).toEqual({
      id: 'ada/pirate',
      url: `${server.endpoint}/ada/pirate`,
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      notes: [],
    });
    expect(server.writes.messages).toEqual([
      { id: 'ada/pirate', summary: 'Add the adapter', parent: expect.stringMatching(/^[0-9a-f]{40}$/) },
    ]);
    // 1000 KB in parts of 256.
    expect(server.writes.objects.arrived.map(({ part }) => part).sort()).toEqual([1, 2, 3, 4]);
    expect(server.writes.objects.received).toBe(1000 * KB);
    expect(server.writes.objects.verified).toBe(1);
    expect(tab.partials.size).toBe(0);
  });

  it('counts what is hashed and what is sent, never backwards', async () => {
    const tab = new Tab();
    await tab.push({ files: filesOf(content()) });
    const phases = tab.seen.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]);
    expect(phases).toEqual(['preparing', 'hashing', 'uploading', 'committing']);
    for (const phase of ['hashing', 'uploading'] as const) {
      const seen = tab.seen.filter((one) => one.phase === phase);
      expect(seen.every(({ file, total }) => file === WEIGHTS && total === 1000 * KB)).toBe(true);
      expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b));
      expect(seen.at(-1)!.done).toBe(1000 * KB);
    }
  });

  it('sends a file below the size of a part in one piece', async () => {
    await new Tab().push({ files: filesOf(content(100 * KB)) });
    expect(server.writes.objects.arrived.map(({ part }) => part)).toEqual([0]);
  });

  it('gives the token to the Hub and never to its storage', async () => {
    await new Tab().push({ files: filesOf(content()) });
    const authorised = server.requests.filter(({ headers }) => headers.authorization !== undefined);
    expect(authorised.every(({ host }) => host === 'hub')).toBe(true);
    const puts = server.requests.filter(isPut);
    expect(puts).toHaveLength(4);
    // The addresses are signed without a type.
    expect(puts.every(({ headers }) => headers['content-type'] === undefined)).toBe(true);
  });

  it('makes a public repository if asked to, under an organisation too', async () => {
    await new Tab().push({ files: filesOf(content(10)), repo: 'lab/pirate', private: false });
    expect(pushed('lab/pirate').access).toBe('open');
  });

  it('uploads the same bytes once', async () => {
    const all = { 'a.safetensors': content()[WEIGHTS]!, 'b/c.safetensors': content()[WEIGHTS]! };
    await new Tab().push({ files: filesOf(all) });
    expect(server.writes.objects.received).toBe(1000 * KB);
    expect(stored()).toEqual(hashes(all));
  });

  it('leaves out what the repository’s .gitignore leaves out, and says so', async () => {
    server.add({ id: 'ada/pirate', files: { '.gitignore': new TextEncoder().encode('*.txt\n') } });
    const { notes } = await new Tab().push({ files: filesOf(content(10)), addTo: true });
    expect(notes).toEqual(['Left out by the repository’s .gitignore: empty.txt.']);
    expect(Object.keys(pushed().files)).not.toContain('empty.txt');
  });

  it('refuses paths that leave the folder, name git’s own or come twice', async () => {
    for (const path of ['../x', '.git/config', 'a//b', '']) {
      await expect(new Tab().push({ files: [{ path, blob: new Blob(['x']) }] })).rejects.toMatchObject({ where: path });
    }
    const file = { path: 'a', blob: new Blob(['x']) };
    await expect(new Tab().push({ files: [file, file] })).rejects.toMatchObject({ where: 'a' });
    expect(server.requests).toEqual([]);
  });
});

describe('a repository that is there', () => {
  const old = { 'README.md': new TextEncoder().encode('old'), 'other.txt': new TextEncoder().encode('kept') };

  it('is asked about, and then added to', async () => {
    server.add({ id: 'ada/pirate', files: old });
    const files = filesOf(content());
    const refused = new Tab().push({ files });
    await expect(refused).rejects.toMatchObject({ code: 'access', message: 'ada/pirate exists already.' });
    expect(server.writes.objects.received).toBe(0);
    await new Tab().push({ files, addTo: true });
    expect(stored()).toEqual(hashes({ ...old, ...content() }));
  });

  it('of the same content gets no new commit, and nothing is sent', async () => {
    const files = filesOf(content());
    const { commit } = await new Tab().push({ files });
    const before = server.writes.objects.received;
    const again = await new Tab().push({ files, addTo: true });
    expect(again.commit).toBe(commit);
    expect(again.notes).toEqual(['The repository holds exactly these files already, so there is no new commit.']);
    expect(server.writes.messages).toHaveLength(1);
    expect(server.writes.objects.received).toBe(before);
  });

  it('that appears at the same moment is not written to', async () => {
    strike(asks('/api/models/ada/pirate'), { status: 404, headers: { 'X-Error-Code': 'RepoNotFound' } }, 1);
    server.add({ id: 'ada/pirate', files: old });
    await expect(new Tab().push({ files: filesOf(content(10)) })).rejects.toMatchObject({
      message: 'ada/pirate exists already.',
      action: expect.stringContaining('push again and confirm'),
    });
    expect(stored()).toEqual(hashes(old));
  });

  it('that the token cannot see keeps its name', async () => {
    server.add({ id: 'lab/hidden', files: old, access: 'private' });
    server.writes.accounts.hf_write!.orgs[0]!.name = 'lab';
    strike(asks('/api/models/lab/hidden'), { status: 404, headers: { 'X-Error-Code': 'RepoNotFound' } });
    await expect(new Tab().push({ files: filesOf(content(10)), repo: 'lab/hidden' })).rejects.toMatchObject({
      action: 'Choose another name. This token cannot read the existing one.',
    });
  });

  it.each([307, 301] as const)('was renamed (%i): the files go to its new name, which is said', async (status) => {
    server.add({ id: 'lab/corsair', files: old });
    server.renamed.set('ada/pirate', { to: 'lab/corsair', status });
    const { id, url, notes } = await new Tab().push({ files: filesOf(content()), addTo: true });
    expect({ id, url }).toEqual({ id: 'lab/corsair', url: `${server.endpoint}/lab/corsair` });
    expect(notes).toEqual(['ada/pirate is now called lab/corsair. The files went there.']);
    expect(stored('lab/corsair')).toEqual(hashes({ ...old, ...content() }));
  });

  it('is renamed while files are sent', async () => {
    server.add({ id: 'ada/pirate', files: old });
    let puts = 0;
    server.fault = (request) => {
      if (isPut(request) && ++puts === 2) {
        server.repositories.set('ada/corsair', { ...pushed(), id: 'ada/corsair' });
        // What was uploaded belongs to the repository, not to its name.
        server.writes.objects.moved(pushed(), server.repositories.get('ada/corsair')!);
        server.repositories.delete('ada/pirate');
        server.renamed.set('ada/pirate', { to: 'ada/corsair', status: 307 });
      }
      return null;
    };
    const { id, notes } = await new Tab().push({ files: filesOf(content()), addTo: true });
    expect(id).toBe('ada/corsair');
    expect(notes).toEqual(['ada/pirate is now called ada/corsair. The files went there.']);
    expect(stored('ada/corsair')).toEqual(hashes({ ...old, ...content() }));
  });
});

describe('commits of others', () => {
  const commitBetween = (times: number) => {
    let left = times;
    server.fault = (request) => {
      if (asks('/commit/')(request) && left-- > 0) {
        server.repositories.get('ada/pirate')!.files[`note-${left}.txt`] = new TextEncoder().encode('theirs');
      }
      return null;
    };
  };

  it('come first, and are kept', async () => {
    commitBetween(1);
    const { notes } = await new Tab().push({ files: filesOf(content()) });
    expect(notes).toEqual(['The repository was changed meanwhile. Your commit follows that change.']);
    expect(Object.keys(stored())).toEqual(expect.arrayContaining(['note-0.txt', WEIGHTS]));
  });

  it('twice in a row end the push, which then goes on without sending anything again', async () => {
    commitBetween(2);
    const tab = new Tab();
    await expect(tab.push({ files: filesOf(content()) })).rejects.toMatchObject({
      message: 'Somebody else changed ada/pirate at the same time, twice.',
      action: expect.stringContaining('Push again'),
    });
    await tab.push({ files: filesOf(content()), addTo: true });
    expect(server.writes.objects.received).toBe(1000 * KB);
    expect(Object.keys(stored())).toContain(WEIGHTS);
  });

  it('are not made twice when the answer is lost', async () => {
    strike(asks('/commit/'), { lost: true }, 1);
    const { commit, notes } = await new Tab().push({ files: filesOf(content()) });
    expect(server.writes.messages).toHaveLength(1);
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    expect(notes).toEqual([]);
  });

  it('are tried again while the Hub is busy', async () => {
    strike(asks('/commit/'), { status: 503 }, 2);
    await new Tab().push({ files: filesOf(content()) });
    expect(server.writes.messages).toHaveLength(1);
  });
});
