/** What a run needs from the rest of the session, and what is known of the run of this tab. */
import { TabtuneError } from '../base/errors';
import type { SeenProducts } from '../base/product-class';
import type { ParsedDataset, TokenizedDataset, TokenizedExample } from '../data/types';
import type { WrittenRows } from '../data/written-row';
import type { Shader } from '../engine/run/dry-run';
import type { AdapterFiles } from '../formats/adapter-format';
import type { ModelSection, Recipe } from '../recipe/types';
import type { RewardSection } from '../rewards';
import type { InputFingerprint, MetricsRow, RunRecord } from '../storage/types';
import type { AnswerToRead, PageScores } from '../workers/engine/api';
import type { DeviceReport } from './api';
import type { EngineHost } from './engine-host';
import type { GpuMemory } from './gpu-memory';
import type { OpenModel } from './models';
import type { PageLocks } from './run-guard';

export interface TrainingNeeds {
  engine: EngineHost;
  locks: PageLocks | null;
  memory: GpuMemory;
  device(): Promise<DeviceReport>;
  /** Throws what makes the run impossible on this device. With so many micro-batches `together`, if that is given. */
  plan(
    recipe: Recipe,
    model: OpenModel,
    tokenized: TokenizedDataset,
    together?: number | null,
  ): Promise<{
    checkpointing: boolean;
    together: number;
    bytes: number;
    products: SeenProducts[];
    shaders: Shader[];
  }>;
  /** The recipe's model, opened if it is not. */
  model(section: ModelSection): Promise<OpenModel>;
  dataset(recipe: Recipe): Promise<ParsedDataset>;
  tokenize(recipe: Recipe): Promise<TokenizedDataset>;
  /** The rows of both sides for another trainer's files. */
  written(recipe: Recipe): Promise<WrittenRows>;
  /** Pieces of dataset.base_text; none if the recipe needs none. */
  baseText(recipe: Recipe): Promise<TokenizedExample[]>;
  /** A text's tokens, without the special tokens around them. */
  encodeText(text: string): Promise<Int32Array>;
  encodePrompt(prompt: string, system?: string): Promise<Int32Array>;
  decode(ids: Int32Array): Promise<string>;
  /** Throws what keeps rewards from being computed for these examples. */
  checkRewards(rewards: readonly RewardSection[], examples: readonly TokenizedExample[]): void;
  /** The rewards of answers. */
  score(rewards: readonly RewardSection[], answers: readonly AnswerToRead[]): Promise<PageScores>;
  /** The adapters of reward models from files; throws if one cannot be used. */
  rewardModels(recipe: Recipe): Promise<Record<string, AdapterFiles>>;
  /** The recipe with the settings of the adapter that it continues; throws if that does not fit. */
  continued(recipe: Recipe): Promise<Recipe>;
  /** The files of `method.init_adapter`. */
  adapterFiles(source: string): Promise<AdapterFiles>;
  /** Of what the recipe names, by content. */
  datasetFingerprint(recipe: Recipe): Promise<InputFingerprint>;
  baseFingerprint(recipe: Recipe): Promise<InputFingerprint | null>;
  /** Something of value is about to be stored. */
  onSave(): void;
}

export interface ActiveRun {
  record: RunRecord | null;
  /** Training has begun; before that, `stop` ends the preparation. */
  training: boolean;
  stopAsked: boolean;
  /** Rejects when a stop is asked for; what is being prepared is then not waited for. */
  stopped: Promise<never>;
  /** Asks for a stop. */
  askStop(): void;
  /** When the engine last reported something, and the longest time between two reports, in milliseconds. */
  heard: { at: number; longest: number };
  hasCheckpoint: boolean;
  /** The record of the run that is being resumed, as it was, until its first step; null from then on. */
  before: RunRecord | null;
  /** Planned GPU bytes; 0 if they could not be planned. */
  plannedBytes: number;
  done: Promise<RunRecord>;
}

/** What the preparation of a run looks at, and notes. */
export type Preparing = Pick<ActiveRun, 'stopped' | 'hasCheckpoint' | 'plannedBytes'>;

/** A preparation that ends with this message when the signal fires. */
export function preparingUntil(signal: AbortSignal, message: string): Preparing {
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(new TabtuneError({ code: 'cancelled', message }));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
  });
  stopped.catch(() => {});
  return { stopped, hasCheckpoint: false, plannedBytes: 0 };
}

/** A prompt that is answered at every evaluation. */
export interface AskedPrompt {
  text: string;
  ids: Int32Array;
  expected: string | undefined;
}

/** What a row of metrics changes about a run's record. */
export function changesBy(record: RunRecord, row: MetricsRow): Partial<RunRecord> {
  const { step, seconds } = row;
  if (row.kind === 'step') return { step, seconds, finalLoss: row.loss };
  return {
    step,
    seconds,
    ...(row.step === 0 && record.initialEvalLoss === null ? { initialEvalLoss: row.eval_loss } : {}),
    ...(row.best ? { bestEvalLoss: row.eval_loss, bestStep: row.step, bestMetrics: row.metrics } : {}),
  };
}
