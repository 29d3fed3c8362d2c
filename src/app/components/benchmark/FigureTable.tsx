import type { ReactNode } from 'react';

/** Rows of figures: the first column names them, the others are right-aligned. */
export function FigureTable({
  caption,
  heads,
  rows,
}: {
  caption: string;
  heads: readonly string[];
  rows: readonly { key: string; cells: readonly ReactNode[] }[];
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
    <section aria-label={caption} tabIndex={0} className="max-h-[28rem] overflow-auto border-t">
      <table className="w-full text-left">
        <thead className="sticky top-0 bg-surface">
          <tr className="border-b text-[0.8125rem] text-muted">
            {heads.map((head, at) => (
              <th
                key={head}
                scope="col"
                className={`px-2 py-1.5 font-medium whitespace-nowrap first:pl-4 last:pr-4 ${at > 0 ? 'text-right' : ''}`}
              >
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells: [name, ...figures] }) => (
            <tr key={key} className="border-b last:border-b-0">
              <th scope="row" className="min-w-36 py-1.5 pr-2 pl-4 font-medium sm:min-w-0 sm:whitespace-nowrap">
                {name}
              </th>
              {figures.map((figure, at) => (
                <td key={heads[at + 1]} className="px-2 py-1.5 text-right whitespace-nowrap tabular-nums last:pr-4">
                  {figure}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
