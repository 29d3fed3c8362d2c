import { describe, expect, it } from 'vitest';
import { csv, freshStages, open, replies } from './fresh-stage';
import { recipe } from './stage';

freshStages();

/** Another file, with columns of other names. */
const more = new File(['frage;antwort\nWo ist Eva?;Im Garten.\nWer ist da?;Ruth und Mira.\n'], 'mehr.csv');

async function mixed(mix: Record<string, number>) {
  const source = await open.session.importDataset(csv(replies));
  await open.session.importDataset(more);
  return recipe({ dataset: { source, mix, validation_split: 0 } });
}

describe('a mix', () => {
  it('is read from every file, each in its own way', async () => {
    const { dataset } = await mixed({ 'file:mehr.csv': 1 });
    const parsed = await open.session.openDataset(dataset);
    expect(parsed.examples.map(({ row, from }) => [row, from])).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 1],
      [5, 1],
    ]);
    expect(parsed.examples[3]).toMatchObject({ prompt: 'Wo ist Eva?', completion: 'Im Garten.' });
  });

  it('gives an epoch what its weights say, and cannot be edited as a whole', async () => {
    const given = await mixed({ 'file:mehr.csv': 2 });
    await open.session.openModel('builtin:stories');
    await open.session.openDataset(given.dataset);
    const { train, stats } = await open.session.tokenize(given);
    expect(train.map(({ row }) => row)).toEqual([1, 2, 3, 4, 4, 5, 5]);
    expect(stats.sources).toEqual([
      { train: 3, validation: 0, perEpoch: 3 },
      { train: 2, validation: 0, perEpoch: 4 },
    ]);
    await expect(
      open.session.editDataset(given.dataset.source, { kind: 'cells', row: 1, fields: { completion: 'x' } }),
    ).rejects.toThrow('mix');
  });

  it('says which file is missing', async () => {
    const { dataset } = await mixed({ 'file:gone.csv': 1 });
    await expect(open.session.openDataset(dataset)).rejects.toMatchObject({ code: 'bad_data', where: 'file:gone.csv' });
  });

  it('keeps the losses of its examples apart, however often an epoch has them', async () => {
    const given = await mixed({ 'file:mehr.csv': 2 });
    await open.session.openModel('builtin:stories');
    await open.session.openDataset(given.dataset);
    const { rows, losses, adapter } = await open.session.exampleLosses(given, () => {});
    expect(rows).toEqual([1, 2, 3, 4, 5]);
    expect(losses.length).toBe(5);
    expect(adapter).toBeNull();
  });

  it('has a loss for each token of an example', async () => {
    const given = await mixed({ 'file:mehr.csv': 1 });
    await open.session.openModel('builtin:stories');
    await open.session.openDataset(given.dataset);
    const found = await open.session.tokenLosses(given, 4);
    const { tokens } = await open.session.viewTokens(given, 4);
    expect(found).toMatchObject({ row: 4, tuned: null, adapter: null });
    expect(found.base.length).toBe(tokens.length);
  });
});
