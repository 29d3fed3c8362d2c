import type { LayerChange } from '../../../session/comparison-types';
import { keyOf, useMeasures } from '../../../stores/measures';
import { layerText as text } from '../../text/comparing';
import { formatMetric } from '../../util/format';
import { MeasurePanel } from './MeasurePanel';
import { type ShownColumn, useColumns } from './useColumns';

const bars = ['bg-series-1', 'bg-series-2', 'bg-series-3'];

interface Measured {
  column: ShownColumn;
  changes: LayerChange[];
}

/** Of all tensors of a layer together: √Σ‖ΔW‖² / √Σ‖W‖². */
export function layerNorm(changes: readonly LayerChange[], layer: number | null): number | null {
  const own = changes.filter((one) => one.layer === layer);
  const weight = own.reduce((sum, one) => sum + one.weight ** 2, 0);
  return weight === 0 ? null : Math.sqrt(own.reduce((sum, one) => sum + one.change ** 2, 0) / weight);
}

/** How far each layer was moved, as bars, and each module in a table behind them. */
export function LayersPanel() {
  const { columns } = useColumns();
  const tuned = columns.filter(({ name }) => name !== null);
  const known = useMeasures((state) => state.changes);
  const measured = tuned.flatMap((column): Measured[] => {
    const changes = known[keyOf(column.id)];
    return changes ? [{ column, changes }] : [];
  });
  const moved = measured.filter(({ changes }) => changes.length > 0);
  return (
    <MeasurePanel
      id="layers"
      kind="changes"
      text={text}
      models={tuned.map(({ id }) => id)}
      nothing={tuned.length === 0 && text.none}
    >
      {measured
        .filter(({ changes }) => changes.length === 0)
        .map(({ column }) => (
          <p key={column.id} className="text-muted">
            {text.nothing(column.title)}
          </p>
        ))}
      {moved.length > 0 && <LayerBars measured={moved} />}
      {moved.map(({ column, changes }) => (
        <details key={column.id}>
          <summary className="inline-block py-0.5 text-[0.8125rem] text-muted underline underline-offset-2">
            {text.table}
            {moved.length > 1 ? `: ${column.title}` : ''}
          </summary>
          <Table title={column.title} changes={changes} />
        </details>
      ))}
    </MeasurePanel>
  );
}

function LayerBars({ measured }: { measured: Measured[] }) {
  const layers = [...new Set(measured.flatMap(({ changes }) => changes.map(({ layer }) => layer)))].sort(
    (a, b) => (a ?? Number.POSITIVE_INFINITY) - (b ?? Number.POSITIVE_INFINITY),
  );
  const rows = layers.map((layer) => ({ layer, values: measured.map(({ changes }) => layerNorm(changes, layer)) }));
  const most = Math.max(1e-12, ...rows.flatMap(({ values }) => values.map((value) => value ?? 0)));
  return (
    <figure aria-label={text.chart}>
      {measured.length > 1 && (
        <figcaption className="mb-2 flex flex-wrap gap-x-4 gap-y-1 text-[0.8125rem]">
          {measured.map(({ column }, i) => (
            <span key={column.id} className="flex items-center gap-1.5">
              <span aria-hidden className={`size-2.5 rounded-sm ${bars[i]}`} /> {column.title}
            </span>
          ))}
        </figcaption>
      )}
      <ol className="space-y-1.5">
        {rows.map(({ layer, values }) => (
          <li key={layer} className="flex items-center gap-3">
            <span className="w-24 shrink-0 text-[0.8125rem] text-muted">
              {layer === null ? text.outside : text.layer(layer + 1)}
            </span>
            <div className="min-w-0 flex-1 space-y-0.5">
              {values.map((value, i) => (
                <div key={measured[i]!.column.id} className="flex items-center gap-2">
                  <span aria-hidden className="h-2.5 min-w-0 flex-1 overflow-hidden rounded-sm bg-line">
                    <span className={`block h-full ${bars[i]}`} style={{ width: `${((value ?? 0) / most) * 100}%` }} />
                  </span>
                  <span className="w-16 shrink-0 text-right text-[0.8125rem]">{formatMetric(value)}</span>
                </div>
              ))}
            </div>
          </li>
        ))}
      </ol>
    </figure>
  );
}

/** Whole tables of deep models are long: they scroll in their own box. */
function Table({ title, changes }: { title: string; changes: readonly LayerChange[] }) {
  return (
    <section
      aria-label={`${text.table}: ${title}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
      tabIndex={0}
      className="mt-2 max-h-80 overflow-auto"
    >
      <table className="w-full text-left">
        <thead>
          <tr className="border-b text-[0.8125rem] text-muted">
            <th scope="col" className="py-1 pr-4 font-medium">
              {text.module}
            </th>
            <th scope="col" className="py-1 pr-4 text-right font-medium">
              {text.relative}
            </th>
            <th scope="col" className="py-1 text-right font-medium whitespace-nowrap">
              {text.norms}
            </th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ name, relative, change, weight }) => (
            <tr key={name} className="border-b last:border-b-0">
              <th scope="row" className="py-1 pr-4 font-mono text-xs font-normal wrap-anywhere">
                {name}
              </th>
              <td className="py-1 pr-4 text-right">{formatMetric(relative)}</td>
              <td className="py-1 text-right whitespace-nowrap text-muted">
                {formatMetric(change)} / {formatMetric(weight)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
