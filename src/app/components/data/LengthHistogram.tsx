import type { TokenizedDataset } from '../../../data/types';
import { formatCount } from '../../util/format';

const width = 480;
const height = 128;
const floor = 104;

/** How long the examples are, in tokens, with the line at which they are cut. */
export function LengthHistogram({ tokens }: { tokens: TokenizedDataset }) {
  const { histogram, longest, percentile95, truncated } = tokens.stats;
  const { maxLength } = tokens;
  const end = Math.max(histogram.at(-1)?.to ?? 1, 1);
  const most = Math.max(1, ...histogram.map(({ count }) => count));
  const x = (value: number) => (Math.min(value, end) / end) * width;
  const cut = maxLength < end ? x(maxLength) : null;
  const words = `Lengths of the examples in tokens. 95 % have at most ${formatCount(percentile95)}, the longest has ${formatCount(longest)}. They are cut at ${formatCount(maxLength)}; ${formatCount(truncated)} are longer.`;
  return (
    <figure aria-label="Lengths of the examples">
      <svg viewBox={`0 0 ${width} ${height}`} className="w-full" role="img" aria-label={words}>
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
              cut at {formatCount(maxLength)}
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
            {formatCount(Math.round(share * end))}
            {share === 1 ? ' tokens' : ''}
          </text>
        ))}
      </svg>
      <figcaption className="text-[0.8125rem] text-muted">
        {cut === null
          ? `Every example fits in the limit of ${formatCount(maxLength)} tokens.`
          : words.slice(words.indexOf('95 %'))}
      </figcaption>
      <details className="mt-1 text-[0.8125rem]">
        <summary className="inline-block py-0.5 text-muted underline underline-offset-2">Lengths as a table</summary>
        <table className="mt-1 text-left">
          <thead>
            <tr className="text-muted">
              <th scope="col" className="pr-6 font-medium">
                Tokens
              </th>
              <th scope="col" className="font-medium">
                Examples
              </th>
            </tr>
          </thead>
          <tbody>
            {histogram.map(({ from, to, count }) => (
              <tr key={from}>
                <td className="pr-6">
                  {formatCount(from)} to {formatCount(to)}
                </td>
                <td>{formatCount(count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
