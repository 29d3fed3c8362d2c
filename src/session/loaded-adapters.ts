/**
 * The adapters that a person has at hand for the open model: each that was trained, opened from a run or brought in from
 * files in this tab, of which one at most is on the model. Only that one takes memory on the GPU.
 */
import { TabtuneError } from '../base/errors';
import type { MethodType, ObjectiveType } from '../recipe/types';
import type { AdapterFiles } from '../workers/engine/api';
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
        ? { method: origin.recipe.method.type, objective: origin.recipe.objective.type }
        : kindOf(origin.files);
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

const methods: Record<string, MethodType> = {
  LORA: 'lora',
  IA3: 'ia3',
  PREFIX_TUNING: 'prefix_tuning',
  PROMPT_TUNING: 'prompt_tuning',
  P_TUNING: 'p_tuning',
};
const objectives: Record<string, ObjectiveType> = {
  SEQ_CLS: 'sequence_classification',
  TOKEN_CLS: 'token_classification',
};

/**
 * What an adapter's own config says that it is. The engine has opened it by now, so its files are in order; of AdapterHub's
 * the config has no peft_type, and a head is a file of its own. labels.json is Tabtune's.
 */
export function kindOf(files: AdapterFiles): Pick<LoadedAdapter, 'method' | 'objective'> {
  const json = (name: string): Record<string, unknown> => {
    const file = files.find(({ path }) => path === name || path.endsWith(`/${name}`));
    try {
      return file ? (JSON.parse(new TextDecoder().decode(file.bytes)) as Record<string, unknown>) : {};
    } catch {
      return {};
    }
  };
  const { peft_type, task_type } = json('adapter_config.json');
  const { problem_type } = json('labels.json');
  const { model_class } = json('head_config.json');
  const headed =
    problem_type === 'token_classification' || /ForTokenClassification$/.test(String(model_class))
      ? 'token_classification'
      : problem_type !== undefined || /ForSequenceClassification$/.test(String(model_class))
        ? 'sequence_classification'
        : undefined;
  return {
    method: methods[String(peft_type)] ?? 'bottleneck',
    objective: headed ?? objectives[String(task_type)] ?? 'sft',
  };
}

const gone = (id: string) =>
  new TabtuneError({
    code: 'bad_adapter',
    message: `The adapter ${id.replace(/^\w+:/, '')} is no longer loaded.`,
    action: 'Open its run or its files again.',
  });
