/** The person's own files: added without harm, kept, edited with undo. */
import { describe, expect, it } from 'vitest';
import { readingOf } from '../../../src/recipe/sections';
import { listFiles } from '../../../src/storage/files';
import { csv, freshStages, open, reopen, replies } from './fresh-stage';
import { recipe } from './stage';

freshStages();

const auto = readingOf(recipe().dataset);
const add = (text: string, name?: string) => open.session.addDataset(csv(text, name), auto);
const prompts = async (source: string) =>
  (await open.session.openDataset(recipe({ dataset: { source } }).dataset)).examples.map(
    (e) => 'prompt' in e && e.prompt,
  );
const stored = async () => (await listFiles()).map(({ id }) => id);

describe('a file that is added', () => {
  it('is stored, and is not read a second time to be opened', async () => {
    const { source, dataset } = await add(replies);
    expect(source).toBe('file:replies.csv');
    expect(await open.session.openDataset(recipe({ dataset: { source } }).dataset)).toBe(dataset);
  });

  it('is not stored if it cannot be used, and what was open still works', async () => {
    await open.session.openModel('builtin:stories');
    await open.session.openDataset(recipe().dataset);
    await expect(add('', 'empty.csv')).rejects.toMatchObject({ code: 'bad_data', where: 'empty.csv' });
    expect(await stored()).toEqual([]);
    expect((await open.session.tokenize(recipe())).train).toHaveLength(225);
  });

  it('never takes the place of another, and is not stored twice', async () => {
    const first = await add(replies);
    const other = await add(replies.replace('Where', 'Whither'));
    expect(other.source).toBe('file:replies (2).csv');
    expect((await add(replies)).source).toBe(first.source);
    expect((await add(replies.replace('Where', 'Whither'))).source).toBe(other.source);
    expect(await prompts(first.source)).toEqual(['Where is it?', 'When?', 'Who?']);
    expect(await prompts(other.source)).toEqual(['Whither is it?', 'When?', 'Who?']);
  });

  it('tells how far it is, and can be cancelled', async () => {
    const told: string[] = [];
    const cancel = new AbortController();
    const rows = Array.from({ length: 60_000 }, (_, i) => `Where is order ${i}?,On its way ${i}.`).join('\n');
    const onProgress = ({ stage }: { stage: string }) => void told.push(stage);
    await open.session.addDataset(csv(`prompt,completion\n${rows}`), auto, { onProgress, signal: cancel.signal });
    expect(told).toContain('bytes');
    cancel.abort();
    const again = open.session.addDataset(csv(replies, 'b.csv'), auto, { onProgress, signal: cancel.signal });
    await expect(again).rejects.toMatchObject({ name: 'AbortError' });
    expect(await stored()).toEqual(['dataset/replies.csv']);
  });

  it('is on the shelf with what is known of it, after a reload too', async () => {
    const { source } = await open.session.addDataset(csv(replies), { ...auto, columns: { completion: 'completion' } });
    reopen();
    const [own] = await open.session.ownDatasets();
    expect(own).toMatchObject({ source, name: 'replies.csv', bytes: replies.length, examples: 3, edited: false });
    expect(own!.reading).toMatchObject({ format: 'auto', columns: { completion: 'completion' } });
    await open.session.deleteStored('dataset/replies.csv');
    expect(await open.session.ownDatasets()).toEqual([]);
  });
});

describe('edits', () => {
  it('are undone and done again byte for byte, and the file goes back to what was added', async () => {
    const { source } = await add(replies);
    const { editDataset, undoEdit, redoEdit } = open.session;
    expect((await editDataset(source, { kind: 'remove', rows: [1, 3] })).examples).toMatchObject([{ prompt: 'When?' }]);
    await editDataset(source, { kind: 'cells', row: 1, fields: { prompt: 'At what time?' } });
    expect(await prompts(source)).toEqual(['At what time?']);
    expect((await undoEdit(source)).examples).toMatchObject([{ prompt: 'When?' }]);
    expect((await undoEdit(source)).examples).toHaveLength(3);
    await expect(undoEdit(source)).rejects.toThrow('nothing to undo');
    expect((await open.session.ownDatasets())[0]).toMatchObject({ edited: false });
    expect((await redoEdit(source)).examples).toHaveLength(1);
    expect((await redoEdit(source)).examples).toMatchObject([{ prompt: 'At what time?' }]);
    expect((await open.session.ownDatasets())[0]).toMatchObject({ edited: true, examples: 1 });
    // The steps end with the visit; what was added does not.
    reopen();
    expect(await prompts(source)).toEqual(['At what time?']);
    expect((await open.session.resetDataset(source)).examples).toHaveLength(3);
    expect((await open.session.undoEdit(source)).examples).toHaveLength(1);
  });

  it('leave with the file', async () => {
    const { source } = await add(replies);
    await open.session.editDataset(source, { kind: 'remove', rows: [2] });
    expect(await stored()).toEqual(['dataset/replies.csv', 'original/replies.csv']);
    // One item, for both.
    expect((await open.session.storage()).items).toMatchObject([{ id: 'dataset/replies.csv', name: 'replies.csv' }]);
    await open.session.deleteStored('dataset/replies.csv');
    expect(await stored()).toEqual([]);
  });
});
