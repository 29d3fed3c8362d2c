import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ExportSource } from '../../../src/exports/export';
import { ggufAdapterFile } from '../../../src/exports/gguf/write-adapter';
import { createZip } from '../../../src/formats/zip';
import { loraFiles, promptFiles } from './adapter-folder';
import { freshStages, greedy, open, reopen, train } from './fresh-stage';
import { recipe } from './stage';

freshStages();

const quiet = { onProgress: () => {} };

/** An adapter of the built-in model's first queries in llama.cpp's format. */
function storiesGguf(name: string) {
  const { hidden_size: width } = JSON.parse(readFileSync('public/models/stories/config.json', 'utf8'));
  const matrix = (part: string, shape: [number, number]) => ({
    name: `blk.0.attn_q.weight.${part}`,
    shape,
    data: new Float32Array(shape[0] * shape[1]).fill(0.5),
  });
  const tensors = [matrix('lora_a', [4, width]), matrix('lora_b', [width, 4])];
  const about = { name, recipe: null, model: { licence: null, base: { name: 'stories' } } as ExportSource['model'] };
  const file = new File(ggufAdapterFile({ alpha: 8, tensors, notes: [] }, 'llama', about), `${name}.gguf`);
  return [{ path: `${name}.gguf`, file }];
}

describe('an adapter', () => {
  const config = { peft_type: 'LORA', r: 4 };
  const files = [
    { path: 'tone/adapter_config.json', file: new File([JSON.stringify(config)], 'adapter_config.json') },
    { path: 'tone/adapter_model.safetensors', file: new File([Uint8Array.of(9)], 'adapter_model.safetensors') },
    { path: 'tone/optimizer.pt', file: new File(['large'], 'optimizer.pt') },
  ];

  it('is exported as a self-contained folder', async () => {
    await train();
    const { fileName, files: folder, proof } = await open.session.exportAs('peft', { ...quiet, withoutBase: true });
    expect(fileName).toBe('pirate-chat-LoRA-r16.zip');
    // Enough tokens to say how often the next one is the same.
    expect(proof!.tokens).toBeGreaterThanOrEqual(256);
    const text = async (path: string) => folder.find((file) => file.path === path)!.blob.text();
    expect(folder.map(({ path }) => path).sort()).toEqual([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
      'recipe.json',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(JSON.parse(await text('adapter_config.json'))).toMatchObject({ r: 16, base_model_name_or_path: 'stories' });
    expect(JSON.parse(await text('recipe.json'))).toEqual(recipe());
    expect(await text('README.md')).toContain('base_model: "stories"');
    expect(await text('README.md')).toContain('Acme One');
  });

  it('brings along a base that comes with Tabtune, and its card loads that one', async () => {
    await train();
    const { files: folder } = await open.session.exportAs('peft', quiet);
    const paths = folder.map(({ path }) => path);
    expect(paths).toContain('base/config.json');
    expect(paths).toContain('base/model.safetensors');
    const card = await folder.find(({ path }) => path === 'README.md')!.blob.text();
    expect(card).toContain('base = "base"');
    expect(card).toContain('base_model: "stories"');
    // It comes back as the adapter that it is.
    const files = folder.map(({ path, blob }) => ({ path: `a/${path}`, file: new File([blob], path) }));
    await expect(open.session.importAdapter(files)).resolves.toMatchObject({ name: 'a' });
  });

  it('can be imported as a folder or a zip, and training can continue from it', async () => {
    await open.session.openModel('builtin:stories');
    expect(await open.session.importAdapter(files)).toEqual({ name: 'tone', trainableParameters: 99 });
    expect(open.engine.adapters.at(-1)).toEqual([
      { path: 'tone/adapter_config.json', bytes: new TextEncoder().encode(JSON.stringify(config)) },
      { path: 'tone/adapter_model.safetensors', bytes: Uint8Array.of(9) },
    ]);
    const bytes = async (file: File) => new Uint8Array(await file.arrayBuffer());
    const entries = await Promise.all(
      loraFiles('voice').map(async ({ path, file }) => ({ path, bytes: await bytes(file) })),
    );
    const zip = new File([await createZip(entries)], 'voice.zip');
    expect((await open.session.importAdapter([{ path: 'voice.zip', file: zip }])).name).toBe('voice');

    await train(recipe({ method: { type: 'lora', init_adapter: 'file:voice' } }));
    const { job } = open.engine.stints[0]!;
    expect(job.initAdapter).toHaveLength(2);
    // The record has the adapter's settings from its first moment.
    expect(job.run.recipe.method).toMatchObject({ type: 'lora', r: 4, lora_alpha: 8, init_adapter: 'file:voice' });
  });

  it('can be imported from a GGUF file for the same architecture, and training can continue from it', async () => {
    const gguf = (name: string) => {
      const bytes = readFileSync(`tests/fixtures/gguf/adapters/${name}.gguf`);
      return [{ path: `${name}.gguf`, file: new File([bytes], `${name}.gguf`) }];
    };
    await expect(open.session.importAdapter(gguf('mistral'))).rejects.toMatchObject({ code: 'bad_model' });
    await open.session.openModel('builtin:stories');
    // Of a model with other heads.
    await expect(open.session.importAdapter(gguf('llama3-rope-bias'))).rejects.toMatchObject({ code: 'bad_adapter' });
    expect((await open.session.importAdapter(storiesGguf('tone'))).name).toBe('tone');
    const files = open.engine.adapters.at(-1)!;
    expect(files.map(({ path }) => path)).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
    expect(JSON.parse(new TextDecoder().decode(files[0]!.bytes))).toMatchObject({
      peft_type: 'LORA',
      lora_alpha: 8,
      r: 4,
    });
    expect(await open.session.listAdapters()).toMatchObject([
      { name: 'tone', method: 'lora', objective: 'sft', active: true },
    ]);
    await expect(open.session.importAdapter(gguf('qwen2'))).rejects.toMatchObject({
      code: 'bad_adapter',
      where: 'qwen2.gguf, general.architecture',
    });
  });

  it('that is a prompt leaves its own virtual tokens’ room in the context, whatever the recipe says', async () => {
    await open.session.openModel('builtin:stories');
    const long = { source: 'builtin:pirate-chat', max_length: 512 };
    const method = { type: 'prompt_tuning', num_virtual_tokens: 5 } as const;
    const alone = await open.session.tokenize(recipe({ dataset: long, method }));
    // The context of public/models/stories/config.json is 512.
    expect(alone.maxLength).toBe(512 - 5);
    await open.session.importAdapter(promptFiles('voice', 40));
    const continued = recipe({ dataset: long, method: { ...method, init_adapter: 'file:voice' } });
    expect((await open.session.tokenize(continued)).maxLength).toBe(512 - 40);
    await train(continued);
    expect(open.engine.stints[0]!.job).toMatchObject({ maxLength: 512 - 40 });
    expect(open.engine.stints[0]!.job.recipe.method).toMatchObject({ num_virtual_tokens: 40 });
  });

  it('with more virtual tokens than half the context is refused before the run', async () => {
    await open.session.openModel('builtin:stories');
    await open.session.importAdapter(promptFiles('voice', 300));
    const method = { type: 'prompt_tuning', num_virtual_tokens: 5, init_adapter: 'file:voice' } as const;
    const { blockers } = await open.session.forecast(recipe({ method }));
    expect(blockers).toMatchObject([{ code: 'bad_adapter', where: 'method.init_adapter' }]);
    await expect(open.session.train(recipe({ method }))).rejects.toMatchObject({ where: 'method.init_adapter' });
  });

  it('merged with a classification head has the head in config.json', async () => {
    await train();
    const config = async () => {
      const { files } = await open.session.exportAs('merged-f32', quiet);
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
    await expect(open.session.exportAs('peft', quiet)).rejects.toMatchObject({ code: 'bad_adapter' });
    const unknown = recipe({ method: { type: 'lora', init_adapter: 'file:tone' } });
    await expect(open.session.train(unknown)).rejects.toMatchObject({ where: 'method.init_adapter' });
  });

  it('of an earlier run is opened with its model after a reload', async () => {
    const id = await train();
    reopen();
    expect(await open.session.openRun(id)).toMatchObject({ id, name: 'pirate-chat LoRA r16' });
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
