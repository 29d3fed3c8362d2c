/** modules_to_save, by PEFT's own rule (peft/utils/other.py, _set_trainable). */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../../src/formats/safetensors';
import { adapterFiles } from '../../../src/workers/engine/adapter-files';
import { openAdapter } from '../../../src/workers/engine/adapters';
import { relativeError } from '../../fixture-files';
import { adapterIn, LIMIT, logits, openModel, peftSaves, tensorsIn, trained, tuned } from './head-helpers';

beforeAll(() => tf.setBackend('cpu'));

describe('modules_to_save', () => {
  const naming = async (model: string, names: string[], method: Record<string, unknown> = {}) => {
    const loaded = await openModel(model);
    const opened = await trained(loaded, { type: 'lora', modules_to_save: names, ...method });
    return [...opened.method.trainable.keys()].filter((name) => !name.includes('.lora_')).sort();
  };

  it.each([
    [
      'llama-tied',
      ['norm'],
      ['model.layers.0.input_layernorm.weight', 'model.layers.0.post_attention_layernorm.weight', 'model.norm.weight'],
    ],
    ['llama-tied', ['model.norm'], ['model.norm.weight']],
    ['llama-tied', ['attention_layernorm'], ['model.layers.0.post_attention_layernorm.weight']],
    ['llama-tied', ['head'], ['lm_head.weight']],
    ['gpt_neox-untied', ['embed_out'], ['embed_out.weight']],
    ['gpt_neox-untied', ['lm_head'], ['embed_out.weight']],
    [
      'bert-copy',
      ['transform.LayerNorm'],
      ['cls.predictions.transform.LayerNorm.bias', 'cls.predictions.transform.LayerNorm.weight'],
    ],
    ['bert-copy', ['decoder'], ['cls.predictions.decoder.bias', 'cls.predictions.decoder.weight']],
  ])('of %s, %j stands for what PEFT takes it for', async (model, names, expected) => {
    expect(await naming(model, names)).toEqual(expected);
    if (!model.startsWith('gpt_neox')) expect(peftSaves(model, names)).toEqual(expected);
  });

  it('refuses what PEFT could not save: its own modules, and modules that have an adapter', async () => {
    for (const name of ['model', 'layer', 'dropout', 'A', 'e_model']) {
      await expect(naming('llama-tied', [name])).rejects.toThrow(/PEFT's own/);
    }
    await expect(naming('llama-tied', ['mlp'])).rejects.toThrow(/cannot have an adapter as well/);
    await expect(naming('llama-tied', ['down_proj'])).rejects.toThrow(/cannot have an adapter as well/);
    expect(await naming('llama-tied', ['down_proj'], { target_modules: ['q_proj'] })).toHaveLength(1);
    await expect(naming('llama-tied', ['wte'])).rejects.toThrow(/no module named wte/);
  });

  const change = (name: string, to: { names?: string[]; drop?: string[] }) => {
    const [config, weights] = adapterIn(name) as [
      { path: string; bytes: Uint8Array },
      { path: string; bytes: Uint8Array },
    ];
    const json = JSON.parse(new TextDecoder().decode(config.bytes));
    const tensors = tensorsIn(weights.bytes);
    for (const key of to.drop ?? []) if (!tensors.delete(`base_model.model.${key}`)) throw new Error(key);
    return [
      {
        ...config,
        bytes: new TextEncoder().encode(JSON.stringify({ ...json, modules_to_save: to.names ?? json.modules_to_save })),
      },
      {
        ...weights,
        bytes: writeSafetensors(
          [...tensors].map(([key, t]) => ({ name: key, dtype: 'F32', shape: t.shape, data: t.data })),
        ),
      },
    ];
  };

  it('a file that lacks one of their tensors is refused, but for those that Tabtune once wrote', async () => {
    const { base } = await openModel('llama-tied');
    const drop = ['model.layers.0.input_layernorm.weight', 'model.layers.0.post_attention_layernorm.weight'];
    await expect(openAdapter(base, change('llama-tied/norms', { drop: drop.slice(0, 1) }))).rejects.toMatchObject({
      code: 'bad_adapter',
      where: expect.stringMatching(/input_layernorm\.weight$/),
    });
    const old = await openAdapter(base, change('llama-tied/norms', { names: ['norm'], drop }));
    expect([...old.method.trainable.keys()]).toContain('model.norm.weight');
    expect([...old.method.trainable.keys()]).not.toContain(drop[0]);
    const [config] = await adapterFiles(old, { name: 'tiny', revision: null });
    expect(JSON.parse(new TextDecoder().decode(config!.bytes)).modules_to_save).toEqual(['model.norm']);
  });

  it('names that stand for nothing in the model are passed over, as PEFT does', async () => {
    const { base } = await openModel('llama-tied');
    const opened = await openAdapter(
      base,
      change('llama-tied/norms', { names: ['input_layernorm', 'norm', 'wte', 'score'] }),
    );
    expect(relativeError(await tuned(opened), Float32Array.from(logits['llama-tied/norms']!))).toBeLessThan(LIMIT);
  });
});
