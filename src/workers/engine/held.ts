/**
 * What is held on the GPU beside the active adapter, so that several can be compared: adapters of runs and of files, and the
 * base with a head that has learned nothing yet. All of them share the base's weights.
 */
import { TabtuneError } from '../../base/errors';
import type { TaskData } from '../../data/types';
import { inference, type Method } from '../../engine/methods/method';
import type { LanguageModel } from '../../engine/models/model';
import { withTaskHead } from '../../engine/models/with-head';
import type { Hooks } from '../../engine/types';
import type { AdapterFiles } from '../../formats/adapter-format';
import type { Recipe } from '../../recipe/types';
import type { CheckpointSlot } from '../../storage/checkpoints';
import { type HeadSource, headOptions, openAdapter } from './adapters';
import { openSlot } from './open-run';

/** What to compute with: the base (null), the active adapter, or what is held under a key. */
export type On = null | 'active' | { key: string };

export type HeldFrom =
  | { kind: 'run'; runId: string; slot: CheckpointSlot; recipe: Recipe }
  | { kind: 'files'; files: AdapterFiles }
  /** The base with a new head, as a run begins. */
  | { kind: 'untrained'; task: TaskData; seed: number };

export interface Held {
  model: LanguageModel;
  /** Null for a base. */
  method: Method | null;
  dispose(): void;
}

export interface Ground {
  base: LanguageModel;
  head: HeadSource;
}

export class HeldAdapters {
  private readonly held = new Map<string, Held>();
  /** Counts the times that everything was released: what is opened meanwhile must not stay. */
  private cleared = 0;

  get keys(): string[] {
    return [...this.held.keys()];
  }

  async hold(key: string, from: HeldFrom, ground: Ground): Promise<void> {
    if (this.held.has(key)) return;
    const { cleared } = this;
    const one = await opened(from, ground);
    if (cleared === this.cleared) {
      this.held.set(key, one);
      return;
    }
    one.dispose();
    throw new TabtuneError({ code: 'cancelled', message: 'The GPU is needed for something else.' });
  }

  get(key: string): Held {
    const found = this.held.get(key);
    if (found) return found;
    throw new TabtuneError({
      code: 'bad_adapter',
      message: 'The models to compare are no longer on the GPU.',
      where: key,
      action: 'Try again: they will be loaded again.',
    });
  }

  /** Frees everything, for another model or a run. */
  clear(): void {
    this.cleared++;
    this.release([]);
  }

  release(keep: readonly string[]): void {
    for (const [key, held] of [...this.held]) {
      if (keep.includes(key)) continue;
      held.dispose();
      this.held.delete(key);
    }
  }
}

async function opened(from: HeldFrom, { base, head }: Ground): Promise<Held> {
  switch (from.kind) {
    case 'files':
      return openAdapter(base, from.files, head);
    case 'untrained': {
      const model = await withTaskHead(base, from.task, {
        seed: from.seed,
        ...headOptions(from.task, undefined, head),
      });
      return { model, method: null, dispose: () => model.dispose() };
    }
    case 'run':
      return openSlot(from.runId, from.slot, from.recipe, { base, head });
  }
}

/** The forward pass at a strength; a base has only one. */
export const hooksOf = ({ method }: Held, strength: number): Hooks => method?.hooks(inference(strength)) ?? {};
