import { describe, expect, it } from 'vitest';
import { csv, freshStages, open, replies, train } from './fresh-stage';

freshStages();

describe('storage', () => {
  it('lists what is stored and deletes it', async () => {
    await open.session.importDataset(csv(replies));
    const id = await train();
    const { items } = await open.session.storage();
    expect(items.map((item) => item.id).sort()).toEqual(['dataset/replies.csv', `run/${id}`]);
    await open.session.deleteStored('dataset/replies.csv');
    await open.session.deleteStored(`run/${id}`);
    expect((await open.session.storage()).items).toEqual([]);
    await open.session.importDataset(csv(replies));
    await open.session.eraseEverything();
    expect((await open.session.storage()).items).toEqual([]);
  });
});
