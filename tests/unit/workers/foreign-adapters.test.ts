/** Adapters that were made elsewhere, or for another model, on the tiny Llama of tests/fixtures/llama/gqa-tied. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { textLogits } from '../../../src/engine/generation/generate';
import { inference } from '../../../src/engine/methods/method';
import { loadModel } from '../../../src/engine/models';
import type { LanguageModel } from '../../../src/engine/models/model';
import type { AdapterFiles } from '../../../src/formats/adapter-format';
import { openAdapter } from '../../../src/workers/engine/adapters';
import { fixtureBytes, fixtureJson, fixtureTensors } from '../../fixture-files';
import { asSaved, respelledFiles } from '../../interop/respelled';
import { OPENED, REFUSED } from '../../interop/spellings';

const IDS = Int32Array.of(3, 9, 4, 17, 2, 30);
let model: LanguageModel;

beforeAll(async () => {
  await tf.setBackend('cpu');
  const { source } = await fixtureTensors('llama/gqa-tied/model.safetensors');
  model = await loadModel(await fixtureJson('llama/gqa-tied/config.json'), source);
});
afterAll(() => model.dispose());

async function logits(files: AdapterFiles): Promise<Float32Array> {
  const open = await openAdapter(model, files);
  const values = await textLogits(open.model, open.method.hooks(inference()), IDS);
  open.dispose();
  return values;
}

async function refusal(files: AdapterFiles): Promise<TabtuneError> {
  const error = await openAdapter(model, files).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(TabtuneError);
  const { code, message, action } = error as TabtuneError;
  expect(code).toBe('bad_adapter');
  // The words of recipes would help nobody who opens a file.
  expect(`${message} ${action}`).not.toMatch(/all-linear|recipe|method\.|Train a new/);
  return error as TabtuneError;
}

/** Those that were made for this very model. */
const onLlama = (folder: string) => folder.startsWith('peft/llama-');

describe.each(OPENED)('$name', (spelling) => {
  it.each(spelling.fixtures.filter(onLlama))('of %s opens with the logits of PEFT’s own spelling', async (folder) => {
    const own = await logits(await respelledFiles(folder, { rename: asSaved }));
    expect(await logits(await respelledFiles(folder, spelling))).toEqual(own);
  });
});

describe.each(REFUSED.filter(({ onModel }) => onModel))('$name', (spelling) => {
  it.each(spelling.fixtures)('of %s is refused with the key and the model that it was made for', async (folder) => {
    const { message, where, action } = await refusal(await respelledFiles(folder, spelling));
    expect(message).toMatch(spelling.says!);
    expect(message).toContain('a llama with 2 layers');
    expect(where).toMatch(/^adapter_model\.safetensors, tensor base_model\.model\./);
    expect(action).toContain('tiny-random-gqa-tied');
  });
});

const folderFiles = async (folder: string, ...names: string[]): Promise<AdapterFiles> =>
  Promise.all(names.map(async (path) => ({ path, bytes: await fixtureBytes(`${folder}/${path}`) })));
const peftFiles = (folder: string) => folderFiles(folder, 'adapter_config.json', 'adapter_model.safetensors');
const hubFiles = (folder: string) => folderFiles(folder, 'adapter_config.json', 'adapter.safetensors');

describe('another model’s adapter', () => {
  // Each made for the model that its config names (tests/oracle/make_peft_fixtures.py and its kin).
  it.each([
    ['a GPT-2’s DoRA', () => peftFiles('peft/gpt2-dora/adapter_init'), /None of the 8 modules .*\.c_attn and others/],
    ['a GPT-2’s (IA)³', () => peftFiles('peft/gpt2-ia3/adapter_init'), /None of the 4 modules/],
    [
      'a BERT’s DoRA',
      () => peftFiles('peft/bert-dora/adapter_init'),
      /None of the \d+ modules .* bert\.encoder.* and others/,
    ],
    ['a LoRA on the head', () => peftFiles('families/roberta/adapter'), /not in this model|None of the/],
    ['a BERT’s prompt', () => peftFiles('prompts/bert-prompt'), /shape/],
    ['a GPT-2’s prefix', () => peftFiles('prompts/gpt2-prefix'), /shape/],
    ['a GPT-2’s bottlenecks', () => hubFiles('bottleneck/gpt2-single'), /None of the \d+ modules/],
    ['a BERT’s bottlenecks', () => hubFiles('bottleneck/bert-double'), /None of the \d+ modules/],
  ])('(%s) is refused', async (_name, files, says) => {
    const { message, action } = await refusal(await files());
    expect(message).toMatch(says);
    expect(action).toMatch(/^Open the model that it was made for/);
  });

  it('of other widths is refused with both', async () => {
    const wide = await respelledFiles('peft/llama-ia3/adapter_init', {
      // k_proj's factors on q_proj, whose outputs are more.
      rename: (keys) =>
        keys
          .filter((key) => key.includes('k_proj'))
          .map((key) => ({ key: key.replace('k_proj', 'q_proj'), from: key })),
      config: { target_modules: ['q_proj'], feedforward_modules: [] },
    });
    const { message, where } = await refusal(wide);
    expect(message).toMatch(/made for a .*q_proj of \d+ outputs; this model’s has/);
    expect(where).toContain('q_proj.ia3_l');
  });

  it('that holds a module in full which the model lacks is refused; the name alone is nothing, as in PEFT', async () => {
    const config = { modules_to_save: ['vision_tower', 'norm_f'] };
    for (const path of ['vision_tower.proj', 'model.layers.0.norm_f']) {
      const files = await respelledFiles('peft/llama-loraplus/adapter_init', {
        rename: (keys) => [
          ...keys.map((key) => ({ key, from: key })),
          { key: `base_model.model.${path}.weight`, from: keys[0]! },
        ],
        config,
      });
      const { message, where, action } = await refusal(files);
      expect(message).toContain(`does not have: ${path}.`);
      expect(where).toBe('adapter_config.json, modules_to_save');
      expect(action).toMatch(/^Open the model that it was made for/);
    }
    const named = await respelledFiles('peft/llama-loraplus/adapter_init', { rename: asSaved, config });
    const own = await respelledFiles('peft/llama-loraplus/adapter_init', { rename: asSaved });
    expect(await logits(named)).toEqual(await logits(own));
  });
});
