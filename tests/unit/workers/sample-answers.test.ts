import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { generate } from '../../../src/engine/generation/generate';
import { SAMPLE_TOKENS } from '../../../src/engine/generation/options';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { inference } from '../../../src/engine/methods/method';
import { SampleAnswers } from '../../../src/workers/engine/sample-answers';
import { openAdapter } from '../../parity/adapter';
import { tinyModel } from '../../parity/tiny-run';

test('answers are those of each prompt alone, without the stop token that ends them', async () => {
  await tf.setBackend('cpu');
  const model = await tinyModel('gqa-tied');
  const method = await openAdapter('llama/gqa-tied/adapter_init', model);
  const prompts = [[3, 4, 5, 6, 7, 8], [9], [2, 1, 11]].map((ids) => Int32Array.from(ids));
  const alone = (prompt: Int32Array, strength: number, stopTokenIds: number[]) => {
    const options = { temperature: 0, topP: 1, seed: 1, maxNewTokens: SAMPLE_TOKENS, stopTokenIds };
    return generate(model, method.hooks(inference(strength)), prompt, options);
  };
  const whole = await alone(prompts[1]!, 1, []);
  const stopTokenIds = [whole[4]!];
  let stop = false;
  const answers = new SampleAnswers({ model, method } as ConstructorParameters<typeof SampleAnswers>[0], {
    ...{ prompts, stopTokenIds, seed: 1 },
    stopped: () => stop,
  });
  const both = await answers.take(false);
  for (const [i, prompt] of prompts.entries()) {
    expect(both!.base[i]).toEqual(await alone(prompt, 0, stopTokenIds));
    expect(both!.tuned[i]).toEqual(await alone(prompt, 1, stopTokenIds));
  }
  expect(both!.tuned[1]!.length).toBeLessThan(SAMPLE_TOKENS);
  const again = await answers.take(true);
  expect(again!.tuned).toEqual(both!.base);
  stop = true;
  expect(await answers.take(false)).toBeNull();
  method.dispose();
  model.dispose();
  disposeInputs();
});
