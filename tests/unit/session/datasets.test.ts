import { describe, expect, it } from 'vitest';
import type { Recipe } from '../../../src/recipe/types';
import type { DataHost } from '../../../src/session/data-host';
import { DataSession } from '../../../src/session/datasets';
import type { OpenModel } from '../../../src/session/models';
import { turn } from '../../support/time';
import { csv, freshStages, hanging, open, reopen, replies } from './fresh-stage';
import { recipe } from './stage';

freshStages();

describe('the dataset', () => {
  it('comes from the built-in list or from a stored file', async () => {
    expect((await open.session.openDataset(recipe().dataset)).examples).toHaveLength(250);
    const source = await open.session.importDataset(csv(replies));
    expect(source).toBe('file:replies.csv');
    const dataset = await open.session.openDataset(recipe({ dataset: { source } }).dataset);
    expect(dataset.examples).toMatchObject([{ prompt: 'Where is it?' }, { prompt: 'When?' }, { prompt: 'Who?' }]);
  });

  it('is read again after a file with the same name replaced it', async () => {
    const { dataset } = recipe({ dataset: { source: await open.session.importDataset(csv(replies)) } });
    await open.session.openDataset(dataset);
    await open.session.importDataset(csv(replies.replace('Ruth', 'Mira')));
    expect((await open.session.openDataset(dataset)).examples.at(-1)).toMatchObject({ completion: 'Mira.' });
  });

  it('is edited in its stored copy', async () => {
    const source = await open.session.importDataset(csv(replies));
    const { dataset } = recipe({ dataset: { source } });
    await open.session.openDataset(dataset);
    const edited = await open.session.editDataset(source, {
      kind: 'cells',
      row: 2,
      fields: { completion: 'On "Friday", maybe.' },
    });
    expect(edited.examples[1]).toMatchObject({ row: 2, prompt: 'When?', completion: 'On "Friday", maybe.' });
    expect(edited.examples).toHaveLength(3);
    reopen();
    expect((await open.session.openDataset(dataset)).examples[1]).toMatchObject({ completion: 'On "Friday", maybe.' });
  });

  it('cannot be edited if it is built in', async () => {
    const { dataset } = recipe();
    await open.session.openDataset(dataset);
    await expect(
      open.session.editDataset(dataset.source, { kind: 'cells', row: 1, fields: { messages: '[]' } }),
    ).rejects.toThrow('Built-in');
  });

  it('is parsed again by a restarted worker', async () => {
    const { dataset } = recipe();
    await open.session.openModel('builtin:stories');
    await open.session.openDataset(dataset);
    open.dataWorkers[0]!.crash();
    await turn();
    expect((await open.session.tokenize(recipe())).train).toHaveLength(225);
    expect(open.dataWorkers).toHaveLength(2);
  });
});

describe('tokens', () => {
  it('are cached until the model, the dataset or their settings change', async () => {
    await open.session.openModel('builtin:stories');
    const first = await open.session.tokenize(recipe());
    expect(await open.session.tokenize(recipe({ training: { learning_rate: 1e-3 } }))).toBe(first);
    const other = await open.session.tokenize(recipe({ training: { seed: 7 } }));
    expect(other).not.toBe(first);
    expect(await open.session.tokenize(recipe({ training: { seed: 7 } }))).toBe(other);
    expect(await open.session.tokenize(recipe({ dataset: { validation_split: 0.2 } }))).not.toBe(other);
    const again = await open.session.tokenize(recipe());
    await open.session.openModel('builtin:stories');
    expect(await open.session.tokenize(recipe())).not.toBe(again);
  });

  it('change with an edit', async () => {
    await open.session.openModel('builtin:stories');
    const source = await open.session.importDataset(csv(replies));
    const changed = recipe({ dataset: { source, validation_split: 0, shuffle: false } });
    await open.session.openDataset(changed.dataset);
    const before = await open.session.tokenize(changed);
    await open.session.editDataset(source, {
      kind: 'cells',
      row: 3,
      fields: { completion: 'Ruth, the captain of the ferry.' },
    });
    const after = await open.session.tokenize(changed);
    expect(after.stats.tokens).toBeGreaterThan(before.stats.tokens);
  });

  it('need the model in the recipe', async () => {
    await expect(open.session.tokenize(recipe())).rejects.toMatchObject({ code: 'bad_model', where: 'model.source' });
  });

  it('of one example show which of them are trained on', async () => {
    await open.session.openModel('builtin:stories');
    const { train } = await open.session.tokenize(recipe());
    const view = await open.session.viewTokens(recipe(), train[0]!.row);
    expect(view.tokens.some(({ trained }) => trained)).toBe(true);
    expect(view.tokens.map(({ id }) => id)).toEqual([...train[0]!.ids]);
  });

  it('are as long as memory allows where max_length is automatic', async () => {
    const lengths: (number | undefined)[] = [];
    const data = {
      tokenize: async (...args: unknown[]) => {
        lengths.push(args[4] as number | undefined);
        return { maxLength: args[4] ?? 2016 };
      },
    } as unknown as DataHost;
    const model = { info: { contextLength: 4096 } } as OpenModel;
    const asked: Recipe[] = [];
    const session = new DataSession({
      data,
      model: () => model,
      lengthThatFits: async (wanted) => {
        asked.push(wanted);
        return wanted.training.per_device_train_batch_size > 1 ? 992 : null;
      },
      onSave: () => {},
      whileUnused: (_source, work) => work(),
    });
    const source = await open.session.importDataset(csv(replies));
    const small = recipe({ dataset: { source }, training: { per_device_train_batch_size: 4 } });
    expect((await session.tokenize(small)).maxLength).toBe(992);
    expect((await session.tokenize(small)).maxLength).toBe(992);
    // Decided once for a recipe: the whole was tokenised to decide it, then what fits.
    expect([asked.length, lengths]).toEqual([1, [undefined, 992]]);
    expect(
      (await session.tokenize(recipe({ dataset: { source }, training: { per_device_train_batch_size: 1 } }))).maxLength,
    ).toBe(2016);
    expect((await session.tokenize(recipe({ dataset: { source, max_length: 64 } }))).maxLength).toBe(2016);
    expect(asked).toHaveLength(2);
  });

  it('of an example that never finishes time out with the data worker when it is looked at', async () => {
    await open.session.openModel('builtin:stories');
    open.dataWorkers[0]!.crash();
    await turn();
    const view = hanging('viewTokens');
    const looking = expect(open.session.viewTokens(recipe(), 1)).rejects.toMatchObject({
      code: 'timeout',
      where: 'row 1',
    });
    await view.pass(11_000);
    await looking;
    expect(open.dataWorkers).toHaveLength(2);
    expect(open.dataWorkers[1]!.terminated).toBe(true);
    expect((await open.session.tokenize(recipe())).train).toHaveLength(225);
  });
});
