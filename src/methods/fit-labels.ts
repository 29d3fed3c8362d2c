/**
 * The head of an adapter that is continued, with its rows in the order of the data's labels. The order of a dataset's labels is
 * its own; trained on as it stands, a head with another order would begin by mistaking each class for another.
 */
import { TabtuneError } from '../base/errors';
import type { TaskData } from '../base/task';
import { isLabelWeight } from '../families';
import type { ReadAdapter } from '../formats/adapter-format';

/** Names that stand for no names: transformers' own. */
const unnamed = (labels: readonly string[]) => labels.every((label, i) => label === `LABEL_${i}`);

const listed = (labels: readonly string[]) => labels.slice(0, 6).join(', ') + (labels.length > 6 ? ', …' : '');

/** Throws bad_adapter if the adapter's head is for other labels. */
export function fitLabels<S>(adapter: ReadAdapter<S>, data: TaskData | null): ReadAdapter<S> {
  const { task, values } = adapter;
  if (!task || !data) return adapter;
  const other = (message: string): never => {
    throw new TabtuneError({
      code: 'bad_adapter',
      message,
      where: 'method.init_adapter',
      action: 'Continue it with data of the same labels, or start a new adapter.',
    });
  };
  const words = (type: string) => type.replaceAll('_', ' ');
  if (task.problemType !== data.problemType && !unnamed(task.labels)) {
    other(`The adapter was trained for ${words(task.problemType)}, and the data are for ${words(data.problemType)}.`);
  }
  if (unnamed(task.labels) || task.labels.join('\n') === data.labels.join('\n')) return adapter;
  const rows = data.labels.map((label) => task.labels.indexOf(label));
  if (rows.length !== task.labels.length || rows.includes(-1)) {
    other(`The adapter tells apart ${listed(task.labels)}; the data have ${listed(data.labels)}.`);
  }
  const weight = [...values.keys()].find(isLabelWeight);
  if (weight === undefined) return adapter;
  const moved = new Map(values);
  for (const name of [weight, weight.replace(/\.weight$/, '.bias')]) {
    const tensor = values.get(name);
    if (!tensor) continue;
    const width = tensor.data.length / rows.length;
    const inOrder = new Float32Array(tensor.data.length);
    for (const [to, from] of rows.entries()) {
      inOrder.set(tensor.data.subarray(from * width, (from + 1) * width), to * width);
    }
    moved.set(name, { ...tensor, data: inOrder });
  }
  return { ...adapter, values: moved };
}
