/** The parts of TRL scripts that need no Python to be checked; scripts/interop/trl.mjs runs whole scripts. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { TokenizedExample } from '../../../src/data/types';
import type { TrainingData } from '../../../src/exports/trainers/training-data';
import { trl } from '../../../src/exports/trainers/trl';
import { accelerateFiles } from '../../../src/exports/trainers/trl/accelerate';
import { dataFiles } from '../../../src/exports/trainers/trl/data-files';
import { differencesOf } from '../../../src/exports/trainers/trl/differences';
import { comment, pythonLiteral, yamlValue } from '../../../src/exports/trainers/trl/literals';
import * as methodParts from '../../../src/exports/trainers/trl/methods/all';
import * as objectiveParts from '../../../src/exports/trainers/trl/objectives/all';
import { kto } from '../../../src/exports/trainers/trl/objectives/kto';
import { pairRow } from '../../../src/exports/trainers/trl/objectives/pairs';
import { reward } from '../../../src/exports/trainers/trl/objectives/reward';
import { sequenceClassification } from '../../../src/exports/trainers/trl/objectives/sequence-classification';
import { tokenClassification } from '../../../src/exports/trainers/trl/objectives/token-classification';
import { refusalOf } from '../../../src/exports/trainers/trl/refusals';
import { trainScript } from '../../../src/exports/trainers/trl/script';
import { VERSIONS } from '../../../src/exports/trainers/trl/versions';
import { trlMethod, trlObjective } from '../../../src/exports/trainers/trl/write';
import { methods } from '../../../src/methods';
import { objectives } from '../../../src/objectives';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';
import { dataOf, pair, SAFETENSORS } from './trl-data';

test('a script asks for the packages that it was tried with', () => {
  const tried = readFileSync('tests/oracle/requirements.txt', 'utf8');
  for (const [name, version] of Object.entries(VERSIONS)) expect(tried).toContain(`${name}==${version}\n`);
});

describe('values', () => {
  test('in Python', () => {
    expect(pythonLiteral({ a: [1, 2.5e-8, null, true], 'b"': 'c\n"' })).toBe(
      '{"a": [1, 2.5e-8, None, True], "b\\"": "c\\n\\""}',
    );
  });

  test('in YAML, whose numbers need a point before an exponent', () => {
    expect([1e-7, -1e-7, 2.5e-8, 1e21, 0.1, 3].map(yamlValue)).toEqual([
      ...['1.0e-7', '-1.0e-7', '2.5e-8', '1.0e+21', '0.1', '3'],
    ]);
    expect(yamlValue(['yes', null, { a: false }])).toBe('["yes", null, {"a": false}]');
  });
});

test('whatever a text contains stays in the comment', () => {
  const lines = comment('a\nimport os\r\u2028os.system("x") \u0085 b', '- ');
  expect(lines).toEqual(['# - a import os os.system("x") b']);
  const long = comment('word '.repeat(60), '- ');
  expect(long.length).toBeGreaterThan(1);
  expect(long.every((line) => line.startsWith('# ') && line.length <= 120)).toBe(true);
  expect(long.slice(1).every((line) => line.startsWith('#   word'))).toBe(true);
});

function scriptOf(data: TrainingData, { dropout = false, gguf = null as string | null, startTensors = false } = {}) {
  const objective = trlObjective(data.recipe.objective)!;
  const method = trlMethod(data.recipe.method)!;
  const base = { ...SAFETENSORS, gguf };
  const differences = differencesOf({ data, objective, method, base, dropout });
  return trainScript({ name: 'n', base, data, objective, method, differences, dropout, startTensors });
}

describe('what has a script', () => {
  const claimed = (all: readonly { type: string; trainers?: readonly string[] }[]) =>
    all.filter(({ trainers }) => trainers?.includes('trl')).map(({ type }) => type);
  const written = (parts: object) => Object.values(parts).map(({ type }) => type as string);

  test('is what its descriptor says', () => {
    expect(claimed(methods).sort()).toEqual(written(methodParts).sort());
    expect(claimed(objectives).sort()).toEqual(written(objectiveParts).sort());
  });

  test('virtual tokens are refused where a trainer cannot tell them from a row’s', () => {
    const [LLAMA, BERT] = [{ kind: 'decoder' }, { kind: 'encoder' }] as const;
    const why = (input: object, family: typeof LLAMA | typeof BERT, task: TrainingData['task'] = null) => {
      const data = dataOf(input as never, { task });
      const [objective, method] = [trlObjective(data.recipe.objective)!, trlMethod(data.recipe.method)!];
      return refusalOf({ data, objective, method, family });
    };
    const [prompt, prefix] = [{ type: 'prompt_tuning' }, { type: 'prefix_tuning' }];
    const texts = { type: 'sequence_classification' };
    const task: TrainingData['task'] = { problemType: 'single_label_classification', labels: ['a', 'b'] };
    expect(why({ method: prompt }, LLAMA)).toBeNull();
    expect(why({ method: prompt, objective: { type: 'dpo' } }, LLAMA)).toMatch(/cannot tell virtual tokens/);
    expect(why({ method: prompt, training: { label_smoothing_factor: 0.1 } }, LLAMA)).toMatch(/label_smoothing_factor/);
    expect(why({ method: prompt, objective: texts }, LLAMA, task)).toMatch(/end of its padding/);
    expect(why({ method: prompt, objective: texts }, BERT, task)).toBeNull();
    expect(why({ method: prefix, objective: texts }, LLAMA, task)).toBeNull();
    expect(why({ method: prefix, training: { gradient_checkpointing: true } }, LLAMA)).toMatch(/checkpointing/);
    expect(why({ method: { type: 'lora' }, objective: { type: 'dpo' } }, LLAMA)).toBeNull();
  });

  test('anything else is refused with a sentence', () => {
    const method = (type: string) => resolveRecipe({ version: 1, method: { type } } as unknown as RecipeInput).method;
    expect(trl.refusal({ method: method('lora'), objective: 'dpo', family: null })).toBeNull();
    const written = trl.refusal({ method: method('lora'), objective: 'ppo', family: null });
    expect(written).toMatch(/^The script has no .*; it has .*DPO/);
    expect(trl.refusal({ method: method('bottleneck'), objective: 'sft', family: null })).toMatch(/LoRA/);
  });
});

describe('rows', () => {
  test('of pairs have each answer behind its own prompt', () => {
    expect(pairRow(pair())).toEqual({
      ...{ chosen_ids: [5, 6, 7], rejected_ids: [5, 8], chosen_prompt: 1, rejected_prompt: 1 },
    });
    expect(pairRow(pair({ promptLength: 2, rejectedPromptLength: 1 }))).toMatchObject({
      ...{ chosen_prompt: 2, rejected_prompt: 1 },
    });
    expect(() => pairRow({ ...pair(), kind: 'prompt' } as unknown as TokenizedExample)).toThrow('prompt');
  });

  test('of reward models have margins if any row has one', () => {
    const recipe = { objective: { type: 'reward' } } as const;
    const plain = dataOf(recipe, { train: [pair()] });
    expect(reward.row(pair(), plain)).toEqual({ chosen_ids: [5, 6, 7], rejected_ids: [5, 8] });
    const some = dataOf(recipe, { train: [pair()], validation: [pair({ margin: 2 })] });
    expect(reward.row(pair(), some)).toMatchObject({ margin: 0 });
  });

  test('of judged answers keep what was cut off of them', () => {
    const cut = {
      kind: 'judged',
      row: 1,
      ids: Int32Array.of(5, 6),
      promptLength: 1,
      good: false,
      truncatedBy: 1,
    } as const;
    const row = kto.row({ ...cut, limit: 2, beyond: Int32Array.of(7) }, dataOf({}));
    expect(row).toEqual({ ids: [5, 6], prompt: 1, beyond: [7], limit: 2, good: false });
    expect(kto.row(cut, dataOf({}))).toMatchObject({ beyond: [], limit: 2 ** 31 - 1 });
  });

  test('of texts have a number, or one for each of several labels', () => {
    const text = {
      kind: 'text_targets',
      row: 1,
      ids: Int32Array.of(5),
      targets: Float32Array.of(1),
      truncatedBy: 0,
    } as const;
    const of = (problemType: 'regression' | 'multi_label_classification') =>
      sequenceClassification.row(text, dataOf({}, { task: { problemType, labels: ['a'] } }));
    expect([of('regression').labels, of('multi_label_classification').labels]).toEqual([1, [1]]);
  });
});

test('labels of words leave room for embeddings, of which a prefix has none', () => {
  const of = (method: object) => {
    const task: TrainingData['task'] = { problemType: 'token_classification', labels: ['O', 'B'] };
    return scriptOf(dataOf({ method, objective: { type: 'token_classification' } } as never, { task }));
  };
  expect(of({ type: 'p_tuning', num_virtual_tokens: 7 })).toContain('VIRTUAL_TOKENS = 7\n');
  expect(of({ type: 'prefix_tuning', num_virtual_tokens: 7 })).toContain('VIRTUAL_TOKENS = 0\n');
  expect(of({ type: 'lora' })).toContain('VIRTUAL_TOKENS = 0\n');
  const row = {
    kind: 'token_labels',
    row: 1,
    ids: Int32Array.of(5, 6),
    labels: Int32Array.of(1, -100),
    truncatedBy: 0,
  };
  const made = tokenClassification.row(row as TokenizedExample, dataOf({}));
  expect(made).toEqual({ input_ids: [5, 6], labels: [1, -100] });
});

test('what masked language modelling hides goes along, drawn anew for each step', async () => {
  const text = (row: number): TokenizedExample => ({
    ...{
      kind: 'hidden_tokens',
      row,
      truncatedBy: 0,
      ids: Int32Array.from({ length: 12 }, (_, i) => (i === 0 ? 1 : i + row)),
    },
    special: new Uint8Array(12).map((_, i) => Number(i === 0 || i === 11)),
  });
  const train = [text(10), text(20)];
  const objective = { type: 'masked_lm', mlm_probability: 0.5 } as const;
  const data = {
    ...dataOf({ objective }, { train, validation: [text(30)] }),
    ...{ tokens: { pad: 0, mask: 4, stop: [2] }, steps: 2, microBatches: () => [[1], [0]] },
  };
  const files = dataFiles(data, trlObjective(objective)!, 64);
  const lines = await Promise.all(
    files.map(async ({ blob }) =>
      (await blob.text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ),
  );
  const [rows, validation, steps] = lines as [{ input_ids: number[]; labels: number[] }[], unknown[], number[][]];
  expect(files.map(({ path }) => path)).toEqual(['data/train.jsonl', 'data/validation.jsonl', 'data/steps.jsonl']);
  expect(steps).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(validation).toHaveLength(1);
  const whole = rows.map(({ input_ids, labels }) => input_ids.map((id, i) => (labels[i] === -100 ? id : labels[i])));
  const [first, second] = train.map((one) => [...(one as { ids: Int32Array }).ids]);
  expect(whole).toEqual([second, first, second, first]);
  for (const { labels } of rows) expect([labels[0], labels[11]]).toEqual([-100, -100]);
  // Half of ten tokens: that none of a row is hidden, or the same in both steps, is one case in a thousand, and the seed is fixed.
  const hidden = rows.map(({ labels }) => labels.filter((label) => label !== -100).length);
  expect(Math.min(...hidden)).toBeGreaterThan(0);
  expect(rows[0]!.labels).not.toEqual(rows[2]!.labels);
  expect(rows.some(({ input_ids }) => input_ids.includes(4))).toBe(true);
});

describe('the script', () => {
  test('keeps micro-batches whole where a loss compares their rows', () => {
    const whole = (objective: object) => /WHOLE_BATCHES = (\w+)/.exec(scriptOf(dataOf({ objective } as never)))![1];
    expect(whole({ type: 'kto' })).toBe('True');
    expect(whole({ type: 'kto', loss_type: 'apo_zero_unpaired' })).toBe('False');
    expect(whole({ type: 'dpo' })).toBe('False');
    expect(whole({ type: 'dpo', loss_type: ['sigmoid', 'sft'] })).toBe('True');
    expect(whole({ type: 'cpo' })).toBe('True');
    expect(whole({ type: 'cpo', loss_type: 'simpo' })).toBe('False');
  });

  test('names what it leaves out, and what is drawn otherwise', () => {
    const plain = scriptOf(dataOf({}));
    expect(plain).toContain('# Nothing of the run in Tabtune is left out.');
    const text = scriptOf(
      dataOf({
        model: { quantization: 'nf4' },
        method: { type: 'lora', lora_dropout: 0.1 },
        training: { ema_decay: 0.9, neftune_noise_alpha: 5, model_dropout: true },
      }),
      { dropout: true, gguf: 'a.gguf' },
    ).replace(/\n# +/g, ' ');
    for (const part of ['not in four bits', 'the GGUF file', 'moving average', 'NEFTune’s noise']) {
      expect(text).toContain(part);
    }
    const penalties = { ewc_lambda: 1, l2_sp_alpha: 0.1 };
    const full = scriptOf(dataOf({ method: { type: 'full' }, training: penalties }));
    for (const part of ['(EWC)', '(L2-SP)']) expect(full).toContain(part);
    expect(text).toContain('the model’s dropout and the adapter’s dropout');
    expect(text).toContain('gguf_file=GGUF');
    expect(text).toContain('"gguf==');
  });

  test('switches off the dropout that the run did without', () => {
    expect(scriptOf(dataOf({ training: { model_dropout: false } }), { dropout: true })).toContain(
      'setattr(config, name, 0.0)',
    );
    expect(scriptOf(dataOf({}))).not.toContain('AutoConfig');
    expect(scriptOf(dataOf({ training: { model_dropout: true } }), { dropout: true })).not.toContain('AutoConfig');
  });

  test('gives the model its head, and names that hold quotes', () => {
    const task = { problemType: 'single_label_classification', labels: ['a"b', 'c'] } as const;
    const text = scriptOf(
      dataOf({ objective: { type: 'sequence_classification' } }, { task: { ...task, labels: [...task.labels] } }),
    );
    expect(text).toContain('id2label={0: "a\\"b", 1: "c"},');
    expect(text).toContain('problem_type="single_label_classification",');
    expect(text).toContain('class Run(TabtuneSteps, MeanOfStep, Trainer):');
  });

  test('brings PiSSA and LoRA+ along', () => {
    const of = (method: object) => scriptOf(dataOf({ method } as never), { startTensors: true });
    expect(of({ type: 'lora', init_lora_weights: 'pissa' })).toContain('    without_start(model)\n');
    expect(of({ type: 'lora', init_lora_weights: 'pissa', init_adapter: 'file:x' })).not.toContain('without_start');
    expect(of({ type: 'lora', loraplus_lr_ratio: 16 })).toContain('LORAPLUS_LR_RATIO = 16');
    expect(of({ type: 'ia3' })).not.toContain('LoraPlus');
    expect(of({ type: 'p_tuning' })).toContain('    model = with_virtual_tokens(model)\n');
  });
});

test('files for Accelerate say the precision and how many processes there are', async () => {
  const read = (fp16: boolean) =>
    Promise.all(
      accelerateFiles(fp16).map(
        async ({ path, blob }) => [path, parse(await blob.text(), { version: '1.1' })] as const,
      ),
    );
  const files = await read(false);
  const kinds = files.map(([path, { distributed_type: type, num_processes: n, use_cpu }]) => [path, type, n, use_cpu]);
  expect(kinds).toEqual([
    ['accelerate/single_gpu.yaml', 'NO', 1, false],
    ['accelerate/multi_gpu.yaml', 'MULTI_GPU', 2, false],
    ['accelerate/fsdp2.yaml', 'FSDP', 2, false],
    ['accelerate/zero3.yaml', 'DEEPSPEED', 2, false],
    ['accelerate/cpu.yaml', 'MULTI_GPU', 2, true],
  ]);
  expect(files.map(([, settings]) => settings.mixed_precision)).toEqual(['no', 'no', 'no', 'no', 'no']);
  // Accelerate 1.15 has no autocast and no scaler there, whatever its file says.
  const half = await read(true);
  expect(half.map(([, settings]) => settings.mixed_precision)).toEqual(['fp16', 'fp16', 'fp16', 'fp16', 'no']);
});

test('a script with training.fp16 says where there is no GPU that it is off', () => {
  const of = (fp16: boolean) => scriptOf(dataOf({ training: { fp16 } } as never), {});
  expect(of(true)).toContain('    fp16 = torch.accelerator.is_available()\n    if not fp16:\n        print(');
  expect(of(false)).toContain('    fp16 = False\n');
  expect(of(false)).not.toContain('if not fp16');
  for (const fp16 of [true, false]) expect(of(fp16)).toContain('        fp16=fp16,\n');
});
