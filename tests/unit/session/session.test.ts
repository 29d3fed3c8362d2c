import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createZip } from '../../../src/formats/zip';
import { writePeft } from '../../../src/methods/read-adapter';
import type { Recipe } from '../../../src/recipe/types';
import type { GenerationOptions } from '../../../src/session/api';
import { GpuMemory } from '../../../src/session/gpu-memory';
import { eraseEverything } from '../../../src/storage/usage';
import { turn, until } from '../../support/time';
import { memoryStore, recipe, type Stage, servePublic, stage } from './stage';

let open: Stage;
beforeEach(async () => {
  await eraseEverything();
  servePublic();
  open = stage();
});
afterEach(() => {
  vi.useRealTimers();
  open.session.close();
  vi.unstubAllGlobals();
});

/** A call that the data worker never answers; the clock stands until `pass` is called, however slow the machine. */
function hanging(method: 'encodePrompt' | 'viewTokens') {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const call = vi.fn(() => new Promise<never>(() => {}));
  open.data[method] = call as never;
  return {
    async pass(milliseconds: number) {
      await until(() => call.mock.calls.length > 0);
      await vi.advanceTimersByTimeAsync(milliseconds);
      vi.useRealTimers();
      delete open.data[method];
    },
  };
}

const csv = (text: string, name = 'replies.csv') => new File([text], name, { type: 'text/csv' });
const replies = 'prompt,completion\nWhere is it?,In the post.\nWhen?,On Monday.\nWho?,Ruth.\n';
const greedy: GenerationOptions = { maxNewTokens: 8, temperature: 0, topP: 1, seed: 1, adapterStrength: 0.5 };

async function train(changed: Recipe = recipe()): Promise<string> {
  const before = open.engine.stints.length;
  const running = open.session.train(changed);
  const { job, checkpoint, end } = await until(() => open.engine.stints[before]);
  await checkpoint(7);
  end();
  await running;
  return job.run.id;
}

describe('the model', () => {
  it('opens with progress', async () => {
    const progress = vi.fn();
    const info = await open.session.openModel('builtin:stories', progress);
    expect(info).toMatchObject({ title: 'Stories 2M', hasChatTemplate: true });
    expect(info.linearModules).toContain('q_proj');
    expect(progress).toHaveBeenCalledWith(1, 2);
  });

  it('is refused within seconds if its template never ends, and the next one opens', async () => {
    const prompt = hanging('encodePrompt');
    const opening = open.session.openModel('builtin:stories').catch((cause: unknown) => cause);
    await prompt.pass(2500);
    expect(open.dataWorkers[0]!.terminated).toBe(true);
    expect(await opening).toMatchObject({ code: 'timeout', action: expect.stringContaining('choose another model') });
    expect(open.engine.calls).toEqual([]);
    expect((await open.session.openModel('builtin:stories')).title).toBe('Stories 2M');
  });

  it('is reloaded after a crash, but only when it is needed', async () => {
    await open.session.openModel('builtin:stories');
    open.engine.crash();
    await turn();
    expect(open.engine.workers).toHaveLength(1);
    await open.session.generate('Hi', greedy, () => {});
    expect(open.engine.calls).toEqual(['loadModel builtin:stories', 'loadModel builtin:stories', 'generate']);
  });

  it('is reloaded for a run only if the run needs another precision', async () => {
    await open.session.openModel('builtin:stories');
    await train(recipe({ model: { quantization: 'nf4' } }));
    await train(recipe({ model: { quantization: 'nf4' } }));
    expect(open.engine.calls.filter((call) => call.startsWith('loadModel'))).toEqual([
      'loadModel builtin:stories',
      'loadModel builtin:stories nf4',
    ]);
  });

  it('is checked before it is stored', async () => {
    const files = [{ path: 'mine/config.json', file: new File(['{}'], 'config.json') }];
    await expect(open.session.importModel(files)).rejects.toMatchObject({ code: 'bad_model' });
    expect((await open.session.storage()).items).toEqual([]);
  });
});

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
    const edited = await open.session.editDataset(source, 2, { completion: 'On "Friday", maybe.' });
    expect(edited.examples[1]).toMatchObject({ row: 2, prompt: 'When?', completion: 'On "Friday", maybe.' });
    expect(edited.examples).toHaveLength(3);
    open.session.close();
    open = stage();
    expect((await open.session.openDataset(dataset)).examples[1]).toMatchObject({ completion: 'On "Friday", maybe.' });
  });

  it('cannot be edited if it is built in', async () => {
    const { dataset } = recipe();
    await open.session.openDataset(dataset);
    await expect(open.session.editDataset(dataset.source, 1, { messages: '[]' })).rejects.toThrow('Built-in');
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
    await open.session.editDataset(source, 3, { completion: 'Ruth, the captain of the ferry.' });
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

  it('of an example that never finishes time out with the data worker', async () => {
    await open.session.openModel('builtin:stories');
    open.dataWorkers[0]!.crash();
    await turn();
    const view = hanging('viewTokens');
    const tokenizing = expect(open.session.tokenize(recipe())).rejects.toMatchObject({
      code: 'timeout',
      where: 'row 1',
    });
    await view.pass(2500);
    await tokenizing;
    expect(open.dataWorkers).toHaveLength(2);
    expect(open.dataWorkers[1]!.terminated).toBe(true);
    expect((await open.session.tokenize(recipe())).train).toHaveLength(225);
  });
});

describe('a forecast', () => {
  it('has numbers and no blockers if the run can start', async () => {
    await open.session.openModel('builtin:stories');
    const { memory, totalBytes, ...figures } = await open.session.forecast(recipe());
    expect(figures).toMatchObject({
      blockers: [],
      // 225 examples, three epochs, eight per step.
      totalSteps: 87,
      verdict: 'fits',
      advice: [],
      gradientCheckpointing: false,
      budget: { bytes: 4 * 2 ** 30 },
      seconds: null,
    });
    expect(Object.values(memory).reduce((sum, part) => sum + part, 0)).toBe(totalBytes);
    // Two bytes per weight, except for the norms.
    expect(memory.weights / (2 * 1_967_808)).toBeCloseTo(1, 2);
    expect(memory.adapter).toBe(4 * figures.trainableParameters);
  });

  it('of a run short of memory is tight, uses checkpointing and gives advice', async () => {
    // The budget is half of this, 21 MB; the run needs 31 MB, or 24 MB with checkpointing.
    open.session.close();
    open = stage(undefined, new GpuMemory(memoryStore(), 0.04));
    await open.session.openModel('builtin:stories');
    const { verdict, gradientCheckpointing, advice, totalBytes } = await open.session.forecast(recipe());
    expect({ verdict, gradientCheckpointing }).toEqual({ verdict: 'tight', gradientCheckpointing: true });
    const labels = advice!.map(({ label }) => label);
    expect(labels).toContain('Batch size 1, gradient accumulation 8');
    expect(labels).not.toContain('Turn on gradient checkpointing');
    for (const { saves } of advice!) expect(saves).toBeGreaterThan(0.02 * totalBytes);
    const running = open.session.train(recipe());
    const { job, end } = await until(() => open.engine.stints[0]);
    expect(job.checkpointing).toBe(true);
    end();
    await running;
  });

  it('learns from a run that ran out of memory', async () => {
    await open.session.openModel('builtin:stories');
    const before = await open.session.forecast(recipe());
    const failing = open.session.train(recipe());
    (await until(() => open.engine.stints[0])).fail({ code: 'gpu_out_of_memory', message: 'No room.' });
    expect((await failing).status).toBe('interrupted');
    const after = await open.session.forecast(recipe({ training: { gradient_checkpointing: false } }));
    expect(after).toMatchObject({ totalBytes: before.totalBytes, verdict: 'too_big' });
    expect(after.budget!.how).toContain('ran out of memory here');
    // The estimate may be wrong, so a person may still try.
    expect(after.blockers).toEqual([]);
  });

  it('of a run that continues from an adapter uses the adapter’s rank and targets', async () => {
    await open.session.openModel('builtin:stories');
    const path = 'model.layers.0.self_attn.q_proj';
    const { config, weights } = writePeft({
      type: 'LORA',
      config: {
        base_model_name_or_path: null,
        task_type: 'CAUSAL_LM',
        modules_to_save: null,
        r: 4,
        lora_alpha: 8,
        lora_dropout: 0,
        target_modules: ['q_proj'],
        use_rslora: false,
        use_dora: false,
        rank_pattern: {},
        alpha_pattern: {},
        fan_in_fan_out: false,
      },
      tensors: new Map([
        [`${path}.lora_A.weight`, { shape: [4, 192], data: new Float32Array(4 * 192) }],
        [`${path}.lora_B.weight`, { shape: [192, 4], data: new Float32Array(4 * 192) }],
      ]),
    });
    await open.session.importAdapter([
      { path: 'a/adapter_config.json', file: new File([JSON.stringify(config)], 'adapter_config.json') },
      { path: 'a/adapter_model.safetensors', file: new File([weights as BlobPart], 'adapter_model.safetensors') },
    ]);
    const plan = await open.session.forecast(recipe({ method: { type: 'lora', init_adapter: 'file:a' } }));
    expect(plan.blockers).toEqual([]);
    expect(plan.trainableParameters).toBe(4 * (192 + 192));
    const gone = await open.session.forecast(recipe({ method: { type: 'lora', init_adapter: 'file:b' } }));
    expect(gone.blockers).toMatchObject([{ code: 'bad_adapter', where: 'method.init_adapter' }]);
  });

  it('refuses what exceeds the device’s limits, and so does a run', async () => {
    const limits = { ...open.engine.device.limits, maxStorageBufferBindingSize: 2 ** 18 };
    open.engine.device = { ...open.engine.device, limits };
    await open.session.openModel('builtin:stories');
    const { blockers, verdict } = await open.session.forecast(recipe());
    expect(verdict).toBe('too_big');
    expect(blockers).toMatchObject([{ code: 'gpu_out_of_memory', where: 'GPU' }]);
    expect(blockers[0]!.message).toMatch(/needs \d+ MB in one piece/);
    await expect(open.session.train(recipe())).rejects.toMatchObject({ code: 'gpu_out_of_memory' });
    expect(open.engine.stints).toEqual([]);
    expect(await open.session.runs()).toEqual([]);
  });

  it('lists everything that blocks the run', async () => {
    const blockers = async (changed: Recipe) => (await open.session.forecast(changed)).blockers;
    expect(await blockers(recipe())).toMatchObject([{ code: 'bad_model' }]);
    await open.session.openModel('builtin:stories');
    const wrong = recipe({ method: { type: 'lora', target_modules: ['query_key_value'] } });
    expect(await blockers(wrong)).toMatchObject([{ where: 'method.target_modules' }]);
    const impossible = recipe();
    impossible.training.max_steps = 0;
    expect(await blockers(impossible)).toMatchObject([{ where: 'training.max_steps' }]);
    expect(await blockers(recipe({ dataset: { source: 'file:gone.csv' } }))).toMatchObject([{ code: 'bad_data' }]);
  });
});

describe('an encoder', () => {
  it('opens, and refuses a run that needs generated text', async () => {
    open.engine.kind = 'encoder';
    expect(await open.session.openModel('builtin:stories')).toMatchObject({ kind: 'encoder', layers: 6 });
    const { blockers, totalSteps } = await open.session.forecast(recipe());
    expect(totalSteps).toBe(0);
    expect(blockers).toHaveLength(1);
    expect(blockers[0]).toMatchObject({
      code: 'bad_model',
      message: 'Stories 2M reads text and does not write any, so it cannot learn from examples of answers.',
      where: 'objective.type',
    });
    await expect(open.session.train(recipe())).rejects.toMatchObject({ code: 'bad_model', where: 'objective.type' });
    expect(open.engine.stints).toHaveLength(0);
  });
});

describe('embeddings', () => {
  it('are computed from the tokens of each text, truncated to the context', async () => {
    await open.session.openModel('builtin:stories');
    const long = 'once upon a time there was a little boat '.repeat(200);
    expect(await open.session.embed(['Hello there', long])).toEqual([Float32Array.of(0, 1), Float32Array.of(1, 1)]);
    const { texts, options } = open.engine.embedded!;
    expect(options).toEqual({ mode: 'mean', normalize: false, adapterStrength: 1 });
    expect(texts[0]!.length).toBeGreaterThan(1);
    expect(texts[1]).toHaveLength(512);
  });

  it('need a model', async () => {
    await expect(open.session.embed(['Hello'])).rejects.toMatchObject({ code: 'bad_model' });
  });
});

describe('an answer', () => {
  it('streams the whole text so far', async () => {
    await open.session.openModel('builtin:stories');
    const { train } = await open.session.tokenize(recipe());
    open.engine.answers = [...train[0]!.ids].slice(4, 12);
    const seen: string[] = [];
    const text = await open.session.generate('Hello', greedy, (soFar) => seen.push(soFar));
    expect(text).toMatch(/\w/);
    expect(seen.at(-1)).toBe(text);
    expect(seen.length).toBeGreaterThan(1);
    for (const soFar of seen) expect(text.startsWith(soFar)).toBe(true);
    expect(open.engine.lastStrength).toBe(0.5);
  });

  it('stops when aborted and returns the text so far', async () => {
    await open.session.openModel('builtin:stories');
    open.engine.answers = [300, 300, 300];
    open.engine.endless = true;
    const controller = new AbortController();
    const answer = open.session.generate('Hello', greedy, () => controller.abort(), controller.signal);
    expect((await answer).length).toBeGreaterThan(0);
    expect(await open.session.generate('Hello', greedy, () => {}, AbortSignal.abort())).toBe('');
  });

  it('needs a prompt that fits in the context', async () => {
    await open.session.openModel('builtin:stories');
    const long = 'word '.repeat(2000);
    await expect(open.session.generate(long, greedy, () => {})).rejects.toMatchObject({
      code: 'bad_data',
      where: 'prompt',
    });
  });
});

describe('an adapter', () => {
  const config = { peft_type: 'LORA', r: 4 };
  const files = [
    { path: 'tone/adapter_config.json', file: new File([JSON.stringify(config)], 'adapter_config.json') },
    { path: 'tone/adapter_model.safetensors', file: new File([Uint8Array.of(9)], 'adapter_model.safetensors') },
    { path: 'tone/optimizer.pt', file: new File(['large'], 'optimizer.pt') },
  ];

  it('is exported as a self-contained folder', async () => {
    await train();
    const { name, files: folder } = await open.session.exportAdapter();
    expect(name).toBe('pirate-chat');
    const text = (path: string) => new TextDecoder().decode(folder.find((file) => file.path === path)?.bytes);
    expect(folder.map(({ path }) => path).sort()).toEqual([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
      'recipe.json',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(JSON.parse(text('adapter_config.json'))).toMatchObject({ r: 16, base_model_name_or_path: 'stories' });
    expect(JSON.parse(text('recipe.json'))).toEqual(recipe());
    expect(text('README.md')).toContain('base_model: "stories"');
    expect(text('README.md')).toContain('Acme One');
  });

  it('can be imported as a folder or a zip, and training can continue from it', async () => {
    await open.session.openModel('builtin:stories');
    expect(await open.session.importAdapter(files)).toEqual({ name: 'tone', trainableParameters: 99 });
    expect(open.engine.adapters.at(-1)).toEqual([
      { path: 'tone/adapter_config.json', bytes: new TextEncoder().encode(JSON.stringify(config)) },
      { path: 'tone/adapter_model.safetensors', bytes: Uint8Array.of(9) },
    ]);
    const entries = files.map(({ path }) => ({ path, bytes: Uint8Array.of(9) }));
    entries[0]!.bytes = new TextEncoder().encode(JSON.stringify(config));
    const zip = new File([await createZip(entries)], 'voice.zip');
    expect((await open.session.importAdapter([{ path: 'voice.zip', file: zip }])).name).toBe('voice');

    await train(recipe({ method: { type: 'lora', init_adapter: 'file:tone' } }));
    expect(open.engine.stints[0]!.job.initAdapter).toHaveLength(2);
  });

  it('merged with a classification head has the head in config.json', async () => {
    await train();
    const config = async () => {
      const { files } = await open.session.exportMerged('F32');
      return JSON.parse(await files.find(({ path }) => path === 'config.json')!.blob.text());
    };
    expect((await config()).architectures).toEqual(['LlamaForCausalLM']);
    const labels = ['bad', 'good'];
    open.engine.mergedTask = { problemType: 'single_label_classification', labels };
    expect(await config()).toMatchObject({
      architectures: ['LlamaForSequenceClassification'],
      id2label: { 0: 'bad', 1: 'good' },
      label2id: { bad: 0, good: 1 },
      problem_type: 'single_label_classification',
      dtype: 'float32',
    });
    open.engine.mergedTask = { problemType: 'token_classification', labels };
    expect(await config()).not.toHaveProperty('problem_type');
  });

  it('cannot be exported or continued from if there is none', async () => {
    await open.session.openModel('builtin:stories');
    await expect(open.session.exportAdapter()).rejects.toMatchObject({ code: 'bad_adapter' });
    const unknown = recipe({ method: { type: 'lora', init_adapter: 'file:tone' } });
    await expect(open.session.train(unknown)).rejects.toMatchObject({ where: 'method.init_adapter' });
  });

  it('of an earlier run is opened with its model after a reload', async () => {
    const id = await train();
    open.session.close();
    open = stage();
    expect(await open.session.openRun(id)).toMatchObject({ id, name: 'pirate-chat' });
    expect(open.engine.calls).toEqual(['loadModel builtin:stories', `openCheckpoint ${id}`]);
    await expect(open.session.openRun('nothing')).rejects.toThrow('no longer stored');
  });

  it('is restored after a crash', async () => {
    await open.session.openModel('builtin:stories');
    await open.session.importAdapter(files);
    open.engine.crash();
    await open.session.generate('Hi', greedy, () => {});
    expect(open.engine.calls.slice(-3)).toEqual(['loadModel builtin:stories', 'setAdapter', 'generate']);
  });
});

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
