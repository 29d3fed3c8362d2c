/** A case of tests/fixtures/prompts: its model, and its virtual tokens as a method. */

import type { Method } from '../../src/engine/methods/method';
import { createPTuning } from '../../src/engine/methods/p-tuning';
import { createPrefixTuning } from '../../src/engine/methods/prefix-tuning';
import { createPromptTuning, PROMPT_EMBEDDINGS } from '../../src/engine/methods/prompt-tuning';
import type { NamedTensors } from '../../src/engine/methods/tensors';
import { loadModel } from '../../src/engine/models';
import type { LanguageModel } from '../../src/engine/models/model';
import type { TrainingSection } from '../../src/recipe/types';
import { fixtureJson, fixtureTensors } from '../fixture-files';

export interface BatchJson {
  input_ids: number[][];
  labels: number[][];
  lengths: number[];
  token_type_ids?: number[][];
}

export interface ExpectedVirtual {
  loss: number;
  target_tokens: number;
  greedy: { prompt: number[]; tokens: number[] };
  /** Ids of the texts that virtual tokens are initialised from, by the number of virtual tokens. */
  text?: Record<string, number[]>;
  /** Ids of a text whose keys and values are known. */
  cached?: number[];
  training?: Partial<TrainingSection>;
  steps?: { loss: number; grad_norm: number; learning_rate: number }[];
}

interface PeftConfig {
  peft_type: 'PROMPT_TUNING' | 'P_TUNING' | 'PREFIX_TUNING';
  task_type: 'CAUSAL_LM' | 'FEATURE_EXTRACTION' | 'SEQ_CLS';
  num_virtual_tokens: number;
  encoder_hidden_size?: number;
  prefix_projection?: boolean;
}

export interface VirtualCase {
  /** Folder of the model, its batch and its training data. */
  base: string;
  config: PeftConfig;
  model: LanguageModel;
  json: BatchJson;
  expected: ExpectedVirtual;
  tensors: Awaited<ReturnType<typeof fixtureTensors>>;
  /** Virtual tokens with the fixture's values: of the network that produces them, if there is one, or as PEFT saved them. */
  method(as?: 'network' | 'saved'): Promise<Method>;
}

export async function openVirtualCase(name: string): Promise<VirtualCase> {
  const folder = `prompts/${name}`;
  const meta = await fixtureJson<{ cases: Record<string, { base: string }> }>('prompts/meta.json');
  const { base } = meta.cases[name]!;
  const config = await fixtureJson<PeftConfig>(`${folder}/adapter_config.json`);
  const model = await loadModel(
    await fixtureJson<Record<string, unknown>>(`${base}/config.json`),
    (await fixtureTensors(`${base}/model.safetensors`)).source,
  );
  const tensors = await fixtureTensors(`${folder}/expected.safetensors`);
  const saved = await fixtureTensors(`${folder}/adapter_model.safetensors`);
  const initial = tensors.names.filter((n) => n.startsWith('initial.'));
  return {
    base,
    config,
    model,
    json: await fixtureJson(`${base}/batch.json`),
    expected: await fixtureJson(`${folder}/expected.json`),
    tensors,
    method: async (as = 'network') => {
      const values: NamedTensors =
        as === 'network' && initial.length > 0
          ? new Map(initial.map((n) => [n.slice(8), { shape: tensors.shape(n), data: tensors.floats(n) }]))
          : new Map([
              [PROMPT_EMBEDDINGS, { shape: saved.shape(PROMPT_EMBEDDINGS), data: saved.floats(PROMPT_EMBEDDINGS) }],
            ]);
      return createVirtual(config, model, values);
    },
  };
}

function createVirtual(c: PeftConfig, model: LanguageModel, values: NamedTensors): Method {
  const encoder_hidden_size = c.encoder_hidden_size ?? null;
  const { num_virtual_tokens, prefix_projection = false } = c;
  switch (c.peft_type) {
    case 'PROMPT_TUNING':
      return createPromptTuning(model, { num_virtual_tokens, prompt_tuning_init: 'RANDOM' }, 0, values);
    case 'P_TUNING':
      return createPTuning(model, { num_virtual_tokens, encoder_hidden_size }, 0, values);
    case 'PREFIX_TUNING':
      return createPrefixTuning(model, { num_virtual_tokens, prefix_projection, encoder_hidden_size }, 0, values);
  }
}
