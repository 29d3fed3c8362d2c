/**
 * Output projections that are tied, untied, stored twice or stored differently, against transformers and PEFT
 * (tests/oracle/make_head_fixtures.py): what is opened, what is exported, what is merged.
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { textLogits } from '../../../src/engine/generation/generate';
import { adapterFiles, adapterNotes } from '../../../src/workers/engine/adapter-files';
import { openAdapter } from '../../../src/workers/engine/adapters';
import { proveModel } from '../../../src/workers/engine/prove';
import { relativeError } from '../../fixture-files';
import { type Files, mergedFiles, openFolder } from '../../parity/matrix/folder';
import {
  adapterIn,
  filesOf,
  IDS,
  LIMIT,
  logits,
  openModel,
  parameters,
  peftSaves,
  rewritten,
  tensorsIn,
  tensorsOf,
  trained,
  tuned,
  withTokenizer,
} from './head-helpers';

beforeAll(() => tf.setBackend('cpu'));

const models = Object.keys(parameters);
const adapters = Object.keys(logits).filter((name) => name.includes('/'));

it.each(models)('%s computes what transformers computes', async (name) => {
  const { base } = await openModel(name);
  expect(relativeError(await textLogits(base, {}, IDS), Float32Array.from(logits[name]!))).toBeLessThan(LIMIT);
});

describe.each(adapters)('%s, saved by PEFT', (name) => {
  const model = name.slice(0, name.indexOf('/'));

  it('computes what PEFT computes, also merged and exported again', async () => {
    const loaded = await openModel(model);
    const opened = await openAdapter(loaded.base, adapterIn(name));
    const expected = Float32Array.from(logits[name]!);
    expect(relativeError(await tuned(opened), expected)).toBeLessThan(LIMIT);

    const files = await adapterFiles(opened, { name: 'tiny', revision: null });
    const config = JSON.parse(new TextDecoder().decode(files[0]!.bytes)) as { modules_to_save: string[] };
    const stored = [...tensorsIn(files[1]!.bytes).keys()].map((key) => key.replace('base_model.model.', ''));
    const saved = stored.filter((key) => !/\.lora_[AB]\.weight$/.test(key)).sort();
    expect(saved).toEqual(peftSaves(model, config.modules_to_save));
    const again = await openAdapter(loaded.base, files);
    expect(relativeError(await tuned(again), expected)).toBeLessThan(LIMIT);

    const merged = await mergedFiles(opened, loaded.checked);
    const reopened = await openFolder(merged);
    expect(relativeError(await textLogits(reopened.base, {}, IDS), expected)).toBeLessThan(LIMIT);
    const { maxLogitDifference } = await proveModel({ ...opened, checked: loaded.checked }, withTokenizer(merged), {
      texts: [IDS],
      tolerance: { logits: 1e-3 },
    });
    expect(maxLogitDifference).toBeLessThan(1e-4);
  });
});

describe('a tied model', () => {
  it.each(['llama-tied', 'gpt2-copy', 'gpt_neox-copy', 'bert-copy', 'distilbert-tied'])(
    '%s, trained in full: its file has one table, and no old copy',
    async (name) => {
      const loaded = await openModel(name);
      const opened = await trained(loaded, { type: 'full' });
      const merged = await mergedFiles(opened, loaded.checked);
      const tensors = await tensorsOf(merged['model.safetensors']);
      for (const { name: copy } of loaded.base.ties) expect(tensors.has(copy), copy).toBe(false);
      const reopened = await openFolder(merged);
      expect(relativeError(await textLogits(reopened.base, {}, IDS), await tuned(opened))).toBeLessThan(LIMIT);
    },
  );

  const EMBEDDINGS: Record<string, [embedding: string, output: string[]]> = {
    'llama-tied': ['embed_tokens', ['lm_head']],
    'gpt2-copy': ['wte', ['lm_head']],
    'gpt_neox-copy': ['embed_in', ['lm_head']],
    'bert-copy': ['word_embeddings', ['cls.predictions.decoder']],
    'distilbert-tied': ['word_embeddings', ['vocab_projector']],
  };

  it.each(Object.keys(EMBEDDINGS))('%s: a trained embedding is exported with the output projection', async (name) => {
    const [embedding, output] = EMBEDDINGS[name]!;
    const loaded = await openModel(name);
    const opened = await trained(loaded, { type: 'lora', modules_to_save: [embedding] });
    expect(opened.model.ties).toEqual(loaded.base.ties);
    expect(adapterNotes(opened, loaded.base)[0]).toMatch(/both were trained as one/);
    const files = await adapterFiles(opened, { name: 'tiny', revision: null });
    const config = JSON.parse(new TextDecoder().decode(files[0]!.bytes)) as { modules_to_save: string[] };
    expect(config.modules_to_save).toEqual([embedding, ...output]);
    const tensors = tensorsIn(files[1]!.bytes);
    const saved = [...tensors.keys()].filter((key) => !key.includes('lora_')).map((key) => key.slice(17));
    expect(saved.sort()).toEqual(peftSaves(name, config.modules_to_save));
    const again = await openAdapter(loaded.base, files);
    expect(relativeError(await tuned(again), await tuned(opened))).toBeLessThan(1e-6);
    // A decoder's adapter stays tied, so that going on with it trains both as one.
    if (loaded.checked.family.kind === 'decoder') expect(again.model.ties).toEqual(loaded.base.ties);
  });

  it('an adapter with one of the two says so, and its merge keeps both', async () => {
    const loaded = await openModel('llama-tied');
    for (const name of ['embedding', 'head', 'both']) {
      const opened = await openAdapter(loaded.base, adapterIn(`llama-tied/${name}`));
      expect(adapterNotes(opened, loaded.base)[0]).toMatch(/has the two apart/);
      const merged = await mergedFiles(opened, loaded.checked);
      expect(JSON.parse(await merged['config.json'].text()).tie_word_embeddings).toBe(false);
      expect([...(await tensorsOf(merged['model.safetensors'])).keys()]).toContain('lm_head.weight');
      opened.dispose();
    }
    const plain = await openAdapter(loaded.base, adapterIn('llama-tied/norms'));
    expect(adapterNotes(plain, loaded.base)).toEqual([]);
  });

  it('opening and closing an adapter that unties it leaves it as it was', async () => {
    const { base } = await openModel('bert-copy');
    const before = await textLogits(base, {}, IDS);
    const alive = tf.memory().numTensors;
    const opened = await openAdapter(base, adapterIn('bert-copy/predictions'));
    await tuned(opened);
    opened.dispose();
    expect(tf.memory().numTensors).toBe(alive);
    expect(await textLogits(base, {}, IDS)).toEqual(before);
  });
});

describe('an encoder’s projection', () => {
  it('may have a bias of its own beside a tied weight, which is kept apart', async () => {
    const files = filesOf('bert-copy');
    const tensors = await tensorsOf(files['model.safetensors']);
    tensors.delete('cls.predictions.decoder.weight');
    const bias = tensors.get('cls.predictions.decoder.bias')!;
    tensors.set('cls.predictions.decoder.bias', { ...bias, data: bias.data.map((value, i) => value + i / 100) });
    const loaded = await openFolder({ ...files, 'model.safetensors': rewritten(tensors) });
    // transformers 5 ties each of the two pairs by itself, so the logits move by what the bias moved.
    const expected = logits['bert-copy']!.map((value, i) => value + (i % bias.data.length) / 100);
    expect(loaded.checked.headApart).toBe(true);
    expect(relativeError(await textLogits(loaded.base, {}, IDS), Float32Array.from(expected))).toBeLessThan(LIMIT);
    const merged = await mergedFiles({ model: loaded.base, method: null }, loaded.checked);
    const again = await openFolder(merged);
    expect(relativeError(await textLogits(again.base, {}, IDS), Float32Array.from(expected))).toBeLessThan(LIMIT);
  });

  it('without a bias has that of the head, as older versions of transformers saved it', async () => {
    const files = filesOf('roberta-untied');
    const tensors = await tensorsOf(files['model.safetensors']);
    const bias = tensors.get('lm_head.decoder.bias')!;
    tensors.delete('lm_head.decoder.bias');
    tensors.set('lm_head.bias', bias);
    const loaded = await openFolder({ ...files, 'model.safetensors': rewritten(tensors) });
    const expected = Float32Array.from(logits['roberta-untied']!);
    expect(relativeError(await textLogits(loaded.base, {}, IDS), expected)).toBeLessThan(LIMIT);
    // transformers 5 no longer shares it, so a merge holds both.
    const merged = await tensorsOf(
      (await mergedFiles({ model: loaded.base, method: null }, loaded.checked))['model.safetensors'],
    );
    expect(merged.get('lm_head.decoder.bias')!.data).toEqual(bias.data);
  });
});

describe('what a merged file may not be', () => {
  async function llama(method: Record<string, unknown> = { type: 'full' }) {
    const loaded = await openModel('llama-tied');
    const opened = await trained(loaded, method);
    const merged = { model: opened.model, method: opened.method, checked: loaded.checked };
    return { merged, files: await mergedFiles(opened, loaded.checked), loaded };
  }
  const check = ({ merged, files }: Awaited<ReturnType<typeof llama>>, change: Partial<Files>) =>
    proveModel(merged, withTokenizer({ ...files, ...change }), { texts: [IDS], tolerance: { logits: 1e-3 } });

  it('one with an old copy of the output projection', async () => {
    const all = await llama();
    const tensors = await tensorsOf(all.files['model.safetensors']);
    const old = await tensorsOf(filesOf('llama-tied')['model.safetensors']);
    tensors.set('lm_head.weight', old.get('model.embed_tokens.weight')!);
    await expect(check(all, { 'model.safetensors': rewritten(tensors) })).rejects.toMatchObject({
      code: 'bad_model',
      message: expect.stringMatching(/would not be read as the model that was trained/),
    });
    // A copy as trained is none: transformers ties the two.
    tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight')!);
    expect((await check(all, { 'model.safetensors': rewritten(tensors) })).maxLogitDifference).toBeLessThan(1e-5);
  });

  it('one whose config.json ties what was trained apart, without the output projection', async () => {
    const all = await llama({ type: 'lora', modules_to_save: ['lm_head'] });
    const config = JSON.parse(await all.files['config.json'].text());
    const tensors = await tensorsOf(all.files['model.safetensors']);
    tensors.delete('lm_head.weight');
    const change = {
      'config.json': new Blob([JSON.stringify({ ...config, tie_word_embeddings: true })]),
      'model.safetensors': rewritten(tensors),
    };
    await expect(check(all, change)).rejects.toMatchObject({
      code: 'bad_model',
      details: expect.stringMatching(/ties/),
    });
  });

  it('one with other values, or a tensor too few', async () => {
    const all = await llama();
    const tensors = await tensorsOf(all.files['model.safetensors']);
    const norm = tensors.get('model.norm.weight')!;
    tensors.set('model.norm.weight', { ...norm, data: norm.data.map((value) => value * 1.1) });
    await expect(check(all, { 'model.safetensors': rewritten(tensors) })).rejects.toThrow(/a logit differs by/);
    tensors.delete('model.norm.weight');
    await expect(check(all, { 'model.safetensors': rewritten(tensors) })).rejects.toMatchObject({ code: 'bad_model' });
  });

  it.each([
    [Number.NaN, 'F32', /hold NaN/],
    [Number.NEGATIVE_INFINITY, 'BF16', /hold -Infinity/],
    [70_000, 'F16', /holds 7\.00e\+4, beyond float16’s largest number, 65,504/],
    // Rounds to infinity, though it is below 65,536.
    [65_520, 'F16', /beyond float16/],
    [3.4e38, 'BF16', /beyond bfloat16/],
  ] as const)('one with %s in %s', async (value, dtype, message) => {
    const files = filesOf('llama-tied');
    const tensors = await tensorsOf(files['model.safetensors']);
    const name = 'model.layers.0.mlp.up_proj.weight';
    const { data } = tensors.get(name)!;
    data[7] = value;
    const loaded = await openFolder({ ...files, 'model.safetensors': rewritten(tensors) });
    const merging = mergedFiles({ model: loaded.base, method: null }, loaded.checked, dtype);
    await expect(merging).rejects.toMatchObject({
      code: 'bad_model',
      where: name,
      message: expect.stringMatching(message),
    });
  });

  it('65,519 is the largest that rounds to a number of float16', async () => {
    const files = filesOf('llama-tied');
    const tensors = await tensorsOf(files['model.safetensors']);
    tensors.get('model.layers.0.mlp.up_proj.weight')!.data[7] = 65_519;
    const loaded = await openFolder({ ...files, 'model.safetensors': rewritten(tensors) });
    await expect(mergedFiles({ model: loaded.base, method: null }, loaded.checked, 'F16')).resolves.toBeDefined();
  });
});
