import type { RecipeDifference } from '../../../recipe/diff';
import { shownValue } from '../runs/differences';
import { FieldTable } from './FieldTable';

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
      <FieldTable caption={caption} heads={heads}>
        {differences.map(({ path, a, b }) => (
          <tr key={path} className="border-b last:border-b-0">
            <th scope="row" className="py-1 pr-4 font-mono font-normal break-all">
              {path}
            </th>
            <td className="py-1 pr-4 break-all text-muted">{shownValue(path, a)}</td>
            <td className="py-1 break-all">{shownValue(path, b)}</td>
          </tr>
        ))}
      </FieldTable>
    </div>
  );
}
