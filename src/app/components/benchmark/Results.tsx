import type { BenchmarkResult } from '../../../benchmark/result';
import { benchmarkText as text } from '../../text/benchmark';
import { Facts } from '../../ui/Facts';
import { Notice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatBytes, formatCount, formatShare } from '../../util/format';
import { FigureTable } from './FigureTable';
import { arithmetic, bandwidth, figure, time } from './figures';
import { ShareResult } from './ShareResult';

/** What was measured, the figures that matter to a person first. */
export function Results({ result }: { result: BenchmarkResult }) {
  const { adapter } = result;
  const name = adapter.description || [adapter.vendor, adapter.architecture].filter(Boolean).join(' ');
  return (
    <>
      <Verdict result={result} />
      <ShareResult result={result} name={name} />
      <Steps steps={result.steps} />
      <Answers rows={result.decode} />
      <Sustained sustained={result.sustained} />
      <Floors floors={result.floors} />
      <Products products={result.products} />
      <LeftOut leftOut={result.left_out} />
    </>
  );
}

function Verdict({ result: { fingerprint, visible, reduced } }: { result: BenchmarkResult }) {
  const losses = (values: number[]) => values.map((value) => value.toFixed(4)).join(', ');
  return (
    <>
      {fingerprint.agrees ? (
        <Notice>{text.agrees}</Notice>
      ) : (
        <Notice tone="error">{text.differs(losses(fingerprint.losses), losses(fingerprint.expected))}</Notice>
      )}
      {!visible && <Notice tone="warning">{text.hidden}</Notice>}
      {reduced && <Notice tone="warning">{text.reduced}</Notice>}
    </>
  );
}

function Steps({ steps }: Pick<BenchmarkResult, 'steps'>) {
  const words = text.steps;
  if (steps.length === 0) return null;
  return (
    <Panel title={words.title} flush>
      <FigureTable
        caption={words.title}
        heads={[
          words.model,
          words.format,
          words.batch,
          words.rate,
          words.time,
          words.script,
          words.dispatches,
          words.memory,
        ]}
        rows={steps.map((row) => ({
          key: `${row.model} ${row.format} ${row.batch} ${row.length}`,
          cells: [
            row.model,
            row.format,
            `${row.batch} × ${row.length}`,
            figure(row.tokens_per_second),
            time(1000 * row.ms.median),
            time(1000 * row.js_ms),
            formatCount(row.dispatches),
            formatBytes(row.bytes),
          ],
        }))}
      />
    </Panel>
  );
}

function Answers({ rows }: { rows: BenchmarkResult['decode'] }) {
  const words = text.decode;
  if (rows.length === 0) return null;
  return (
    <Panel title={words.title} flush>
      <FigureTable
        caption={words.title}
        heads={[text.steps.model, text.steps.format, words.prompt, words.read, words.write]}
        rows={rows.map((row) => ({
          key: `${row.model} ${row.format} ${row.prompt}`,
          cells: [
            row.model,
            row.format,
            words.tokens(formatCount(row.prompt)),
            figure(row.prefill_tokens_per_second),
            figure(row.decode_tokens_per_second),
          ],
        }))}
      />
    </Panel>
  );
}

function Sustained({ sustained }: Pick<BenchmarkResult, 'sustained'>) {
  const words = text.sustained;
  if (!sustained) return null;
  const { tokens_per_second: rates, model, window_seconds } = sustained;
  return (
    <Panel title={words.title}>
      <p>{words.steady(formatShare(rates.at(-1)! / rates[0]!))}</p>
      <p className="text-muted">
        {words.rates(model, window_seconds)}: {rates.map(figure).join(', ')}
      </p>
    </Panel>
  );
}

function Floors({ floors }: Pick<BenchmarkResult, 'floors'>) {
  const words = text.floors;
  return (
    <Panel title={words.title}>
      <Facts
        columns={3}
        facts={[
          { name: words.f32, value: arithmetic(floors.f32_tflops.median) },
          { name: words.f16, value: floors.f16_tflops ? arithmetic(floors.f16_tflops.median) : words.noF16 },
          { name: words.bandwidth, value: bandwidth(floors.bandwidth_gb_s.median) },
          {
            name: words.dispatch,
            value: time(floors.dispatch_500_us.median),
            note: words.dispatchNote(time(floors.submit_us.median)),
          },
          { name: words.map, value: time(1000 * floors.map_ms.median) },
        ]}
      />
    </Panel>
  );
}

function Products({ products }: Pick<BenchmarkResult, 'products'>) {
  const words = text.products;
  if (products.length === 0) return null;
  return (
    <Panel title={words.title} description={words.description} flush>
      <details>
        <summary className="px-4 pb-3">{words.all(products.length)}</summary>
        <FigureTable
          caption={words.title}
          heads={[words.shape, words.kind, text.steps.format, words.rate, words.share]}
          rows={products.map((row) => ({
            key: `${row.kind} ${row.format} ${row.m} ${row.n} ${row.k}`,
            cells: [
              `${formatCount(row.m)} × ${formatCount(row.n)} × ${formatCount(row.k)}`,
              row.kind,
              row.format,
              figure(row.tflops),
              formatShare(row.share),
            ],
          }))}
        />
      </details>
    </Panel>
  );
}

function LeftOut({ leftOut }: { leftOut: BenchmarkResult['left_out'] }) {
  if (leftOut.length === 0) return null;
  return (
    <Panel title={text.leftOut}>
      <ul className="space-y-1">
        {leftOut.map(({ what, why }) => (
          <li key={what}>
            {what}: <span className="text-muted">{why}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
