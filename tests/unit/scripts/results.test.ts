import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ourselves } from '../../../scripts/processes.mjs';
import { ownResults, putResults } from '../../../scripts/results.mjs';
import { realPlace, takeWorkFolder } from '../../../scripts/work-folder.mjs';

let root: string;
beforeEach(() => {
  root = realPlace(mkdtempSync(path.join(tmpdir(), 'tabtune-results-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (...names: string[]) => path.join(root, ...names);

function write(name: string, text: string): void {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** What a run leaves: metrics, a summary, and the given files. */
function results(folder: string, files: Record<string, string>, { hashes = true } = {}): void {
  const all = { 'metrics.jsonl': '{}\n', ...files };
  for (const [name, text] of Object.entries(all)) write(`${folder}/${name}`, text);
  const summary = {
    versions: { tabtune: '0.1.0' },
    files: Object.entries(files).map(([name, text]) => ({ path: name, bytes: text.length })),
    ...(hashes && { written: Object.fromEntries(Object.entries(all).map(([name, text]) => [name, sha256(text)])) }),
  };
  write(`${folder}/summary.json`, JSON.stringify(summary));
}

const contents = (folder: string) => readdirSync(at(folder), { recursive: true, encoding: 'utf8' }).sort();

describe('the folder of results', () => {
  test.each([true, false])('may be new, empty, or hold an earlier run’s results (with hashes: %s)', async (hashes) => {
    expect(await ownResults(at('out'))).toEqual([]);
    mkdirSync(at('out'));
    expect(await ownResults(at('out'))).toEqual([]);
    results('out', { 'adapter/a.json': '1' }, { hashes });
    expect(await ownResults(at('out'))).toEqual(['adapter/a.json', 'metrics.jsonl', 'summary.json']);
  });

  test.each<[string, () => void, RegExp]>([
    ['a file beside them', () => write('out/notes.txt', ''), /other files \(notes\.txt\)/],
    ['a hidden file', () => write('out/.git/config', ''), /other files \(\.git\/config\)/],
    ['a file in a folder of theirs', () => write('out/adapter/mine.txt', ''), /other files \(adapter\/mine\.txt\)/],
    ['an empty folder', () => mkdirSync(at('out/empty')), /other files \(empty\/\)/],
    ['a link', () => symlinkSync(root, at('out/link')), /other files \(link\)/],
    [
      'a link in place of a result',
      () => {
        rmSync(at('out/adapter/a.json'));
        symlinkSync(at('x'), at('out/adapter/a.json'));
      },
      /other files \(adapter\/a\.json\)/,
    ],
    ['a result that was edited', () => write('out/adapter/a.json', '2'), /changed after its run \(adapter\/a\.json\)/],
    ['metrics that were edited', () => write('out/metrics.jsonl', 'x'), /changed after its run \(metrics\.jsonl\)/],
    ['no summary', () => rmSync(at('out/summary.json')), /other files \(adapter\/a\.json\)/],
    ['another program’s summary', () => write('out/summary.json', '{"files":["x"]}'), /other files/],
    ['a summary that is no JSON', () => write('out/summary.json', 'done'), /other files/],
  ])('is refused if it holds %s, and keeps all of it', async (_name, change, message) => {
    results('out', { 'adapter/a.json': '1' });
    change();
    const before = contents('out');
    await expect(ownResults(at('out'))).rejects.toThrow(message);
    expect(contents('out')).toEqual(before);
  });

  test('a model that a person keeps in a folder called model is not a result', async () => {
    write('out/model/model.safetensors', 'mine');
    await expect(ownResults(at('out'))).rejects.toThrow('other files (model/model.safetensors)');
  });

  test('the new results replace the old ones, and nothing of those stays', async () => {
    results('out', { 'adapter/a.json': '1', 'adapter/old.bin': 'x', 'model/m.bin': 'm' });
    results('new', { 'adapter/a.json': '22' });
    await putResults(at('new'), at('out'));
    expect(contents('out')).toEqual(['adapter', 'adapter/a.json', 'metrics.jsonl', 'summary.json']);
    expect(readFileSync(at('out/adapter/a.json'), 'utf8')).toBe('22');
    expect(await ownResults(at('out'))).toHaveLength(3);
  });

  test('folders in the results’ folders go too', async () => {
    results('out', { 'page/index.html': '1', 'page/model/config.json': '2', 'deep/er/a.json': '3' });
    results('new', { 'page/index.html': '4' });
    await putResults(at('new'), at('out'));
    expect(contents('out')).toEqual(['metrics.jsonl', 'page', 'page/index.html', 'summary.json']);
  });

  test('what came into it during the run stays, and the results go beside it', async () => {
    results('out', { 'adapter/a.json': '1' });
    results('new', { 'adapter/a.json': '22' });
    write('out/adapter/thesis.txt', 'years of work');
    await expect(putResults(at('new'), at('out'))).rejects.toThrow(
      `holds other files (adapter/thesis.txt). It did not when the run began. The results are in ${at('out-2')}.`,
    );
    expect(readFileSync(at('out/adapter/thesis.txt'), 'utf8')).toBe('years of work');
    expect(readFileSync(at('out/adapter/a.json'), 'utf8')).toBe('1');
    expect(readFileSync(at('out-2/adapter/a.json'), 'utf8')).toBe('22');
  });
});

describe('the work folder', () => {
  const notes: string[] = [];
  const take = (name: string) => takeWorkFolder(at(name), (text: string) => notes.push(text));
  /** The work folder of some other run. */
  function left(name: string, owner: object | null): string {
    mkdirSync(at(name, 'result'), { recursive: true });
    if (owner) write(`${name}/owner.json`, JSON.stringify(owner));
    return at(name);
  }
  /** No process has such an id. */
  const nobody = 2 ** 22 + 1;

  test('keeps other runs out until it is removed', () => {
    const first = take('out');
    expect(() => take('out')).toThrow(`another run (process ${process.pid}) is writing ${at('out')}`);
    const elsewhere = take('out2');
    elsewhere.remove();
    first.remove();
    take('out').remove();
    expect(readdirSync(root)).toEqual([]);
  });

  test('removes what a killed run left, its temporary files too, and nothing else', () => {
    const temporary = mkdtempSync(path.join(tmpdir(), 'tabtune-run-'));
    const dead = left(`.out.tabtune-${nobody}-abc`, { ...ourselves(), pid: nobody, temporary });
    const older = left(`.out.tabtune-${nobody}-def`, null);
    // Its id has been given to another program since: ours.
    const reused = left(`.out.tabtune-${process.pid}-ghi`, { ...ourselves(), started: '1', temporary: root });
    const other = left(`.output.tabtune-${nobody}-jkl`, null);
    take('out').remove();
    expect([dead, older, reused, temporary].filter(existsSync)).toEqual([]);
    expect([other, root].filter(existsSync)).toEqual([other, root]);
  });

  test('of a run on another machine is left alone', () => {
    const far = left(`.out.tabtune-${nobody}-abc`, { pid: nobody, started: '1', host: `not-${hostname()}` });
    expect(() => take('out')).toThrow(`a run on not-${hostname()} (process ${nobody}) writes ${at('out')}`);
    expect(existsSync(far)).toBe(true);
    expect(readdirSync(root)).toEqual([path.basename(far)]);
  });

  test('takes the folders with it that were made for it, unless they hold results', () => {
    const { remove } = take('a/b/out');
    remove();
    expect(readdirSync(root)).toEqual([]);
    const kept = take('a/b/out');
    mkdirSync(at('a/b/out'));
    kept.remove();
    expect(contents('a')).toEqual(['b', 'b/out']);
  });

  test('is the same by whatever path the results’ folder is named', () => {
    mkdirSync(at('real'));
    symlinkSync(at('real'), at('link'));
    expect(realPlace(at('link', 'new', 'out'))).toBe(at('real', 'new', 'out'));
  });
});
