/** How well the built-in model predicts text like its training data, through the same code path as a run. */
import { readFile } from 'node:fs/promises';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { loadModel } from '../../../src/engine/models';
import { baseTextLoss, baseTextOf } from '../../../src/engine/run/base-text';
import { createDataApi } from '../../../src/workers/data/service';
import { baseTextBatches } from '../../../src/workers/engine/measure';
import { fixtureTensors } from '../../fixture-files';
import { STORIES, tokenizerFiles } from '../data/helpers';

/** From PyTorch (transformers' LlamaForCausalLM in float32): mean over 120 tokens of the first four documents. */
const LOSS_OF_FOUR = 0.478883;

test('the loss on base text matches transformers', async () => {
  await tf.setBackend('cpu');
  const data = createDataApi();
  data.openTokenizer(tokenizerFiles(STORIES));
  const file = new Uint8Array(await readFile('public/datasets/base-text.jsonl')).buffer;
  // A quarter of the 16 pieces is measured.
  const pieces = data.tokenizeBaseText('base-text.jsonl', file, 512).slice(0, 16);
  const { source } = await fixtureTensors(`../../${STORIES}/model.safetensors`);
  const model = await loadModel(JSON.parse(await readFile(`${STORIES}/config.json`, 'utf8')), source);
  try {
    const base = baseTextOf(model, { maskTokenId: null }, baseTextBatches(pieces, 0))!;
    expect(base.measured).toHaveLength(4);
    expect(base.learned).toHaveLength(12);
    expect(base.measured.reduce((sum, { targetCount }) => sum + targetCount, 0)).toBe(120);
    const loss = (await baseTextLoss(model, null, base))!;
    expect(Math.abs(loss - LOSS_OF_FOUR) / LOSS_OF_FOUR).toBeLessThan(1e-4);
  } finally {
    model.dispose();
  }
});
