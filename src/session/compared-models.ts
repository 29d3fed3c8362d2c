/**
 * The models that are compared, as the engine holds them: which keys they have, where they come from, and whether they fit on
 * the GPU together. Adapters are small; a method that trains the model itself leaves all of its weights behind.
 */
import { TabtuneError } from '../base/errors';
import type { AdapterFiles } from '../formats/adapter-format';
import { methodOf } from '../methods';
import type { Recipe } from '../recipe/types';
import type { Remote } from '../rpc/rpc';
import { checkpointInfo } from '../storage/checkpoints';
import { getRun } from '../storage/runs';
import type { CheckpointInfo, RunRecord } from '../storage/types';
import type { EngineApi } from '../workers/engine/api';
import type { HeldFrom, On } from '../workers/engine/held';
import type { DeviceReport } from './api';
import type { KeptCheckpoint, ModelId } from './comparison-types';
import type { AdapterOrigin, EngineHost } from './engine-host';
import type { GpuMemory } from './gpu-memory';
import type { LoadedAdapters } from './loaded-adapters';
import type { ModelSession } from './models';

export interface ModelNeeds {
  engine: EngineHost;
  models: ModelSession;
  loaded: LoadedAdapters;
  memory: GpuMemory;
  device(): Promise<DeviceReport>;
}

/** A model to compare, found in storage or among what is loaded. */
export interface Found {
  on: On;
  /** How to open it, if it has to be. */
  from: HeldFrom | null;
  /** Bytes that it takes beside the base; 0 for what is on the GPU anyway. */
  bytes: number;
  run: RunRecord | null;
}

/** Weights beside the base may take so much where nothing is known of the GPU's memory. */
const UNKNOWN_MEMORY = 2 ** 30;
/** A small adapter, of which nobody counts the bytes. */
const SMALL = 0;

export class ComparedModels {
  private readonly numbers = new WeakMap<AdapterFiles, number>();
  private count = 0;

  constructor(private readonly needs: ModelNeeds) {}

  /** Throws if it is gone, or belongs to another model than the open one. */
  async find(id: ModelId): Promise<Found> {
    if (id === 'base') return { on: null, from: null, bytes: 0, run: null };
    const current = this.needs.engine.currentAdapter;
    if (id.startsWith('file:')) {
      const origin = this.needs.loaded.origin(id);
      if (origin?.kind !== 'files') throw gone(id.slice('file:'.length));
      if (current === origin) return { on: 'active', from: null, bytes: 0, run: null };
      const key = `${id}#${this.numberOf(origin.files)}`;
      return { on: { key }, from: { kind: 'files', files: origin.files }, bytes: SMALL, run: null };
    }
    const [runId, slot] = id.slice('run:'.length).split('@') as [string, KeptCheckpoint['slot'] | undefined];
    const run = await this.run(runId);
    const of = await chosen(runId, slot);
    if (!of) throw nothingSaved(run, slot);
    // What a run leaves behind is its best checkpoint, and the active adapter is that.
    if (slot === undefined && isOf(current, runId)) return { on: 'active', from: null, bytes: 0, run };
    const { recipe } = run;
    const whole = !methodOf(recipe.method).files;
    const { step, createdAt } = of.info;
    return {
      on: { key: `run:${runId}@${of.slot}#${step}/${createdAt}` },
      from: { kind: 'run', runId, slot: of.slot, recipe },
      bytes: whole ? 4 * run.trainableParameters : SMALL,
      run,
    };
  }

  /** Of the open model. */
  async run(runId: string): Promise<RunRecord> {
    const run = await getRun(runId);
    if (!run) throw gone(runId);
    const open = this.needs.models.require();
    const { source } = run.recipe.model;
    if (source === open.source) return run;
    throw new TabtuneError({
      code: 'bad_adapter',
      message: `“${run.name}” was trained on another model, not on ${open.info.title}.`,
      where: source,
      action: 'Open that model first: only runs of the open model can be compared.',
    });
  }

  /** Whether all of them can be on the GPU with the base at the same time. */
  async fitTogether(found: readonly Found[]): Promise<boolean> {
    const beside = distinct(found).reduce((sum, { bytes }) => sum + bytes, 0);
    if (beside === 0) return true;
    const budget = this.needs.memory.budget(await this.needs.device());
    if (!budget) return beside <= UNKNOWN_MEMORY;
    return this.needs.models.require().info.bytes + this.activeBytes() + beside <= budget.bytes;
  }

  /** What the active adapter takes, which stays. */
  private activeBytes(): number {
    const origin = this.needs.engine.currentAdapter;
    if (origin?.kind !== 'run' || methodOf(origin.recipe.method).files) return SMALL;
    return 4 * this.needs.models.require().info.parameters;
  }

  /** Puts them on the GPU and frees what else is held there. */
  async hold(api: Remote<EngineApi>, found: readonly Found[]): Promise<void> {
    const wanted = distinct(found);
    await api.release(wanted.map(keyOf));
    const held = new Set(await api.held());
    for (const one of wanted) if (one.from && !held.has(keyOf(one))) await api.hold(keyOf(one), one.from);
  }

  private numberOf(files: AdapterFiles): number {
    const number = this.numbers.get(files) ?? ++this.count;
    this.numbers.set(files, number);
    return number;
  }
}

/** The base with a head that has learned nothing, as a run of this recipe begins. */
export function untrained(task: NonNullable<RunRecord['task']>, { training }: Pick<Recipe, 'training'>): Found {
  const key = `untrained:${training.seed}:${task.problemType}:${task.labels.join('\n')}`;
  return { on: { key }, from: { kind: 'untrained', task, seed: training.seed }, bytes: SMALL, run: null };
}

/** The checkpoint of a slot, or by default the one that a run leaves behind: the best, else the latest. */
async function chosen(
  runId: string,
  slot?: KeptCheckpoint['slot'],
): Promise<{ slot: KeptCheckpoint['slot']; info: CheckpointInfo } | null> {
  for (const one of slot ? [slot] : (['best', 'latest'] as const)) {
    const info = await checkpointInfo(runId, one);
    if (info) return { slot: one, info };
  }
  return null;
}

export async function keptCheckpoints(runId: string): Promise<KeptCheckpoint[]> {
  const [best, latest] = [await checkpointInfo(runId, 'best'), await checkpointInfo(runId, 'latest')];
  const kept: KeptCheckpoint[] = [];
  if (best) kept.push({ slot: 'best', step: best.step, createdAt: best.createdAt });
  if (latest && latest.step !== best?.step) {
    kept.push({ slot: 'latest', step: latest.step, createdAt: latest.createdAt });
  }
  return kept;
}

const keyOf = ({ on }: Found): string => (on !== null && on !== 'active' ? on.key : '');

/** What has to be held, once each. */
const distinct = (found: readonly Found[]): Found[] => [
  ...new Map(found.filter(({ from }) => from).map((one) => [keyOf(one), one])).values(),
];

const isOf = (origin: AdapterOrigin | null, runId: string) => origin?.kind === 'run' && origin.runId === runId;

const gone = (name: string) =>
  new TabtuneError({
    code: 'bad_adapter',
    message: `${name} is no longer here to be compared.`,
    action: 'Choose another model for this column.',
  });

function nothingSaved(run: RunRecord, slot?: string): TabtuneError {
  return new TabtuneError({
    code: 'storage',
    message: slot ? `“${run.name}” keeps no ${slot} checkpoint.` : `“${run.name}” ended before anything was saved.`,
    action: 'Choose another model for this column.',
  });
}
