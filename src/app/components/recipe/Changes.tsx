import type { RecipeDifference } from '../../../recipe/diff';
import { shownValue } from '../runs/differences';

/** Fields that would change, with their values before and after. */
export function Changes({
  differences,
  caption,
  heads,
}: {
  differences: RecipeDifference[];
  caption: string;
  heads: [field: string, before: string, after: string];
}) {
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-left text-[0.8125rem]">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr className="border-b text-muted">
            {heads.map((head) => (
              <th key={head} scope="col" className="py-1 pr-4 font-medium">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {differences.map(({ path, a, b }) => (
            <tr key={path} className="border-b last:border-b-0">
              <th scope="row" className="py-1 pr-4 font-mono font-normal break-all">
                {path}
              </th>
              <td className="py-1 pr-4 break-all text-muted">{shownValue(path, a)}</td>
              <td className="py-1 break-all">{shownValue(path, b)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
