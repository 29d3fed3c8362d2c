import { describe, expect, it, vi } from 'vitest';
import { CHUNK_BYTES, collectGarbage, writeBlob, writing } from '../../../src/storage/chunks';
import { openDatabase } from '../../../src/storage/database';
import { deleteFile, listFiles, openFile, putFile, putFolder, readFile } from '../../../src/storage/files';
import { bytesOf, countRecords, fillDisk, freshDatabase, holdLocks } from './helpers';

freshDatabase();

const three = bytesOf(2 * CHUNK_BYTES + 1000);
const equal = (a: ArrayBuffer, b: Uint8Array) => Buffer.compare(Buffer.from(a), b) === 0;

describe('files', () => {
  it('are stored in chunks and read back, from any kind of source', async () => {
    const pieces = async function* () {
      for (let start = 0; start < three.length; start += 5_000_001) yield three.subarray(start, start + 5_000_001);
    };
    for (const source of [three, new Blob([three]), pieces()]) {
      const stored = await putFile('dataset/three.bin', source);
      expect(stored).toMatchObject({ id: 'dataset/three.bin', name: 'three.bin', size: three.length });
      expect(await countRecords('chunks')).toBe(3);
      expect(equal(await readFile('dataset/three.bin'), three)).toBe(true);
    }
    expect(await listFiles()).toHaveLength(1);
  });

  it('are read in parts without touching other chunks', async () => {
    await putFile('dataset/three.bin', three);
    const reader = (await openFile('dataset/three.bin'))!;
    const get = vi.spyOn(IDBObjectStore.prototype, 'get');
    const across = await reader.read(CHUNK_BYTES - 10, CHUNK_BYTES + 10);
    expect(equal(across, three.subarray(CHUNK_BYTES - 10, CHUNK_BYTES + 10))).toBe(true);
    const inside = await reader.read(CHUNK_BYTES + 5, CHUNK_BYTES + 6);
    expect(equal(inside, three.subarray(CHUNK_BYTES + 5, CHUNK_BYTES + 6))).toBe(true);
    expect(get).toHaveBeenCalledTimes(2);
    expect((await reader.read(three.length - 3, three.length + 100)).byteLength).toBe(3);
    expect((await reader.read(10, 5)).byteLength).toBe(0);
  });

  it('may be empty', async () => {
    await putFile('dataset/empty.csv', new Uint8Array());
    expect((await readFile('dataset/empty.csv')).byteLength).toBe(0);
  });

  it('commit their manifest with strict durability', async () => {
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction');
    await putFile('dataset/a', bytesOf(10));
    const strict = transaction.mock.calls.filter(([, , options]) => options?.durability === 'strict');
    expect(strict.map(([stores]) => stores)).toEqual([['files', 'chunks']]);
  });

  it('are listed by folder and deleted with their chunks', async () => {
    await putFolder('model/a', [
      { name: 'config.json', source: bytesOf(5) },
      { name: 'model.safetensors', source: bytesOf(6) },
    ]);
    await putFile('model/ab/config.json', bytesOf(7));
    await putFile('dataset/a', bytesOf(8));
    expect((await listFiles('model/a')).map(({ id }) => id)).toEqual([
      'model/a/config.json',
      'model/a/model.safetensors',
    ]);
    expect(await listFiles('model')).toHaveLength(3);
    expect(await listFiles('dataset')).toHaveLength(1);
    await deleteFile('model/a');
    expect((await listFiles()).map(({ id }) => id)).toEqual(['dataset/a', 'model/ab/config.json']);
    await deleteFile('dataset/a');
    await deleteFile('dataset/none');
    expect(await countRecords('chunks')).toBe(1);
  });

  it('replace the previous files of a folder', async () => {
    await putFolder('model/a', [
      { name: 'config.json', source: bytesOf(5) },
      { name: 'old.safetensors', source: bytesOf(6) },
    ]);
    await putFolder('model/a', [{ name: 'config.json', source: bytesOf(9) }]);
    expect(await listFiles('model/a')).toMatchObject([{ name: 'config.json', size: 9 }]);
    expect(await countRecords('chunks')).toBe(1);
  });

  it.each(['../x', 'x', 'dataset', 'dataset/', 'model/../x', 'model//x', 'runs/x'])(
    'may not be called %s',
    async (id) => {
      await expect(putFile(id, bytesOf(1))).rejects.toMatchObject({ code: 'internal' });
    },
  );

  it('are reported if missing', async () => {
    expect(await openFile('dataset/none.csv')).toBeNull();
    await expect(readFile('dataset/none.csv')).rejects.toMatchObject({ code: 'storage', where: 'none.csv' });
  });
});

describe('damage', () => {
  it.each([
    [
      'a changed byte',
      async (key: [string, number]) => (await openDatabase()).put('chunks', bytesOf(1000, 9).buffer, key),
    ],
    [
      'a truncated chunk',
      async (key: [string, number]) => (await openDatabase()).put('chunks', new ArrayBuffer(999), key),
    ],
    ['a missing chunk', async (key: [string, number]) => (await openDatabase()).delete('chunks', key)],
  ])('%s is detected', async (_name, damage) => {
    await putFile('dataset/three.bin', three);
    const keys = (await (await openDatabase()).getAllKeys('chunks')) as [string, number][];
    await damage(keys[2]!);
    await expect(readFile('dataset/three.bin')).rejects.toMatchObject({
      code: 'storage',
      where: 'three.bin',
      action: expect.stringContaining('add it again'),
    });
    const reader = (await openFile('dataset/three.bin'))!;
    expect((await reader.read(0, 10)).byteLength).toBe(10);
  });

  it('a file that changed after it was chosen is not reported as a storage error', async () => {
    const gone = new Blob(['x']);
    gone.slice = () => {
      const part = new Blob();
      part.arrayBuffer = () => Promise.reject(new DOMException('gone', 'NotReadableError'));
      return part;
    };
    await expect(putFile('dataset/a.csv', gone)).rejects.toMatchObject({
      code: 'bad_data',
      where: 'a.csv',
      action: expect.stringContaining('Choose it again'),
    });
    await expect(putFile('model/a/config.json', gone)).rejects.toMatchObject({ code: 'bad_model' });
    expect(await countRecords('chunks')).toBe(0);
  });
});

describe('a full disk', () => {
  it.each([
    ['at the first chunk', ['chunks'], 0],
    ['at the third chunk', ['chunks'], 2],
    ['at the manifest', ['files'], 0],
  ])('%s leaves only the old file', async (_name, stores, after) => {
    await putFile('dataset/a', bytesOf(100));
    fillDisk(stores, after);
    await expect(putFile('dataset/a', three)).rejects.toMatchObject({
      code: 'storage_full',
      action: expect.any(String),
    });
    vi.restoreAllMocks();
    expect(await countRecords('chunks')).toBe(1);
    expect(equal(await readFile('dataset/a'), bytesOf(100))).toBe(true);
  });

  it('in the middle of a folder leaves none of it', async () => {
    fillDisk(['files'], 1);
    const files = ['a', 'b', 'c'].map((name) => ({ name, source: bytesOf(10) }));
    await expect(putFolder('model/m', files)).rejects.toMatchObject({ code: 'storage_full' });
    expect(await listFiles()).toEqual([]);
    expect(await countRecords('chunks')).toBe(0);
  });

  it('is reported in advance if the browser gives its quota', async () => {
    vi.stubGlobal('navigator', { storage: { estimate: async () => ({ usage: 990, quota: 1000 }) } });
    const put = vi.spyOn(IDBObjectStore.prototype, 'put');
    await expect(putFile('dataset/a', bytesOf(11))).rejects.toMatchObject({ code: 'storage_full' });
    expect(put).not.toHaveBeenCalled();
    await putFile('dataset/a', bytesOf(10));
  });
});

describe('garbage', () => {
  const crash = () => writeBlob(bytesOf(100), { where: 'a', code: 'bad_data' });

  it('left by an interrupted write is invisible and gets collected, but files do not', async () => {
    await putFile('dataset/a', bytesOf(10));
    await crash();
    await crash();
    expect(await listFiles()).toHaveLength(1);
    expect(await collectGarbage()).toBe(2);
    expect(await countRecords('chunks')).toBe(1);
    expect(await collectGarbage()).toBe(0);
  });

  it('is not collected while this or another tab is writing', async () => {
    await crash();
    await writing(async () => expect(await collectGarbage()).toBe(0));
    holdLocks('tabtune-storage-write');
    expect(await collectGarbage()).toBe(0);
    holdLocks();
    expect(await collectGarbage()).toBe(1);
  });
});
