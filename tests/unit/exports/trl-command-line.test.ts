/** Files for TRL's command line; scripts/interop/trl-more.mjs has TRL read and run them. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { WrittenRow } from '../../../src/data/written-row';
import type { ExportSource } from '../../../src/exports/export';
import type { TrainingData } from '../../../src/exports/trainers/training-data';
import { commandLine } from '../../../src/exports/trainers/trl/command-line';
import { trlMethod, trlObjective } from '../../../src/exports/trainers/trl/write';
import { dataOf, next, pair, SAFETENSORS } from './trl-data';

describe('TRL’s command line', () => {
  const config = JSON.parse(readFileSync('tests/fixtures/llama/gqa-tied/config.json', 'utf8')) as object;
  const source = { name: 'made up', exported: { family: 'llama' }, model: { config } } as unknown as ExportSource;
  const commandOf = (data: TrainingData, gguf: string | null = null) =>
    commandLine({
      ...{ source, data, base: { ...SAFETENSORS, gguf } },
      ...{ objective: trlObjective(data.recipe.objective)!, method: trlMethod(data.recipe.method)! },
    });

  async function written(data: TrainingData) {
    const made = await commandOf(data);
    if (typeof made === 'string') throw new Error(made);
    const [yaml, ...others] = made.files;
    const settings = parse(await yaml!.blob.text(), { version: '1.1' }) as Record<string, unknown>;
    return { ...made, settings, others };
  }

  test('has tokens and labels for texts, and says what it draws and shuffles itself', async () => {
    const data = dataOf({}, { train: [next()], validation: [next()] });
    const { command, settings, differences, others } = await written(data);
    expect(differences.join(' ')).not.toContain('bfloat16');
    expect(command).toBe('trl sft --config sft.yaml');
    expect(others).toEqual([]);
    expect(settings).toMatchObject({
      ...{ dataset_name: './data', dataset_test_split: 'validation', packing: false, max_length: 64 },
      ...{ dtype: 'float32', bf16: false, report_to: 'none', use_peft: true },
    });
    // The labels say what is learned, and TRL wants messages for this setting.
    expect(settings).not.toHaveProperty('assistant_only_loss');
    const said = differences.join(' ');
    for (const part of ['in another order', 'PEFT draws', 'a mean of targets']) expect(said).toContain(part);
  });

  test('says what TRL does with the adapter of a quantised base', async () => {
    const { differences, settings } = await written(dataOf({ model: { quantization: 'nf4' } }, { train: [next()] }));
    expect(differences.join(' ')).toContain('in bfloat16');
    expect(settings).toMatchObject({ load_in_4bit: true, bnb_4bit_quant_type: 'nf4', use_bnb_nested_quant: true });
  });

  test('keeps packs as they are', async () => {
    const packed = next({ starts: Int32Array.of(0, 0, 2) });
    const { settings } = await written(dataOf({}, { train: [packed] }));
    expect(settings).toMatchObject({
      ...{ packing: false, padding_free: true, max_length: null, dataset_kwargs: { skip_prepare_dataset: true } },
    });
    expect(settings).not.toHaveProperty('dataset_test_split');
  });

  test('says that an epoch ends with what is left, where it does', async () => {
    const steps = (rows: number[]) => ({
      ...dataOf({ training: { per_device_train_batch_size: 1, gradient_accumulation_steps: 2 } }, { train: [next()] }),
      microBatches: () => rows.map((row) => [row]),
    });
    const said = async (data: TrainingData) =>
      (await written(data)).differences.some((text) => /what is left/.test(text));
    expect(await said(steps([0, 1]))).toBe(false);
    expect(await said(steps([0]))).toBe(true);
  });

  test('gets preferences as text, every message with the same keys', async () => {
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    const answer = (content: string, thoughts?: string) => [{ role: 'assistant' as const, content, thoughts }];
    const row = (thoughts?: string): WrittenRow => ({
      ...{ kind: 'judged', good: true, prompt: messages, completion: answer('Hello', thoughts) },
      written: { prompt: 'Hi', completion: 'Hello' },
    });
    const rows = { train: [row('Hm.')], validation: [row()] };
    const data = { ...dataOf({ objective: { type: 'kto' } }, { train: [pair()] }), written: async () => rows };
    const { settings, others, differences } = await written(data);
    expect(settings).toMatchObject({ dataset_name: './text', train_sampling_strategy: 'sequential' });
    expect(settings).not.toHaveProperty('packing');
    expect(differences.join(' ')).toContain('in the order of the file');
    expect(others.map(({ path }) => path)).toEqual(['text/train.jsonl', 'text/validation.jsonl']);
    const [first, second] = await Promise.all(others.map(async ({ blob }) => JSON.parse(await blob.text())));
    const user = { role: 'user', content: 'Hi', reasoning_content: null };
    const said = { role: 'assistant', content: 'Hello', reasoning_content: 'Hm.' };
    expect(first).toEqual({ prompt: [user], completion: [said], label: true });
    expect(second.completion).toEqual([{ ...said, reasoning_content: null }]);
  });

  test('trains the head of a reward model beside the adapter', async () => {
    const task = { problemType: 'regression', labels: ['reward'] } as const;
    const data = dataOf({ objective: { type: 'reward' } }, { task: { ...task, labels: ['reward'] }, train: [pair()] });
    const { settings, differences } = await written(data);
    expect(settings).toMatchObject({ lora_task_type: 'SEQ_CLS', dataset_name: './data' });
    expect(differences.join(' ')).toContain('The head starts');
  });

  test('cannot make every run, and says why', async () => {
    expect(await commandOf(dataOf({ objective: { type: 'orpo' } }))).toMatch(/no trainer for this objective/);
    expect(await commandOf(dataOf({ method: { type: 'ia3' } }))).toMatch(/LoRA adapters or all weights.*\(IA\)³/);
    expect(await commandOf(dataOf({}), 'a.gguf')).toMatch(/GGUF/);
  });
});
