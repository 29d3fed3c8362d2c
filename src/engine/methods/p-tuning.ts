/**
 * P-tuning (Liu et al., 2021) as defined by PEFT's `PromptEncoderConfig` with its MLP: prompt tuning with embeddings produced by a
 * small network,
 *
 *   Linear(d, h), ReLU, Linear(h, h), ReLU, Linear(h, d)    on an embedding [P, d]
 *
 * As in PEFT, only the network's output is saved. A run that continues from a saved prompt therefore trains the embeddings
 * directly, without a network.
 */
import type { PTuningMethod } from '../../methods/p-tuning';
import type { LanguageModel } from '../models/model';
import type { Method, MethodTwin } from './method';
import { promptNetwork } from './prompt-network';
import { createPromptTuning, PROMPT_EMBEDDINGS, promptMethod } from './prompt-tuning';
import { type NamedTensors, tensorMaker } from './tensors';

export type PTuningSettings = Pick<PTuningMethod, 'num_virtual_tokens' | 'encoder_hidden_size'>;

export function createPTuning(
  model: LanguageModel,
  settings: PTuningSettings,
  seed: number,
  values?: NamedTensors,
): Method {
  const { num_virtual_tokens: rows, encoder_hidden_size } = settings;
  if (values?.has(PROMPT_EMBEDDINGS)) {
    return createPromptTuning(model, { num_virtual_tokens: rows, prompt_tuning_init: 'RANDOM' }, seed, values);
  }
  const d = model.hiddenSize;
  const inner = encoder_hidden_size ?? d;
  const maker = tensorMaker(values);
  try {
    const network = promptNetwork(
      { rows, widths: [d, inner, inner, d], name: 'mlp_head', between: 'relu' },
      seed,
      maker,
    );
    maker.finish();
    return promptMethod(rows, network.trainable, network.run, maker.dispose);
  } catch (error) {
    maker.dispose();
    throw error;
  }
}

export const pTuning: MethodTwin<PTuningMethod> = {
  type: 'p_tuning',
  create: (model, section, { seed, values }) => createPTuning(model, section, seed, values),
};
