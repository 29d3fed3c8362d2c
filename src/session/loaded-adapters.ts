/**
 * The adapters that a person has at hand for the open model: each that was trained, opened from a run or brought in from
 * files in this tab, of which one at most is on the model. Only that one takes memory on the GPU.
 */
import { TabtuneError } from '../base/errors';
import { defaultMethod } from '../methods';
import { aboutAdapter } from '../methods/read-adapter';
import { objectiveOfTask } from '../objectives';

import { resolveRecipe } from '../recipe/defaults';
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
    const kind =
      origin.kind === 'run'
        ? { method: origin.recipe.method.type, objective: origin.recipe.objective.type, settings: origin.recipe.method }
        : kindOf(origin);
    this.known.delete(id);
    this.known.set(id, {
      id,
      name,
      ...kind,
      trainableParameters,
      runId: run?.runId ?? null,
      origin,
    });
  }

  /** Its run has another name. */
  rename(runId: string, name: string): void {
    for (const adapter of this.known.values()) if (adapter.runId === runId) adapter.name = name;
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

  /** Where a loaded adapter comes from; undefined if it is not loaded. */
  origin(id: string): AdapterOrigin | undefined {
    return this.known.get(id)?.origin;
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

/** What an adapter's own files say it is. */
export function kindOf({
  files,
  settings,
}: Pick<Extract<AdapterOrigin, { kind: 'files' }>, 'files' | 'settings'>): Pick<
  LoadedAdapter,
  'method' | 'objective' | 'settings'
> {
  const { method, head } = aboutAdapter(files);
  const type = settings?.type ?? method ?? defaultMethod;
  const known = settings ?? resolveRecipe({ version: 1, method: { type } }).method;
  return { method: type, objective: objectiveOfTask(head, 'decoder').type, settings: known };
}

const gone = (id: string) =>
  new TabtuneError({
    code: 'bad_adapter',
    message: `The adapter ${id.replace(/^\w+:/, '')} is no longer loaded.`,
    action: 'Open its run or its files again.',
  });
