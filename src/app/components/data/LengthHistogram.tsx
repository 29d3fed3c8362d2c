import type { TokenizedDataset } from '../../../data/types';
import { lengthText as text } from '../../text/data';
import { formatCount } from '../../util/format';

const width = 480;
const height = 128;
const floor = 104;

/** Lengths of the examples in tokens, with the limit at which they are truncated. */
export function LengthHistogram({ tokens }: { tokens: TokenizedDataset }) {
  const { histogram, longest, percentile95, truncated } = tokens.stats;
  const { maxLength } = tokens;
  const end = Math.max(histogram.at(-1)?.to ?? 1, 1);
  const most = Math.max(1, ...histogram.map(({ count }) => count));
  const x = (value: number) => (Math.min(value, end) / end) * width;
  const cut = maxLength < end ? x(maxLength) : null;
  const limit = formatCount(maxLength);
  const spread = text.summary(formatCount(longest), formatCount(percentile95));
  const summary = cut === null ? text.allFit(limit) : `${spread} ${text.cut(limit, formatCount(truncated))}`;
  return (
    <figure aria-label={text.label}>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        className="w-full"
        role="img"
        aria-label={cut === null ? `${spread} ${summary}` : summary}
      >
        {histogram.map(({ from, to, count }) => {
          const tall = count === 0 ? 0 : Math.max(2, (count / most) * (floor - 16));
          const over = from >= maxLength;
          return (
            <rect
              key={from}
              x={x(from) + 1}
              y={floor - tall}
              width={Math.max(1, x(to) - x(from) - 2)}
              height={tall}
              rx="1.5"
              className={over ? 'fill-series-2' : 'fill-series-1'}
            />
          );
        })}
        <line x1="0" x2={width} y1={floor} y2={floor} className="stroke-edge" strokeWidth="1" />
        {cut !== null && (
          <>
            <line
              x1={cut}
              x2={cut}
              y1="0"
              y2={floor + 4}
              className="stroke-ink"
              strokeWidth="1.5"
              strokeDasharray="5 3"
            />
            <text
              x={cut > width - 110 ? cut - 6 : cut + 6}
              y="11"
              textAnchor={cut > width - 110 ? 'end' : 'start'}
              className="fill-ink text-[11px] font-medium"
            >
              {text.limit(limit)}
            </text>
          </>
        )}
        {[0, 0.5, 1].map((share) => (
          <text
            key={share}
            x={share * width}
            y={height - 6}
            textAnchor={share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}
            className="fill-muted text-[11px]"
          >
            {share === 1 ? text.axis(formatCount(end)) : formatCount(Math.round(share * end))}
          </text>
        ))}
      </svg>
      <figcaption className="text-[0.8125rem] text-muted">{summary}</figcaption>
      <details className="mt-1 text-[0.8125rem]">
        <summary className="inline-block py-0.5 text-muted underline underline-offset-2">{text.table}</summary>
        <table className="mt-1 text-left">
          <thead>
            <tr className="text-muted">
              <th scope="col" className="pr-6 font-medium">
                {text.tokens}
              </th>
              <th scope="col" className="font-medium">
                {text.examples}
              </th>
            </tr>
          </thead>
          <tbody>
            {histogram.map(({ from, to, count }) => (
              <tr key={from}>
                <td className="pr-6">{text.range(formatCount(from), formatCount(to))}</td>
                <td>{formatCount(count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
