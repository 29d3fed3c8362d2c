import { expect, test } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { LoraMethod } from '../../../src/methods/lora';
import { checkRecipe, defaultRecipe, resolveRecipe } from '../../../src/recipe/defaults';
import { fields } from '../../../src/recipe/fields';
import { parseRecipe } from '../../../src/recipe/schema';

/** Each problem as the terminal prints it. */
const lines = (input: unknown) => checkRecipe(input).problems.map((p) => TabtuneError.fromData(p).toLine());

test('every omitted field gets its documented default', () => {
  expect(resolveRecipe({ version: 1 })).toEqual({
    version: 1,
    name: 'pirate-chat',
    model: { source: 'builtin:stories', quantization: 'none' },
    dataset: {
      source: 'builtin:pirate-chat',
      format: 'auto',
      columns: null,
      encoding: 'auto',
      table: null,
      max_samples: null,
      validation_split: 0.1,
      shuffle: true,
      max_length: 'auto',
      merge_labels: false,
      replace_personal: [],
      drop_personal: [],
      near_duplicates: 'keep',
      validation_leaks: 'allow',
      leave_out_rows: null,
      mix: {},
      packing: false,
      system_fallback: 'first_question',
      templated_text: 'ask',
      base_text: null,
    },
    method: {
      type: 'lora',
      r: 16,
      lora_alpha: 32,
      lora_dropout: 0,
      target_modules: 'all-linear',
      use_rslora: false,
      use_dora: false,
      init_lora_weights: 'default',
      rank_pattern: {},
      alpha_pattern: {},
      loraplus_lr_ratio: 1,
      modules_to_save: [],
      init_adapter: null,
    },
    objective: { type: 'sft', assistant_only_loss: true },
    training: {
      learning_rate: 2e-4,
      lr_scheduler_type: 'cosine',
      warmup_ratio: 0.1,
      lr_num_cycles: 1,
      lr_power: 1,
      lr_end_ratio: 0,
      lr_decay_ratio: 0.1,
      lr_cut_frac: 0.1,
      lr_ratio: 32,
      num_train_epochs: 3,
      max_steps: -1,
      per_device_train_batch_size: 2,
      gradient_accumulation_steps: 4,
      gradient_checkpointing: 'auto',
      fp16: false,
      optim: 'adamw',
      adam_beta1: 0.9,
      adam_beta2: 0.999,
      adam_epsilon: 1e-8,
      sgd_momentum: 0.9,
      weight_decay: 0.01,
      max_grad_norm: 1,
      eval_steps: 20,
      save_steps: 50,
      early_stopping_patience: 3,
      model_dropout: true,
      label_smoothing_factor: 0,
      neftune_noise_alpha: 0,
      ewc_lambda: 0,
      l2_sp_alpha: 0,
      replay_ratio: 0,
      ema_decay: 0,
      seed: 42,
    },
  });
});

test('a complete recipe resolves to itself and shares nothing with its input', () => {
  const input = resolveRecipe({ version: 1, method: { type: 'lora', target_modules: ['q_proj'] } });
  const resolved = resolveRecipe(input);
  expect(resolved).toEqual(input);
  ((resolved.method as LoraMethod).target_modules as string[]).push('v_proj');
  expect(input.method).toMatchObject({ target_modules: ['q_proj'] });
});

test('the name comes from the dataset', () => {
  const named = (source: string) => resolveRecipe({ version: 1, dataset: { source } }).name;
  expect(named('builtin:feedback')).toBe('feedback');
  expect(named('file:data/My replies.v2.jsonl')).toBe('My replies.v2');
  expect(named('file:/')).toBe('run');
});

test('an unknown field is refused with a suggestion', () => {
  expect(lines({ version: 1, training: { learning_rte: 1 } })).toEqual([
    'training.learning_rte: is not a known field. Did you mean learning_rate?',
  ]);
  expect(lines({ version: 1, trainning: {} })).toEqual(['trainning: is not a known field. Did you mean training?']);
  expect(lines({ version: 1, training: { r: 8 } })).toEqual([
    'training.r: is not a known field. It belongs in method.',
  ]);
  expect(lines({ version: 1, training: { lr: 1 } })).toEqual([
    'training.lr: is not a known field. Use training.learning_rate instead.',
  ]);
  expect(lines({ version: 1, objective: { zzz: 1 } })).toEqual([
    'objective.zzz: is not a known field. The fields are type and assistant_only_loss.',
  ]);
  expect(lines(JSON.parse('{"version":1,"model":{"__proto__":{"source":"x"},"constructor":1}}'))).toHaveLength(2);
});

test('the message for a wrong type or range says what is allowed', () => {
  const training = (values: object) => lines({ version: 1, training: values })[0];
  expect(training({ learning_rate: '2e-4' })).toBe(
    'training.learning_rate: must be a number above 0 and at most 1, not "2e-4".',
  );
  expect(training({ learning_rate: 0 })).toMatch(/above 0/);
  expect(training({ learning_rate: null })).toMatch(/not null/);
  expect(training({ adam_beta2: 1 })).toBe('training.adam_beta2: must be a number of at least 0 and below 1, not 1.');
  expect(training({ warmup_ratio: 1.5 })).toBe('training.warmup_ratio: must be a number from 0 to 1, not 1.5.');
  expect(training({ seed: 1.5 })).toMatch(/a whole number from 0/);
  expect(training({ optim: 'adamw_torch' })).toBe(
    'training.optim: must be adamw, adamw_8bit, adam, sgd, lion or adafactor, not "adamw_torch". Did you mean adamw?',
  );
  expect(lines({ version: 1, method: { type: 'lora', r: 0 } })).toEqual([
    'method.r: must be a whole number from 1 to 256, not 0.',
  ]);
  expect(lines({ version: 1, method: { type: 'lora', r: 512 } })).toHaveLength(1);
  expect(lines({ version: 1, dataset: { max_length: 'long' } })[0]).toMatch(/must be auto or a whole number from 16/);
  expect(lines({ version: 1, dataset: { columns: { prompt: 3 } } })).toHaveLength(1);
  expect(lines({ version: 1, name: 'a\u0000b' })).toHaveLength(1);
  expect(lines({ version: 1, model: 'builtin:stories' })).toEqual(['model: must be an object, not "builtin:stories".']);
  expect(lines([])).toEqual(['recipe: must be a JSON object, not [].']);
  expect(lines({ version: 2 })).toEqual(['version: is 2, but this Tabtune reads version 1. Update Tabtune.']);
});

test('an unknown method is a single problem, whatever its fields', () => {
  expect(lines({ version: 1, method: { type: 'adalora', target_r: 8 } })).toEqual([
    'method.type: must be lora, ia3, bottleneck, prefix_tuning, prompt_tuning, p_tuning, full, head or gradual_unfreezing, not "adalora". Did you mean lora?',
  ]);
});

test('all problems are reported, and the thrown error is one line', () => {
  const input = { version: 1, training: { seed: -1, epochs: 3 }, model: { quantisation: 'nf4' } };
  expect(lines(input)).toHaveLength(3);
  let thrown: unknown;
  try {
    resolveRecipe(input);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(TabtuneError);
  const error = thrown as TabtuneError;
  expect(error.code).toBe('bad_recipe');
  expect(error.where).toBe('model.quantisation');
  expect(error.toLine()).toBe(
    'model.quantisation: is not a known field. Did you mean quantization? Also wrong: training.seed, training.epochs.',
  );
  expect(error.details?.split('\n')).toHaveLength(3);
});

test.each([
  'hf:HuggingFaceTB/SmolLM2-135M-Instruct',
  'hf:org/name@main',
  'hf:org/name@12fd25f77366fa6b3b4b768ec3050bf629380bac',
  'hf:org/name@refs/pr/3',
  'hf:org/name@v1.0/folder/model.Q4_K_M.gguf',
  'hf:org/name/model.gguf',
])('%s is a valid model source', (source) => {
  expect(resolveRecipe({ version: 1, model: { source } }).model.source).toBe(source);
});

test.each([
  [{ model: { source: 'hf:org/name@' } }, /model\.source: .*Write hf:ORG\/NAME/],
  [{ model: { source: 'HuggingFaceTB/SmolLM2-135M-Instruct' } }, /model\.source: .*hf:HuggingFaceTB\/SmolLM2/],
  [{ model: { source: 'stories' } }, /model\.source: must be builtin:NAME, hf:ORG\/NAME or file:PATH/],
  [{ model: { source: 'builtin:../x' } }, /model\.source/],
  [{ dataset: { source: 'hf:org/name' } }, /dataset\.source/],
  [{ dataset: { source: 'file: ' } }, /dataset\.source/],
  [{ dataset: { validation_split: 1 } }, /dataset\.validation_split: .*below 1/],
  [{ dataset: { format: 'alpaca', columns: { instrution: 'q' } } }, /columns\.instrution: .*Did you mean instruction/],
  [{ method: { type: 'lora', target_modules: [] } }, /method\.target_modules: names no module/],
  [{ method: { type: 'lora', target_modules: ['all-linear'] } }, /without brackets/],
  [{ method: { type: 'lora', target_modules: ['q_proj', 'q_proj'] } }, /names q_proj twice/],
  [{ method: { type: 'lora', init_adapter: 'adapter/' } }, /method\.init_adapter: must be file:PATH/],
  [{ method: { type: 'lora', target_modules: ['auto'] } }, /lists auto, which is not a module name/],
  [{ method: { type: 'ia3', target_modules: [] } }, /names no module.*Use auto/],
  [
    { method: { type: 'ia3', target_modules: ['k_proj'], feedforward_modules: ['down_proj'] } },
    /names down_proj, which is not among/,
  ],
  [{ method: { type: 'lora', modules_to_save: ['lm_head', 'lm_head'] } }, /names lm_head twice/],
  [{ method: { type: 'lora', modules_to_save: ['lm head'] } }, /"lm head", which is not a module name/],
  [{ method: { type: 'lora', target_modules: ['q_proj'], modules_to_save: ['q_proj'] } }, /also in target_modules/],
  [{ method: { type: 'prompt_tuning', prompt_tuning_init_text: ' ' } }, /prompt_tuning_init_text: is empty/],
  [{ method: { type: 'prompt_tuning', num_virtual_tokens: 0 } }, /num_virtual_tokens/],
  [{ method: { type: 'p_tuning', encoder_hidden_size: 'auto' } }, /must be null or a whole number from 1/],
  [{ dataset: { base_text: 'wiki.txt' } }, /dataset\.base_text: must be builtin:NAME, file:PATH or null/],
  [{ objective: { type: 'masked_lm', mlm_probability: 0 } }, /above 0 and below 1/],
  [{ method: { type: 'lora', lora_alpha: 0 } }, /method\.lora_alpha/],
  [{ training: { max_steps: 0 } }, /training\.max_steps: is 0/],
  [{ training: { max_steps: -2 } }, /training\.max_steps/],
  [{ training: { num_train_epochs: 0 } }, /training\.num_train_epochs: is 0/],
])('%j cannot run', (input, message) => {
  const problems = lines({ version: 1, ...input });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(message);
  expect(() => resolveRecipe({ version: 1, ...input })).toThrow(TabtuneError);
});

test('a value without effect gets a note, not a refusal', () => {
  const paths = (input: object) => checkRecipe({ version: 1, ...input }).notes.map((note) => note.where);
  expect(paths({})).toEqual([]);
  expect(paths({ training: { max_steps: 5 } })).toEqual([]);
  expect(paths({ training: { max_steps: 5, num_train_epochs: 3 } })).toEqual(['training.num_train_epochs']);
  expect(paths({ training: { lr_scheduler_type: 'constant', warmup_ratio: 0.1 } })).toEqual(['training.warmup_ratio']);
  expect(paths({ dataset: { validation_split: 0 }, training: { eval_steps: 5, early_stopping_patience: 2 } })).toEqual([
    'training.eval_steps',
    'training.early_stopping_patience',
  ]);
  expect(paths({ method: { type: 'lora', r: 8, init_adapter: 'file:adapter' } })).toEqual(['method.r']);
  const gguf = { source: 'hf:org/name/model.Q4_K_M.gguf' };
  expect(paths({ model: gguf })).toEqual([]);
  expect(paths({ model: { ...gguf, quantization: 'nf4' } })).toEqual(['model.quantization']);
  expect(paths({ training: { learning_rate: 0.1 } })).toEqual(['training.learning_rate']);
});

test('a recipe file is read with or without a byte-order mark; broken JSON is reported', () => {
  expect(parseRecipe('\uFEFF{"version": 1}')).toEqual({ version: 1 });
  expect(() => parseRecipe('{"version": 1,}')).toThrow(/is not valid JSON/);
  expect(() => parseRecipe('')).toThrow(TabtuneError);
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  expect(() => parseRecipe(deep)).toThrow(TabtuneError);
  expect(() => parseRecipe(`{"version": 1, "model": ${deep}}`)).toThrow(/nested more than 100 levels/);
});

test('every default is allowed, and every field has a label, help and source', () => {
  expect(checkRecipe(defaultRecipe()).problems).toEqual([]);
  for (const field of fields) {
    expect(field.label, field.path).not.toBe('');
    expect(field.help, field.path).toMatch(/\.$/);
    expect(field.help, field.path).not.toContain('\n');
    expect(field.source, field.path).not.toBe('');
    if ((field.kind === 'number' || field.kind === 'int') && field.usual) {
      expect(field.usual[0], field.path).toBeGreaterThanOrEqual(field.min);
      expect(field.usual[1], field.path).toBeLessThanOrEqual(field.max);
    }
  }
});
