/** Self-Instruct over a session in which only the GPU is fake: what the model writes is given, what is made of it is real. */
import { beforeEach, describe, expect, it } from 'vitest';
import { defaultSettings, newDraft, type SelfInstructDraft, seedTasks } from '../../../src/self-instruct';
import { listFiles } from '../../../src/storage/files';
import { createDataApi } from '../../../src/workers/data/service';
import { until } from '../../support/time';
import { STORIES, tokenizerFiles } from '../data/helpers';
import { freshStages, open, reopen } from './fresh-stage';

freshStages();

const small = { ...defaultSettings, num_instructions_to_generate: 3, request_batch_size: 2, include_seed_tasks: false };
const lists = [
  ' Name five birds that live near lakes.\n10. Draw a duck on a lake.\n11. Invent a greeting for travellers.\n12. Hi.',
  ' Count the apples in the basket.\n10. Name five birds that live near lakes.',
];

/** The stories model's own tokenizer, to read what was asked and to write the answers. */
const words = createDataApi();
let asked: string[];
let prepared: Int32Array[];

beforeEach(async () => {
  words.openTokenizer({ ...tokenizerFiles(STORIES), embeddings: 2048 });
  asked = [];
  prepared = [];
  open.engine.together = answering();
  await open.session.openModel('builtin:stories');
});

const idsOf = (text: string) => [...words.encodeTexts([text], 512)[0]!].filter((id) => id > 2);

function answerTo(prompt: string, i: number): string {
  if (/\d\.$/.test(prompt)) return lists[i]!;
  if (prompt.endsWith('Is it classification?')) return prompt.includes('Count the apples') ? ' Yes' : ' No';
  if (prompt.includes('Count the apples')) return 'Class label: two\nThere are two.\nClass label: none\nIt is empty.';
  return 'Output: a sentence of its own';
}

function answering(stopAt = Number.POSITIVE_INFINITY): typeof open.engine.together {
  return async (prompts, _options, onToken, signal) => {
    prepared.push(...prompts);
    const texts = prompts.map((ids) => words.decode(ids));
    asked.push(...texts);
    if (asked.length > stopAt) {
      await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
    }
    return texts.map((text, i) => {
      const ids = idsOf(answerTo(text, i));
      if (!signal?.aborted) for (const id of ids) onToken(i, id);
      return { ids: Int32Array.from([...ids, 2]), finished: true };
    });
  };
}

async function run(draft: SelfInstructDraft, signal?: AbortSignal) {
  const writer = await open.session.selfInstruct();
  const drafts: SelfInstructDraft[] = [];
  const end = await writer.run(
    draft,
    (next) => drafts.push(next),
    () => {},
    signal,
  );
  return { end, drafts, last: drafts.at(-1)!, writer };
}

describe('a model that writes its own dataset', () => {
  it('is asked for instructions, what kind they are and their examples, and everything is stored', async () => {
    const { end, last, writer } = await run(newDraft(seedTasks, small));
    expect(end).toBe('enough');
    expect(
      last.tasks.map(({ instruction, classification, instances }) => [instruction, classification, instances]),
    ).toEqual([
      ['Name five birds that live near lakes.', false, [{ input: '', output: 'a sentence of its own' }]],
      ['Invent a greeting for travellers.', false, [{ input: '', output: 'a sentence of its own' }]],
      [
        'Count the apples in the basket.',
        true,
        [
          { input: 'There are two.', output: 'two' },
          { input: 'It is empty.', output: 'none' },
        ],
      ],
    ]);
    expect(last.funnel.instructions).toMatchObject({ written: 6, dropped: { word_list: 1, too_short: 1, similar: 1 } });
    expect(last.tasks.every(({ model, seed, round }) => model === 'Stories 2M' && seed === 42 && round === 1)).toBe(
      true,
    );
    expect(await writer.stored()).toEqual(last);
    // The chat template is around the request, and the answer has begun with the list.
    expect(asked[0]).toMatch(/Come up with a series of tasks:[\s\S]*1\. .*\n2\. /);
    // A third of the context is left for the answer.
    for (const ids of prepared) expect(ids.length + 3).toBeLessThanOrEqual(512);
  });

  it('loses nothing when it is stopped, and comes to the same in the end', async () => {
    const whole = (await run(newDraft(seedTasks, small))).last;
    for (const stopAt of [0, 2, 5]) {
      asked = [];
      open.engine.together = answering(stopAt);
      const stop = new AbortController();
      const stopped = run(newDraft(seedTasks, small), stop.signal);
      await until(() => asked.length > stopAt);
      stop.abort();
      const { end, drafts, writer } = await stopped;
      expect(end).toBe('cancelled');
      const kept = stopAt === 0 ? newDraft(seedTasks, small) : (await writer.stored())!;
      expect(kept).toEqual(drafts.at(-1) ?? kept);
      expect(kept.tasks).toHaveLength(stopAt === 0 ? 0 : 3);
      open.engine.together = answering();
      expect((await run(kept)).last).toEqual(whole);
    }
  });

  it('keeps its draft over a reload, and forgets it when told to', async () => {
    const { last } = await run(newDraft(seedTasks, small));
    reopen();
    const writer = await open.session.selfInstruct();
    expect(await writer.stored()).toEqual(last);
    expect((await open.session.storage()).items).toMatchObject([{ kind: 'draft', name: 'self-instruct.json' }]);
    await writer.discard();
    expect(await writer.stored()).toBeNull();
    expect(await listFiles('draft')).toEqual([]);
  });

  it('ends when a run begins, and keeps others from the engine until then', async () => {
    open.engine.together = answering(0);
    const writing = run(newDraft(seedTasks, small));
    await until(() => asked.length > 0);
    await expect(run(newDraft(seedTasks, small))).rejects.toThrow('The model is writing examples');
    await expect(open.session.embed(['Hello'])).rejects.toThrow('The model is writing examples');
    await open.session.openModel('builtin:stories');
    expect((await writing).end).toBe('cancelled');
    expect(await open.session.embed(['Hello'])).toHaveLength(1);
  });

  it('takes seed tasks from JSON as in the paper, and from any file of prompts and answers', async () => {
    const writer = await open.session.selfInstruct();
    const csv = new File(
      ['prompt,completion\nAdd two and two.,Four.\nAdd two and two.,4\nName a bird.,Owl.\n'],
      'a.csv',
    );
    expect(await writer.readSeeds(csv)).toEqual([
      {
        instruction: 'Add two and two.',
        instances: [
          { input: '', output: 'Four.' },
          { input: '', output: '4' },
        ],
        classification: null,
      },
      { instruction: 'Name a bird.', instances: [{ input: '', output: 'Owl.' }], classification: null },
    ]);
    const json = new File(['{"instruction": "A", "instances": [{"input": "b", "output": "c"}]}'], 'a.jsonl');
    expect(await writer.readSeeds(json)).toHaveLength(1);
    const texts = new File(['text,label\nA bird.,yes\nA stone.,no\n'], 'b.csv');
    await expect(writer.readSeeds(texts)).rejects.toMatchObject({ code: 'bad_data', where: 'b.csv, row 1' });
  });

  it('refuses what cannot be done with a sentence', async () => {
    await expect(run(newDraft([]))).rejects.toThrow('There are no seed tasks.');
    const noLabels = seedTasks.map((seed) => ({ ...seed, classification: null }));
    await expect(run(newDraft(noLabels, { ...small, use_clf_seed_tasks_only: true }))).rejects.toThrow(
      'None of the seed tasks is marked as classification.',
    );
    await expect(run(newDraft([{ ...seedTasks[0]!, instruction: ' ' }], small))).rejects.toThrow(
      'Seed task 1 has no instruction.',
    );
    const long = { ...seedTasks[0]!, instruction: 'very long '.repeat(900) };
    await expect(run(newDraft([long], small))).resolves.toMatchObject({ end: 'enough' });
  });
});
