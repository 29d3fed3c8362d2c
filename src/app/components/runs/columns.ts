/** The table of runs: what each column shows and sorts by, which runs are shown, and in which order. */
import { parseHubName } from '../../../hub/hub-id';
import { methodOf } from '../../../methods';
import { objectiveOf } from '../../../objectives';
import type { RunRecord, RunStatus } from '../../../storage/types';
import { earnsRewards, shownLoss } from '../../../stores/evaluations';
import { comparable } from '../../../stores/runs';
import { columnText, runTableText } from '../../text/runs';
import { factsText } from '../../text/train';
import { formatBytes, formatCompact, formatDuration, formatMetric, formatRate, formatWhen } from '../../util/format';

/** A run with all that the table shows of it. */
export interface RunEntry {
  run: RunRecord;
  model: string;
  data: string;
  /** Of its checkpoints; null while unknown. */
  bytes: number | null;
  /** How many runs it is the best of; 0 if it is not. */
  bestOf: number;
}

export interface Column {
  id: string;
  label: string;
  /** Aligned at the right. */
  numeric?: true;
  /** Shown unless somebody has chosen columns. */
  usual?: true;
  text: (entry: RunEntry) => string;
  /** What it sorts by; null comes last either way. */
  value: (entry: RunEntry) => number | string | null;
}

/** The most telling of the objective's metrics that the run has. */
export function mainMetric({ recipe, bestMetrics }: RunRecord): { label: string; value: number } | null {
  const known = objectiveOf(recipe.objective).metrics.find(({ name }) => bestMetrics?.[name] !== undefined);
  return known ? { label: known.label, value: bestMetrics![known.name]! } : null;
}

const methodName = ({ recipe: { method, model } }: RunRecord) =>
  methodOf(method).summary(method, model.quantization !== 'none');

export const columns: Column[] = [
  { id: 'model', label: columnText.model, text: ({ model }) => model, value: ({ model }) => model },
  { id: 'data', label: columnText.data, usual: true, text: ({ data }) => data, value: ({ data }) => data },
  {
    id: 'objective',
    label: columnText.objective,
    text: ({ run }) => objectiveOf(run.recipe.objective).label,
    value: ({ run }) => objectiveOf(run.recipe.objective).label,
  },
  {
    id: 'method',
    label: columnText.method,
    usual: true,
    text: ({ run }) => methodName(run),
    value: ({ run }) => methodName(run),
  },
  {
    id: 'rate',
    label: columnText.rate,
    numeric: true,
    text: ({ run }) => formatRate(run.recipe.training.learning_rate),
    value: ({ run }) => run.recipe.training.learning_rate,
  },
  {
    id: 'status',
    label: columnText.status,
    usual: true,
    text: ({ run }) => factsText.statuses[run.status],
    value: ({ run }) => factsText.statuses[run.status],
  },
  {
    id: 'steps',
    label: columnText.steps,
    numeric: true,
    usual: true,
    text: ({ run }) => (run.step === run.totalSteps ? String(run.step) : `${run.step} / ${run.totalSteps}`),
    value: ({ run }) => run.step,
  },
  {
    id: 'loss',
    label: columnText.loss,
    numeric: true,
    usual: true,
    text: ({ run }) => {
      const best = formatMetric(shownLoss(run, run.bestEvalLoss));
      return earnsRewards(run) && run.bestEvalLoss !== null ? columnText.reward(best) : best;
    },
    value: ({ run }) => run.bestEvalLoss,
  },
  {
    id: 'metric',
    label: columnText.metric,
    numeric: true,
    text({ run }) {
      const metric = mainMetric(run);
      return metric ? runTableText.metric(metric.label, formatMetric(metric.value)) : formatMetric(null);
    },
    value: ({ run }) => mainMetric(run)?.value ?? null,
  },
  {
    id: 'trainingLoss',
    label: columnText.trainingLoss,
    numeric: true,
    text: ({ run }) => formatMetric(run.finalLoss),
    value: ({ run }) => run.finalLoss,
  },
  {
    id: 'duration',
    label: columnText.duration,
    numeric: true,
    usual: true,
    text: ({ run }) => (run.seconds === undefined ? formatMetric(null) : formatDuration(run.seconds)),
    value: ({ run }) => run.seconds ?? null,
  },
  {
    id: 'date',
    label: columnText.date,
    usual: true,
    text: ({ run }) => formatWhen(run.createdAt),
    value: ({ run }) => run.createdAt,
  },
  {
    id: 'size',
    label: columnText.size,
    numeric: true,
    text: ({ bytes }) => (bytes === null ? formatMetric(null) : formatBytes(bytes)),
    value: ({ bytes }) => bytes,
  },
  {
    id: 'parameters',
    label: columnText.parameters,
    numeric: true,
    text: ({ run }) => formatCompact(run.trainableParameters),
    value: ({ run }) => run.trainableParameters,
  },
];

const nameColumn: Column = {
  id: 'name',
  label: columnText.name,
  text: ({ run }) => run.name,
  value: ({ run }) => run.name,
};

/** What the table can be sorted by. */
export const sortable: Column[] = [nameColumn, ...columns];

/** The chosen columns in the table's own order; what an older version knew and this one does not is left out. */
export function shownColumns(chosen: readonly string[] | null): Column[] {
  return columns.filter(({ id, usual }) => (chosen ? chosen.includes(id) : usual));
}

export interface Sort {
  column: string;
  descending: boolean;
}

export const usualSort: Sort = { column: 'date', descending: true };

/** `builtin:stories` under its title, a Hub model without its owner, a file under its name. */
export function modelNameOf(source: string, titles: ReadonlyMap<string, string>): string {
  const name = source.replace(/^[a-z]+:/, '');
  if (source.startsWith('builtin:')) return titles.get(name) ?? name;
  if (!source.startsWith('hf:')) return name;
  try {
    const { id, file } = parseHubName(source);
    return file?.split('/').at(-1) ?? id.split('/').at(-1)!;
  } catch {
    return name;
  }
}

export function entriesOf(
  runs: readonly RunRecord[],
  titles: ReadonlyMap<string, string>,
  sizes: Readonly<Record<string, number>>,
): RunEntry[] {
  const best = bestRuns(runs);
  return runs.map((run) => ({
    run,
    model: modelNameOf(run.recipe.model.source, titles),
    data: run.recipe.dataset.source.replace(/^[a-z]+:/, ''),
    bytes: sizes[run.id] ?? null,
    bestOf: best.get(run.id) ?? 0,
  }));
}

/** The run with the lowest validation loss of each group of comparable runs, and how many it was compared with. */
export function bestRuns(runs: readonly RunRecord[]): Map<string, number> {
  const groups = new Map<string, RunRecord[]>();
  for (const run of runs) {
    if (run.bestEvalLoss === null || !Number.isFinite(run.bestEvalLoss)) continue;
    const group = comparable(run);
    groups.set(group, [...(groups.get(group) ?? []), run]);
  }
  const best = new Map<string, number>();
  for (const group of groups.values()) {
    // One run alone has been compared with nothing.
    if (group.length < 2) continue;
    const lowest = Math.min(...group.map(({ bestEvalLoss }) => bestEvalLoss!));
    for (const run of group) if (run.bestEvalLoss === lowest) best.set(run.id, group.length);
  }
  return best;
}

export interface Filters {
  text: string;
  status: RunStatus | '';
  model: string;
  tag: string;
}

export const noFilters: Filters = { text: '', status: '', model: '', tag: '' };

/** Every word must occur in something that the table says of the run. */
export function matching(entries: readonly RunEntry[], { text, status, model, tag }: Filters): RunEntry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((entry) => {
    const { run } = entry;
    if (status && run.status !== status) return false;
    if (model && entry.model !== model) return false;
    if (tag && !run.tags?.includes(tag)) return false;
    if (words.length === 0) return true;
    const said = [run.name, run.note, ...(run.tags ?? []), entry.model, entry.data, methodName(run)];
    const all = [...said, factsText.statuses[run.status]].join('\n').toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Pinned runs first; what has no value last; equal ones by their age. */
export function sorted(entries: readonly RunEntry[], { column, descending }: Sort): RunEntry[] {
  const { value } = sortable.find(({ id }) => id === column) ?? sortable.find(({ id }) => id === usualSort.column)!;
  const compare = (a: RunEntry, b: RunEntry): number => {
    const [x, y] = [value(a), value(b)];
    if (x === y) return 0;
    if (x === null) return 1;
    if (y === null) return -1;
    const order = typeof x === 'string' || typeof y === 'string' ? collator.compare(String(x), String(y)) : x - y;
    return descending ? -order : order;
  };
  return [...entries].sort(
    (a, b) =>
      Number(b.run.pinned ?? false) - Number(a.run.pinned ?? false) ||
      compare(a, b) ||
      b.run.createdAt - a.run.createdAt,
  );
}

/** Every tag of these runs, in alphabetical order. */
export const tagsOf = (runs: readonly RunRecord[]): string[] =>
  [...new Set(runs.flatMap(({ tags }) => tags ?? []))].sort(collator.compare);

export const modelsOf = (entries: readonly RunEntry[]): string[] =>
  [...new Set(entries.map(({ model }) => model))].sort(collator.compare);

export const statusesOf = (runs: readonly RunRecord[]): RunStatus[] => [...new Set(runs.map(({ status }) => status))];

const MOST_TAGS = 20;
const LONGEST_TAG = 40;

/** Tags as a person types them, each once and not too long. */
export function tagsIn(typed: string): string[] {
  const tags = typed.split(',').map((tag) => tag.replace(/\s+/g, ' ').trim().slice(0, LONGEST_TAG).trim());
  return [...new Set(tags.filter(Boolean))].slice(0, MOST_TAGS);
}
