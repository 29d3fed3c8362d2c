import { describe, expect, it } from 'vitest';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { ModelId } from '../../../src/session/comparison-types';
import { appendMetrics, getRun, saveRun } from '../../../src/storage/runs';
import { until } from '../../support/time';
import { freshStages, open, train } from './fresh-stage';
import { recipe } from './stage';

freshStages();

const options = { maxNewTokens: 8, temperature: 0, topP: 1, seed: 1 };
const asModel = (runId: string): ModelId => `run:${runId}`;

/** Runs on the same data, each with the adapter that it left behind; the last is on the model. */
async function runs(count = 1, changed = recipe()): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await train(changed));
  return ids;
}

const rowsOf = async (changed = recipe()) => {
  const { train: learned, validation } = await open.session.tokenize(changed);
  const texts = new Map(
    (await open.session.openDataset(changed.dataset)).examples.map((example) => [
      example.row,
      example.kind === 'messages' ? example.messages.find(({ role }) => role === 'user')!.content : '',
    ]),
  );
  const of = (side: { row: number }[]) => side.map(({ row }) => texts.get(row)!);
  return { trained: of(learned), heldOut: of(validation) };
};

describe('the data of a run', () => {
  it('are split as the run split them: what is held out was never trained on', async () => {
    const [id] = await runs();
    const comparison = await open.session.comparison();
    const split = await comparison.split({ runId: id! });
    const expected = await rowsOf();
    expect(split.doubt).toBeNull();
    expect(split.dataset).toBe('pirate-chat.jsonl');
    const trained = new Set(expected.trained);
    expect(split.heldOut.length).toBeGreaterThan(5);
    for (const { text } of split.heldOut) {
      expect(trained.has(text)).toBe(false);
      expect(expected.heldOut).toContain(text);
    }
    expect(split.heldOutTotal).toBe(new Set(expected.heldOut.filter((text) => !trained.has(text))).size);
    expect(new Set(split.trained.map(({ text }) => text))).toEqual(trained);
    expect(split.heldOut.every(({ expected: answer }) => answer)).toBe(true);
  });

  it('are the same when the run packed them', async () => {
    const packed = recipe({ dataset: { packing: true } });
    const [id] = await runs(1, packed);
    const comparison = await open.session.comparison();
    const split = await comparison.split({ runId: id! });
    const { heldOut } = await comparison.split({ runId: (await runs())[0]! });
    expect(split.doubt).toBeNull();
    expect(split.heldOut).toEqual(heldOut);
  });

  it('leave out what another column has learned from', async () => {
    const [id] = await runs();
    const other = recipe({ training: { seed: 7 } });
    const [second] = await runs(1, other);
    const comparison = await open.session.comparison();
    const alone = await comparison.split({ runId: id! });
    const beside = await comparison.split({ runId: id! }, [second!]);
    const learned = new Set((await rowsOf(other)).trained);
    expect(beside.heldOut.map(({ text }) => text)).toEqual(
      alone.heldOut.map(({ text }) => text).filter((text) => !learned.has(text)),
    );
    expect(beside.heldOut.length).toBeLessThan(alone.heldOut.length);
  });

  it('are doubted where the file or the split is not what it was, or nobody knows what was learned', async () => {
    const [id] = await runs();
    const comparison = await open.session.comparison();
    const run = (await getRun(id!))!;
    const split = async () => (await comparison.split({ runId: id! })).doubt;
    await saveRun({ ...run, inputs: { ...run.inputs!, examples: { sha256: 'other', bytes: 1 } } });
    expect(await split()).toMatch(/has changed since this run/);
    await saveRun({ ...run, changes: [{ step: 2, what: ['dataset'] }] });
    expect(await split()).toMatch(/changed while this run was interrupted/);
    await saveRun({ ...run, inputs: undefined });
    expect(await split()).toMatch(/older version/);
    expect((await comparison.split({ recipe: recipe() })).doubt).toMatch(/not known what this adapter was trained on/);
  });
});

describe('examples in the prompt', () => {
  it('stand before it, questions with their answers, in the order given', async () => {
    await runs();
    const comparison = await open.session.comparison();
    const shots = [
      { text: 'What is rope?', expected: 'A long strong cord.' },
      { text: 'What is tea?', expected: 'A warm drink.' },
    ];
    const { text, tokens, shots: fitting } = await comparison.fewShot({ text: 'What is snow?' }, shots, 64);
    expect(fitting).toEqual(shots);
    const places = ['What is rope?', 'A long strong cord.', 'What is tea?', 'A warm drink.', 'What is snow?'].map(
      (part) => text.indexOf(part),
    );
    expect(places.every((place) => place >= 0)).toBe(true);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    // The engine is given the same tokens.
    await comparison.answer([{ model: 'base', strength: 0, shots }], { text: 'What is snow?' }, options, () => {});
    expect(open.engine.asked[0]![0]!.prompt.length).toBe(tokens);
    await comparison.answer([{ model: 'base', strength: 0 }], { text: 'What is snow?' }, options, () => {});
    expect(open.engine.asked[1]![0]!.prompt.length).toBeLessThan(tokens);
  });

  it('are fewer where the context is too short, the longest left out first', async () => {
    await runs();
    const comparison = await open.session.comparison();
    const long = { text: 'long '.repeat(300), expected: 'yes' };
    const short = { text: 'What is tea?', expected: 'A warm drink.' };
    const { shots, tokens } = await comparison.fewShot({ text: 'What is snow?' }, [long, short, long], 64);
    expect(shots).toEqual([short]);
    expect(tokens).toBeLessThanOrEqual(512 - 64);
  });
});

describe('columns', () => {
  it('are held on the GPU under their own keys; the active adapter is not loaded twice', async () => {
    const [first, second] = await runs(2);
    await open.session.openRun(second!);
    const comparison = await open.session.comparison();
    open.engine.answers = [300, 301];
    const texts: [number, string][] = [];
    const { answers, inTurn } = await comparison.answer(
      [
        { model: 'base', strength: 0 },
        { model: asModel(first!), strength: 0.5 },
        { model: asModel(second!), strength: 1 },
      ],
      { text: 'Hello' },
      options,
      (column, text) => texts.push([column, text]),
    );
    expect(answers).toHaveLength(3);
    expect(inTurn).toBe(false);
    expect(new Set(texts.map(([column]) => column))).toEqual(new Set([0, 1, 2]));
    const [asked] = open.engine.asked;
    expect(asked!.map(({ on }) => (on !== null && on !== 'active' ? 'held' : on))).toEqual([null, 'held', 'active']);
    expect(asked!.map(({ strength }) => strength)).toEqual([0, 0.5, 1]);
    expect([...open.engine.held.values()]).toMatchObject([{ kind: 'run', runId: first, slot: 'latest' }]);
    // Asked again, nothing is loaded again; another comparison frees what it does not need.
    const holds = () => open.engine.calls.filter((call) => call.startsWith('hold'));
    await comparison.answer([{ model: asModel(first!), strength: 1 }], { text: 'Hello' }, options, () => {});
    expect(holds()).toHaveLength(1);
    await comparison.answer([{ model: 'base', strength: 0 }], { text: 'Hello' }, options, () => {});
    expect(open.engine.held.size).toBe(0);
  });

  it('answer one after another where whole models do not fit together', async () => {
    const full = resolveRecipe({ version: 1, method: { type: 'full' } });
    const [first, second, third] = await runs(3, full);
    const huge = 8e9;
    for (const id of [first!, second!]) await saveRun({ ...(await getRun(id))!, trainableParameters: huge });
    await open.session.openRun(third!);
    const comparison = await open.session.comparison();
    const columns = [first!, second!].map((id) => ({ model: asModel(id), strength: 1 }));
    const { inTurn, answers } = await comparison.answer(columns, { text: 'Hello' }, options, () => {});
    expect(inTurn).toBe(true);
    expect(answers).toHaveLength(2);
    expect(open.engine.asked.map((together) => together.length)).toEqual([1, 1]);
    // Never both at once.
    expect(open.engine.held.size).toBe(1);
  });

  it('refuse a run of another model, and one that is gone', async () => {
    const [id] = await runs();
    const run = (await getRun(id!))!;
    await saveRun({ ...run, recipe: { ...run.recipe, model: { ...run.recipe.model, source: 'hf:org/other' } } });
    const comparison = await open.session.comparison();
    const ask = (model: ModelId) => comparison.answer([{ model, strength: 1 }], { text: 'Hello' }, options, () => {});
    await expect(ask(asModel(id!))).rejects.toMatchObject({
      code: 'bad_adapter',
      message: expect.stringMatching(/another model/),
    });
    await expect(ask('run:gone')).rejects.toMatchObject({ code: 'bad_adapter' });
    await expect(ask('file:gone')).rejects.toMatchObject({ code: 'bad_adapter' });
  });

  it('wait while a run uses the GPU', async () => {
    await open.session.openModel('builtin:stories');
    const comparison = await open.session.comparison();
    const running = open.session.train(recipe());
    const stint = await until(() => open.engine.stints[0]);
    await expect(
      comparison.answer([{ model: 'base', strength: 0 }], { text: 'Hello' }, options, () => {}),
    ).rejects.toThrow(/A run is in progress/);
    stint.end();
    await running;
  });

  it('end with what they have when they are stopped', async () => {
    await runs();
    const comparison = await open.session.comparison();
    open.engine.answers = [300, 301, 302, 303];
    const controller = new AbortController();
    const { answers } = await comparison.answer(
      [{ model: 'base', strength: 0 }],
      { text: 'Hello' },
      options,
      () => controller.abort(),
      controller.signal,
    );
    expect(answers[0]!.text.length).toBeGreaterThan(0);
  });
});

describe('measures', () => {
  it('are taken over the whole held-out side, under the run’s own length and batch', async () => {
    const [id] = await runs();
    const comparison = await open.session.comparison();
    const { validation } = await open.session.tokenize(recipe());
    const measured = await comparison.measure('base', { runId: id! }, () => {});
    expect(measured.rows).toEqual(validation.map(({ row }) => row));
    const { on, job } = open.engine.measured[0]!;
    expect(on).toBeNull();
    expect(job.examples.map(({ ids }) => [...ids])).toEqual(validation.map(({ ids }) => [...ids]));
    expect(job.batchSize).toBe(recipe().training.per_device_train_batch_size);
    // The scripted engine writes nothing, which has nothing in common with any answer.
    expect(measured.answers).toEqual({ count: 8, rougeL: 0, exactMatch: 0 });
    const { heldOut } = await comparison.split({ runId: id! });
    expect(heldOut.length).toBeGreaterThan(8);
    expect(open.engine.asked).toHaveLength(8);
  });

  it('say that there is nothing where nothing is held out', async () => {
    const [id] = await runs(1, recipe({ dataset: { validation_split: 0 } }));
    const comparison = await open.session.comparison();
    await expect(comparison.measure('base', { runId: id! }, () => {})).rejects.toMatchObject({
      where: 'dataset.validation_split',
    });
  });

  it('of forgetting come from the run where it has them, else from the engine', async () => {
    const [id] = await runs();
    const comparison = await open.session.comparison();
    const forgetting = () => comparison.forgetting(asModel(id!));
    expect(await forgetting()).toEqual({ before: 1, after: 1.5, from: 'now' });
    const row = (step: number, loss: number) => ({
      ...{ kind: 'eval' as const, step, epoch: 0, eval_loss: 1, best: true, seconds: 1 },
      metrics: { base_text_loss: loss },
    });
    await appendMetrics(id!, [row(0, 2), row(4, 2.5), row(7, 3)]);
    await saveRun({ ...(await getRun(id!))!, bestStep: 4, step: 7 });
    expect(await forgetting()).toEqual({ before: 2, after: 2.5, from: 'run' });
    expect(await comparison.forgetting(`run:${id!}@latest`)).toEqual({ before: 2, after: 3, from: 'run' });
  });
});

describe('prompt sets', () => {
  it('are kept in this browser, listed as stored, and erased with the rest', async () => {
    const comparison = await open.session.comparison();
    const prompts = [{ text: 'One?\nTwo?', system: 'Be kind.', expected: '' }, { text: 'Three?' }];
    expect(await comparison.savePromptSet({ name: '../mine', prompts })).toBe('mine');
    expect(await comparison.promptSets()).toEqual([{ name: 'mine', prompts }]);
    const { items } = await open.session.storage();
    expect(items).toMatchObject([{ id: 'prompts/mine.jsonl', kind: 'prompts' }]);
    await open.session.deleteStored('prompts/mine.jsonl');
    expect(await comparison.promptSets()).toEqual([]);
  });

  it('are read from JSONL of other tools, and refused with the line that is wrong', async () => {
    const comparison = await open.session.comparison();
    const read = (text: string) => comparison.readPromptSet(new File([text], 'mine.jsonl'));
    const text =
      '\uFEFF{"question": "One?", "answer": "1"}\r\n\n"Two?"\n{"instruction": "Three?", "reference": null}\n';
    expect(await read(text)).toEqual({
      name: 'mine',
      prompts: [{ text: 'One?', expected: '1' }, { text: 'Two?' }, { text: 'Three?' }],
    });
    const wrong: [string, RegExp][] = [
      ['', /no prompt in this file/],
      ['"One?"\n{oops', /not JSON/],
      ['"One?"\n3', /neither an object nor a string/],
      ['"One?"\n{"reference": "1"}', /has no prompt/],
      ['"One?"\n{"prompt": "Two?", "reference": 2}', /reference of this line is not text/],
    ];
    for (const [broken, message] of wrong) {
      await expect(read(broken)).rejects.toMatchObject({ code: 'bad_data', message: expect.stringMatching(message) });
    }
    await expect(read('"One?"\n{oops')).rejects.toMatchObject({ where: 'mine.jsonl, line 2' });
  });
});
