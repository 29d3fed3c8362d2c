/** The runs of a scripted session. Their events come in the order the interface promises. */
import { totalSteps } from '../../../src/recipe/forecast';
import type { Recipe } from '../../../src/recipe/types';
import type { ModelInfo, Session, TrainEvent } from '../../../src/session/api';
import { runName } from '../../../src/session/run-name';
import type { MetricsRow, RunRecord, SampleAnswer } from '../../../src/storage/types';
import { classFigures } from './classes';
import type { ScriptedDatasets } from './datasets';
import { deviceOf, type ScriptedDevice } from './device';
import { trainedOf } from './memory';
import { evalRow, samplesAt, stepRow } from './metrics';
import { sleep } from './sleep';

export interface RunsScript {
  stepMs: number;
  device: ScriptedDevice;
  /** Starts with two finished runs and an interrupted one, or with so many more. */
  history: number;
}

export interface ScriptedRuns
  extends Pick<
    Session,
    | 'train'
    | 'resumeRun'
    | 'saveRun'
    | 'pause'
    | 'resume'
    | 'stop'
    | 'subscribe'
    | 'runs'
    | 'runMetrics'
    | 'runSamples'
    | 'labelRun'
    | 'deleteRun'
  > {
  records: readonly RunRecord[];
  /** The time of a step is known. */
  measured(): boolean;
}

export function createScriptedRuns(
  script: RunsScript,
  opened: () => ModelInfo,
  { lengthsOf }: Pick<ScriptedDatasets, 'lengthsOf'>,
): ScriptedRuns {
  const listeners = new Set<(event: TrainEvent) => void>();
  const runs: RunRecord[] = [];
  const metrics = new Map<string, MetricsRow[]>();
  const samples = new Map<string, SampleAnswer[]>();
  let paused = false;
  let stopping = false;
  let measured = script.history > 0;
  const emit = (event: TrainEvent) => {
    for (const listener of listeners) listener(event);
  };

  function record(recipe: Recipe, total: number): RunRecord {
    const now = Date.now();
    return {
      id: `run-${runs.length + 1}`,
      name: runName(recipe, new Set(runs.map(({ name }) => name))),
      createdAt: now,
      updatedAt: now,
      recipe,
      status: 'running',
      step: 0,
      totalSteps: total,
      trainableParameters: trainedOf(recipe, opened()),
      totalParameters: opened().parameters,
      initialEvalLoss: 3.42,
      bestEvalLoss: null,
      bestStep: null,
      finalLoss: null,
      error: null,
      ...(recipe.training.fp16 ? { fp16: { used: true, logits: 0.0123, loss: 0.00021 } } : {}),
    };
  }

  async function go(run: RunRecord): Promise<RunRecord> {
    const { recipe, totalSteps: total } = run;
    paused = stopping = false;
    await sleep(200);
    run.status = 'running';
    const perEpoch = Math.round(total / recipe.training.num_train_epochs);
    emit({ type: 'started', run: { ...run }, totalSteps: total, stepsPerEpoch: perEpoch, resumedFrom: run.step });
    const rows = metrics.get(run.id) ?? [];
    metrics.set(run.id, rows);
    const tell = (row: MetricsRow) => {
      rows.push(row);
      emit({ type: 'metrics', row, tokensPerSecond: 1950, secondsLeft: ((total - row.step) * script.stepMs) / 1000 });
    };
    if (run.step === 0) tell(evalRow(0, total, recipe.objective.type));
    for (let step = run.step + 1; step <= total && !stopping; step++) {
      await sleep(script.stepMs);
      if (paused) emit({ type: 'state', state: 'paused' });
      while (paused && !stopping) await sleep(20);
      if (step > 1) emit({ type: 'state', state: 'training' });
      const row = stepRow(step, total, recipe);
      tell(row);
      run.step = step;
      run.finalLoss = row.kind === 'step' ? row.loss : null;
      if (step % recipe.training.eval_steps === 0 || step === total) {
        emit({ type: 'state', state: 'evaluating' });
        const evaluated = evalRow(step, total, recipe.objective.type);
        tell(evaluated);
        run.bestEvalLoss = evaluated.kind === 'eval' ? evaluated.eval_loss : null;
        run.bestStep = step;
        if (classFigures(recipe.objective.type, 1).report) continue;
        const said = samplesAt(step);
        samples.set(run.id, [...(samples.get(run.id) ?? []), ...said]);
        emit({ type: 'samples', answers: said });
      }
    }
    measured = true;
    run.status = stopping ? 'stopped' : 'completed';
    run.seconds = run.step * 0.21;
    run.updatedAt = Date.now();
    emit({
      type: 'finished',
      run: { ...run },
      summary: {
        recipe,
        reason: stopping ? 'stopped' : 'completed',
        steps: run.step,
        tokens: run.step * 410,
        seconds: run.step * 0.21,
        initialEvalLoss: run.initialEvalLoss,
        finalEvalLoss: run.bestEvalLoss,
        bestEvalLoss: run.bestEvalLoss,
        bestStep: run.bestStep,
        trainableParameters: run.trainableParameters,
        totalParameters: run.totalParameters,
        gradientCheckpointing: false,
        microBatchesTogether: 1,
        fp16: run.fp16 ?? null,
        dispatchesPerStep: 412,
        gpuBytes: 61_500_000,
        metrics: classFigures(recipe.objective.type, 1).metrics ?? null,
        forgetting: { before: 3.1, after: 3.24 },
        weightChange: 0.021,
        device: deviceOf(script.device),
        versions: {},
      },
    });
    return { ...run };
  }

  async function addHistory() {
    const { defaultRecipe } = await import('../../../src/recipe/defaults');
    const { withValue } = await import('../../../src/recipe/diff');
    const past: [number, RunRecord['status'], number][] = [
      [64, 'completed', 86],
      [16, 'completed', 86],
      [16, 'interrupted', 40],
    ];
    for (let i = past.length; i < script.history; i++) past.unshift([[8, 16, 32][i % 3]!, 'completed', 86]);
    past.forEach(([r, status, step], i) => {
      const other = withValue(defaultRecipe(), 'method.r', r) as Recipe;
      const recipe = withValue(other, 'training.learning_rate', i % 2 === 0 ? 2e-4 : 1e-3) as Recipe;
      const run = record(recipe, 86);
      const rows: MetricsRow[] = [evalRow(0, 86)];
      for (let at = 1; at <= step; at++) {
        const row = stepRow(at, 86 + (r === 64 ? -30 : 0), recipe);
        rows.push(row);
        if (at % 20 === 0) rows.push(evalRow(at, 86));
      }
      // Each a little lower than the one before.
      const best = evalRow(step, 86 - 2 * i);
      Object.assign(run, {
        status,
        step,
        createdAt: Date.now() - (past.length + 1 - i) * 5_400_000,
        updatedAt: Date.now() - (past.length + 1 - i) * 5_300_000,
        seconds: step * 0.21,
        finalLoss: 1.31,
        bestEvalLoss: best.kind === 'eval' ? best.eval_loss : null,
        bestStep: step,
      });
      metrics.set(run.id, rows);
      samples.set(run.id, [...samplesAt(20), ...samplesAt(40)]);
      runs.push(run);
    });
  }
  const ready = script.history > 0 ? addHistory() : Promise.resolve();

  return {
    records: runs,
    measured: () => measured,
    async train(recipe) {
      const lengths = await lengthsOf(recipe);
      const train = Math.round(lengths.length * (1 - recipe.dataset.validation_split));
      const run = record(recipe, totalSteps(train, recipe));
      runs.push(run);
      return go(run);
    },
    async resumeRun(id) {
      return go(runs.find((run) => run.id === id)!);
    },
    async saveRun() {},
    async pause() {
      paused = true;
    },
    async resume() {
      paused = false;
    },
    async stop() {
      stopping = true;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async runs() {
      await ready;
      return runs.map((run) => ({ ...run }));
    },
    runMetrics: async (id) => [...(metrics.get(id) ?? [])],
    runSamples: async (id) => samples.get(id) ?? [],
    async labelRun(id, change) {
      const run = runs.find((one) => one.id === id)!;
      Object.assign(run, change);
      return { ...run };
    },
    async deleteRun(id) {
      runs.splice(
        runs.findIndex((run) => run.id === id),
        1,
      );
    },
  };
}
