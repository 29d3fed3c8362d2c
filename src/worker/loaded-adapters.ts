/**
 * The adapters that a person has at hand for the open model: each that was trained, opened from a run or brought in from
 * files in this tab, of which one at most is on the model. Only that one takes memory on the GPU.
 */
import { TabtuneError } from '../base/errors';
import type { LoadedAdapter } from './api';
import type { AdapterOrigin, EngineHost } from './engine-host';

type Known = Omit<LoadedAdapter, 'active'> & { origin: AdapterOrigin };

const idOf = (origin: AdapterOrigin) => (origin.kind === 'run' ? `run:${origin.runId}` : `file:${origin.name}`);

export class LoadedAdapters {
  private readonly known = new Map<string, Known>();

  constructor(private readonly engine: EngineHost) {}

  /** Remembers what is on the model now. */
  note(name: string, trainableParameters: number): void {
    const origin = this.engine.currentAdapter;
    if (!origin) return;
    const id = idOf(origin);
    const run = origin.kind === 'run' ? origin : null;
    this.known.delete(id);
    this.known.set(id, {
      id,
      name,
      // An adapter without a recipe came in PEFT's format of LoRA, for a model that writes.
      method: run?.recipe.method.type ?? 'lora',
      objective: run?.recipe.objective.type ?? 'sft',
      trainableParameters,
      runId: run?.runId ?? null,
      origin,
    });
  }

  /** Another model: none of them fits it. */
  forget(): void {
    this.known.clear();
  }

  list(): LoadedAdapter[] {
    const current = this.engine.currentAdapter;
    const active = current && idOf(current);
    return [...this.known.values()].map(({ origin: _, ...adapter }) => ({ ...adapter, active: adapter.id === active }));
  }

  async activate(id: string | null): Promise<void> {
    if (id === null) {
      this.engine.want(null);
      return;
    }
    const known = this.known.get(id);
    if (!known) throw gone(id);
    await this.engine.attach(known.origin);
  }

  async remove(id: string): Promise<void> {
    const known = this.known.get(id);
    if (!known) throw gone(id);
    if (this.list().some((adapter) => adapter.id === id && adapter.active)) await this.activate(null);
    this.known.delete(id);
  }
}

const gone = (id: string) =>
  new TabtuneError({
    code: 'bad_adapter',
    message: `The adapter ${id.replace(/^\w+:/, '')} is no longer loaded.`,
    action: 'Open its run or its files again.',
  });
