import { describe, expect, it } from 'vitest';
import { metricsCsv, metricsFile, metricsJsonl, trainerState } from '../../../src/exports/run-metrics';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';
import type { EvalMetrics, MetricsRow, StepMetrics } from '../../../src/storage/types';
import { runRecord } from '../stores/fake-session';

const step = (n: number, change: Partial<StepMetrics> = {}): StepMetrics => ({
  kind: 'step',
  ...{ step: n, epoch: n / 4, loss: 4 / n, grad_norm: 0.5, learning_rate: 1e-4 },
  ...{ tokens: n * 100, seconds: n * 2, gpu_bytes: 1024 },
  ...change,
});
const evaluation = (n: number, change: Partial<EvalMetrics> = {}): EvalMetrics => ({
  kind: 'eval',
  ...{ step: n, epoch: n / 4, eval_loss: 3 - n / 4, best: n > 0, seconds: n * 2 },
  ...change,
});
const rows: MetricsRow[] = [
  evaluation(0, { perplexity: 20 }),
  step(1),
  step(2, { metrics: { margin: 0.25, loss: 99 } }),
  evaluation(2, { metrics: { accuracy: 0.75, 'say "a, b"': 1 } }),
];

const recorded = (training: RecipeInput['training'] = {}) =>
  runRecord({
    recipe: resolveRecipe({ version: 1, training: { eval_steps: 2, save_steps: 2, ...training } }),
    ...{ step: 2, totalSteps: 8, bestEvalLoss: 2.5, bestStep: 2, status: 'interrupted' },
  });

describe('metrics as a table', () => {
  it('has a line per step, its evaluation beside it, and no value that is not one', () => {
    const lines = metricsCsv([...rows, step(3, { loss: Number.NaN })]).split('\n');
    expect(lines).toEqual([
      'step,epoch,eval_loss,eval_perplexity,loss,grad_norm,learning_rate,tokens,seconds,gpu_bytes,margin,eval_accuracy,"eval_say ""a, b"""',
      '0,0,3,20,,,,,,,,,',
      '1,0.25,,,4,0.5,0.0001,100,2,1024,,,',
      '2,0.5,2.5,,2,0.5,0.0001,200,4,1024,0.25,0.75,1',
      '3,0.75,,,,0.5,0.0001,300,6,1024,,,',
      '',
    ]);
  });

  it('of a run without metrics is its header', () => {
    expect(metricsCsv([])).toBe('step,epoch\n');
    expect(metricsJsonl([])).toBe('');
  });
});

it('metrics.jsonl has a line per row, in order', () => {
  const lines = metricsJsonl(rows).trimEnd().split('\n');
  expect(lines.map((line) => Object.keys(JSON.parse(line))[0])).toEqual(['step', 'step', 'step', 'step']);
  expect(JSON.parse(lines[2]!)).toMatchObject({ step: 2, loss: 2, margin: 0.25 });
  expect(JSON.parse(lines[3]!)).toMatchObject({ step: 2, eval_loss: 2.5, metrics: { accuracy: 0.75 } });
});

describe('trainer_state.json', () => {
  // What TrainerState().save_to_json of transformers 5 writes; scripts/interop loads ours with it.
  const keys = [
    ...['best_global_step', 'best_metric', 'best_model_checkpoint', 'epoch', 'eval_steps', 'global_step'],
    ...['is_hyper_param_search', 'is_local_process_zero', 'is_world_process_zero', 'log_history', 'logging_steps'],
    ...['max_steps', 'num_input_tokens_seen', 'num_train_epochs', 'save_steps', 'stateful_callbacks', 'total_flos'],
    ...['train_batch_size', 'trial_name', 'trial_params'],
  ];

  it('has the fields of TrainerState, sorted', () => {
    const { text } = metricsFile('trainer_state', recorded(), rows);
    expect(Object.keys(JSON.parse(text))).toEqual(keys);
  });

  it('says where the run stands and which checkpoint is the best', () => {
    const run = recorded({ per_device_train_batch_size: 3 });
    expect(trainerState(run, rows)).toMatchObject({
      ...{ epoch: 0.5, global_step: 2, max_steps: 8, num_train_epochs: 3, train_batch_size: 3 },
      ...{ best_metric: 2.5, best_global_step: 2, best_model_checkpoint: 'checkpoint-2' },
      ...{ logging_steps: 1, eval_steps: 2, save_steps: 2, num_input_tokens_seen: 200 },
    });
  });

  it('logs steps and evaluations as Trainer does', () => {
    const { log_history: logs } = trainerState(recorded(), rows);
    expect(logs).toEqual([
      { epoch: 0, eval_loss: 3, eval_perplexity: 20, step: 0 },
      { epoch: 0.25, grad_norm: 0.5, learning_rate: 1e-4, loss: 4, num_input_tokens_seen: 100, step: 1 },
      { epoch: 0.5, grad_norm: 0.5, learning_rate: 1e-4, loss: 2, num_input_tokens_seen: 200, margin: 0.25, step: 2 },
      { epoch: 0.5, eval_loss: 2.5, eval_accuracy: 0.75, 'eval_say "a, b"': 1, step: 2 },
    ]);
  });

  it('closes with the summary of a run that has ended', () => {
    const { log_history: logs } = trainerState({ ...recorded(), status: 'stopped', seconds: 5 }, rows);
    // The mean of 4 and 2, and 2 steps in 5 seconds.
    const summary = { epoch: 0.5, train_loss: 3, train_runtime: 5, train_steps_per_second: 0.4, step: 2 };
    expect(logs.at(-1)).toEqual(summary);
  });

  it('counts the epochs of a run whose steps were given: 8 steps at 4 per epoch', () => {
    expect(trainerState(recorded({ max_steps: 8 }), rows).num_train_epochs).toBe(2);
    expect(trainerState(recorded({ max_steps: 8 }), []).num_train_epochs).toBe(0);
  });

  it('has no best checkpoint without an evaluation, and an evaluation at the end without a period', () => {
    const run = { ...recorded({ eval_steps: 0 }), bestStep: null, bestEvalLoss: null };
    const state = trainerState(run, [step(1)]);
    expect(state).toMatchObject({ best_metric: null, best_global_step: null, best_model_checkpoint: null });
    expect(state.eval_steps).toBe(8);
  });
});
