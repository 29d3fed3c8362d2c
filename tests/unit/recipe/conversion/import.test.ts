import { describe, expect, test } from 'vitest';
import { TabtuneError } from '../../../../src/base/errors';
import { importConfig, isConfig } from '../../../../src/recipe/conversion/import';
import { checkRecipe, fill } from '../../../../src/recipe/defaults';
import type { RecipeInput } from '../../../../src/recipe/types';

const AXOLOTL = `
base_model: NousResearch/Llama-3.2-1B
# push to hub
hub_model_id: someone/mine

datasets:
  - path: teknium/GPT4-LLM-Cleaned
    type: alpaca
val_set_size: 0.05
output_dir: ./outputs/lora-out/

adapter: qlora
load_in_4bit: true
lora_r: 32
lora_alpha: 16
lora_dropout: 0.05
lora_target_linear: yes

sequence_len: 2048
sample_packing: true
gradient_accumulation_steps: 4
micro_batch_size: 2
num_epochs: 4
optimizer: paged_adamw_8bit
lr_scheduler: cosine
learning_rate: "2e-4"
warmup_steps: 10
evals_per_epoch: 4
bf16: auto
tf32: false
wandb_project:
flash_attention: true
sparkle: 3
`;

const LLAMA_FACTORY = `
### model
model_name_or_path: Qwen/Qwen3-4B
trust_remote_code: true
### method
stage: dpo
do_train: true
finetuning_type: lora
lora_rank: 8
lora_target: q_proj,v_proj
pref_beta: 0.1
pref_loss: simpo
simpo_gamma: 1.2
### dataset
dataset: dpo_en_demo
template: qwen3
cutoff_len: 2048
max_samples: 1000
preprocessing_num_workers: 16
### train
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 5.0e-6
num_train_epochs: 3.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
bf16: true
`;

const TRL = `
model_name_or_path: mistralai/Mistral-7B-v0.1
model_revision: main
torch_dtype: bfloat16
use_peft: true
lora_r: 16
lora_alpha: 16
lora_target_modules:
- q_proj
- v_proj
load_in_4bit: true
dataset_name: HuggingFaceH4/ultrafeedback_binarized
bf16: true
beta: 0.01
learning_rate: 5.0e-6
max_length: 1024
max_prompt_length: 512
per_device_train_batch_size: 4
warmup_ratio: 0.1
lr_scheduler_type: cosine
output_dir: data/zephyr-7b-dpo-qlora
`;

const PEFT = {
  base_model_name_or_path: 'org/base',
  bias: 'none',
  fan_in_fan_out: false,
  inference_mode: true,
  init_lora_weights: true,
  layers_to_transform: null,
  lora_alpha: 64,
  lora_dropout: 0.1,
  peft_type: 'LORA',
  r: 32,
  rank_pattern: { 'layers.0.self_attn.q_proj': 8 },
  target_modules: ['v_proj', 'q_proj'],
  task_type: 'CAUSAL_LM',
  use_dora: false,
  use_rslora: true,
};

const section = (input: RecipeInput, name: 'method' | 'training' | 'dataset' | 'model' | 'objective') =>
  input[name] as Record<string, unknown>;

describe('Axolotl', () => {
  const { from, input, taken, assumed, left } = importConfig(AXOLOTL, 'lora.yml');
  const why = (field: string) => left.find((one) => one.field === field)?.why;

  test('its settings become fields, whatever they are called and however they are written', () => {
    expect(from).toBe('Axolotl');
    expect(input.name).toBe('lora-out');
    expect(input.model).toEqual({ source: 'hf:NousResearch/Llama-3.2-1B', quantization: 'nf4' });
    expect(input.method).toEqual({
      ...{ type: 'lora', r: 32, lora_alpha: 16, lora_dropout: 0.05, target_modules: 'all-linear' },
    });
    expect(input.dataset).toEqual({ validation_split: 0.05, max_length: 2048, packing: true });
    expect(section(input, 'training')).toMatchObject({
      ...{ learning_rate: 2e-4, optim: 'adamw_8bit', num_train_epochs: 4, per_device_train_batch_size: 2 },
    });
    expect(checkRecipe(input).problems).toEqual([]);
  });

  test('each setting that was taken says which field it became', () => {
    expect(taken).toContainEqual({
      ...{ field: 'micro_batch_size', value: 2, path: 'training.per_device_train_batch_size', as: 2 },
    });
    expect(taken).toContainEqual({ field: 'learning_rate', value: '2e-4', path: 'training.learning_rate', as: 2e-4 });
    expect(taken).toContainEqual({ field: 'adapter', value: 'qlora', path: 'method.type', as: 'lora' });
  });

  test('the rest is listed, each with a reason', () => {
    expect(why('warmup_steps')).toMatch(/number of steps, and here it is a share/);
    expect(why('datasets')).toMatch(/Data page/);
    expect(why('bf16')).toMatch(/Precision/);
    expect(why('hub_model_id')).toMatch(/uploaded/);
    expect(why('flash_attention')).toMatch(/kernels/);
    expect(why('evals_per_epoch')).toMatch(/Evaluation/);
    expect(why('sparkle')).toBe('Tabtune has no such setting.');
    // Nothing is lost with what is off.
    expect(left.map(({ field }) => field)).not.toContain('tf32');
    expect(left.map(({ field }) => field)).not.toContain('wandb_project');
  });

  test('no setting is both taken and left, and none is forgotten', () => {
    const fields = [...taken, ...left].map(({ field }) => field);
    expect(new Set(fields).size).toBe(fields.length);
    const keys = AXOLOTL.match(/^\w+(?=:)/gm)!.filter((key) => !['tf32', 'wandb_project'].includes(key));
    expect(fields.sort()).toEqual(keys.sort());
  });

  test('where the file says nothing, the recipe has Axolotl’s default and not ours', () => {
    expect(assumed).toContainEqual({ path: 'training.weight_decay', as: 0 });
    expect(section(input, 'training').weight_decay).toBe(0);
    expect(assumed.map(({ path }) => path)).not.toContain('training.warmup_ratio');
  });

  test.each([
    ['rl: dpo\ndpo_loss_type: [ipo, sft]\nrl_beta: 0.3', { type: 'dpo', loss_type: ['ipo', 'sft'], beta: 0.3 }],
    ['rl: ipo', { type: 'dpo', loss_type: ['ipo'] }],
    ['rl: kto\nkto_desirable_weight: 0.2', { type: 'kto', desirable_weight: 0.2 }],
    ['rl: orpo\norpo_alpha: 0.2', { type: 'orpo', beta: 0.2 }],
    ['rl: simpo\nsimpo_gamma: 0.7\nrl_beta: 1.5', { type: 'cpo', loss_type: 'simpo', beta: 1.5, simpo_gamma: 0.7 }],
    ['reward_model: true', { type: 'reward' }],
    ['datasets:\n  - path: x\n    type: completion', { type: 'pretraining' }],
    [
      'rl: grpo\ntrl:\n  num_generations: 4\n  reward_funcs: [rewards.a]\n  scale_rewards: false',
      { type: 'grpo', num_generations: 4, scale_rewards: 'none' },
    ],
  ])('%s', (text, objective) => {
    const read = importConfig(`base_model: a/b\nsequence_len: 512\n${text}`);
    expect(read.input.objective).toMatchObject(objective);
  });

  test('a method or an objective that Tabtune has not is left out, and says so', () => {
    const read = importConfig('base_model: a/b\nsequence_len: 512\nrl: ebft\nadapter: llama-adapter');
    expect(read.input.objective).toBeUndefined();
    expect(read.left).toContainEqual({
      ...{ field: 'rl', value: 'ebft', why: 'Tabtune has no such objective: choose one on the Recipe page.' },
    });
    expect(read.left).toContainEqual({
      ...{
        field: 'adapter',
        value: 'llama-adapter',
        why: 'Tabtune has no such method: choose one on the Recipe page.',
      },
    });
  });
});

describe('LLaMA-Factory', () => {
  const { from, input, assumed, left } = importConfig(LLAMA_FACTORY);

  test('stage and loss are the objective; alpha is twice the rank', () => {
    expect(from).toBe('LLaMA-Factory');
    expect(input.objective).toMatchObject({ type: 'cpo', loss_type: 'simpo', beta: 0.1, simpo_gamma: 1.2 });
    expect(input.method).toMatchObject({ type: 'lora', r: 8, lora_alpha: 16, target_modules: ['q_proj', 'v_proj'] });
    expect(input.dataset).toMatchObject({ max_length: 2048, max_samples: 1000 });
    expect(section(input, 'training')).toMatchObject({ learning_rate: 5e-6, warmup_ratio: 0.1 });
    expect(assumed).toContainEqual({ path: 'training.gradient_checkpointing', as: true });
    // Copying is off in its SimPO, as it is in ours.
    expect(fill(input).objective).toMatchObject({ cpo_alpha: 0 });
    expect(left.find(({ field }) => field === 'template')?.why).toMatch(/chat template/);
  });

  test('packed rows have one token less than the file says', () => {
    const read = importConfig('stage: sft\nfinetuning_type: full\ncutoff_len: 1024\nneat_packing: true');
    expect(read.input.dataset).toMatchObject({ max_length: 1023, packing: true });
    expect(read.input.method).toEqual({ type: 'full' });
  });
});

describe('TRL', () => {
  test('which of its trainers is meant is found by its settings, or by the file’s name', () => {
    const read = importConfig(TRL, 'config_qlora.yaml');
    expect(read.from).toBe('TRL');
    expect(read.input.objective).toMatchObject({ type: 'dpo', beta: 0.01 });
    expect(read.input.model).toEqual({ source: 'hf:mistralai/Mistral-7B-v0.1', quantization: 'nf4' });
    expect(read.left.find(({ field }) => field === 'max_prompt_length')?.why).toMatch(/no limit of its own/);
    const plain = 'model_name_or_path: a/b\nlearning_rate: 1.0e-5\nmax_length: 512';
    expect(importConfig(plain, 'config.yaml').input.objective).toMatchObject({ type: 'sft' });
    expect(importConfig(plain, 'orpo/config.yaml').input.objective).toMatchObject({ type: 'orpo' });
  });

  test('transformers’ training arguments as JSON', () => {
    const args = { output_dir: 'out', learning_rate: '5e-05', num_train_epochs: 2, warmup_steps: 0.1, fp16: false };
    const read = importConfig(JSON.stringify({ ...args, lr_scheduler_type: 'linear', save_strategy: 'epoch' }));
    expect(section(read.input, 'training')).toMatchObject({ learning_rate: 5e-5, warmup_ratio: 0.1 });
    expect(read.left.find(({ field }) => field === 'save_strategy')?.why).toMatch(/once an epoch/);
    expect(section(read.input, 'training')).toMatchObject({ fp16: false });
    expect(section(importConfig(JSON.stringify({ ...args, fp16: true })).input, 'training')).toMatchObject({
      fp16: true,
    });
  });
});

describe('PEFT', () => {
  test('adapter_config.json is a method', () => {
    const read = importConfig(JSON.stringify(PEFT), 'adapter_config.json');
    expect(read.from).toBe('PEFT');
    expect(read.input.method).toEqual({
      ...{ type: 'lora', r: 32, lora_alpha: 64, lora_dropout: 0.1, target_modules: ['v_proj', 'q_proj'] },
      ...{ use_rslora: true, use_dora: false, init_lora_weights: 'default' },
      rank_pattern: { 'layers.0.self_attn.q_proj': 8 },
    });
    expect(read.input.model).toEqual({ source: 'hf:org/base' });
    expect(read.input.training).toBeUndefined();
  });

  test.each([
    [{ peft_type: 'IA3', target_modules: ['k_proj'], feedforward_modules: [] }, { type: 'ia3' }],
    [
      { peft_type: 'PREFIX_TUNING', num_virtual_tokens: 12 },
      { type: 'prefix_tuning', num_virtual_tokens: 12 },
    ],
    [
      { peft_type: 'PROMPT_TUNING', num_virtual_tokens: 9 },
      { type: 'prompt_tuning', num_virtual_tokens: 9 },
    ],
    [{ peft_type: 'P_TUNING', num_virtual_tokens: 7, encoder_hidden_size: 64 }, { type: 'p_tuning' }],
  ])('%o', (config, method) => {
    expect(importConfig(JSON.stringify(config)).input.method).toMatchObject(method);
  });

  test('a pattern of names is not taken for a list', () => {
    const read = importConfig(JSON.stringify({ peft_type: 'LORA', target_modules: '.*\\.(q|v)_proj' }));
    expect(read.left[0]).toMatchObject({ field: 'target_modules', why: expect.stringMatching(/pattern of names/) });
  });
});

describe('values that are wrong here', () => {
  test('a value outside its range is left out with the range', () => {
    const read = importConfig('base_model: a/b\nsequence_len: 4\nmicro_batch_size: many');
    expect(read.left.map(({ field, why }) => [field, why])).toEqual([
      ['sequence_len', expect.stringMatching(/must be auto or a whole number from 16 to 131072, not 4/)],
      ['micro_batch_size', expect.stringMatching(/must be a whole number/)],
    ]);
  });

  test('a model in a folder of another machine is not looked for', () => {
    const read = importConfig('base_model: ./models/mine\nsequence_len: 512');
    expect(read.input.model?.source).toBeUndefined();
    expect(read.left[0]!.why).toMatch(/folder on another machine/);
  });
});

describe('files that are no configs', () => {
  const errorOf = (text: string): TabtuneError => {
    try {
      importConfig(text);
    } catch (error) {
      return error as TabtuneError;
    }
    throw new Error('it was read');
  };

  test.each([
    ['a: 1\nb: [1, 2\nc: 3', /neither YAML nor JSON/, 'line 3'],
    ['a: 1\na: 2', /neither YAML nor JSON.*unique/, 'line 2'],
    ['{"a": 1,\n"b": }x', /neither YAML nor JSON/, 'line 2'],
    ['key: value\n\tother: 1', /neither YAML nor JSON/, 'line 2'],
    ['a: 1\n---\nb: 2', /several documents/, 'line 2'],
    ['', /empty/, undefined],
    ['- a\n- b', /no list of settings/, undefined],
    ['just words', /no list of settings/, undefined],
    ['compute_environment: LOCAL_MACHINE\ndistributed_type: FSDP', /Accelerate config/, undefined],
    ['{"zero_optimization": {"stage": 3}}', /DeepSpeed/, undefined],
    ['{"architectures": ["LlamaForCausalLM"], "hidden_size": 8}', /config.json/, undefined],
    ['title: Notes\nauthor: me', /not the settings of a trainer/, undefined],
  ])('%j', (text, message, where) => {
    const error = errorOf(text);
    expect(error).toBeInstanceOf(TabtuneError);
    expect(error.code).toBe('bad_recipe');
    expect(error.message).toMatch(message);
    expect(error.where).toBe(where);
    expect(error.action).toBeTruthy();
    expect(isConfig(text)).toBe(false);
  });

  test('aliases that multiply, deep nesting and enormous files end with an error', () => {
    const laughs = ['a: &a [x, x, x, x, x, x, x, x, x]', 'b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]'];
    for (let i = 0; i < 8; i++) {
      const [one, two] = [String.fromCharCode(98 + i), String.fromCharCode(99 + i)];
      laughs.push(`${two}: &${two} [${Array(9).fill(`*${one}`).join(', ')}]`);
    }
    expect(errorOf(laughs.join('\n')).message).toMatch(/refers to itself|nested/);
    expect(errorOf('['.repeat(5000)).message).toMatch(/levels deep/);
    expect(errorOf('a: 1\n'.repeat(250_000)).message).toMatch(/million letters/);
    expect(errorOf(`${'- '.repeat(20_000)}x`).code).toBe('bad_recipe');
  });

  test('what is only text stays text', () => {
    const read = importConfig('base_model: a/b\nsequence_len: 512\noutput_dir: 2024-05-01');
    expect(read.input.name).toBe('2024-05-01');
  });
});
