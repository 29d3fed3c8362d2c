import type { RecipeDifference } from '../../../recipe/diff';
import { FieldName } from '../../ui/FieldName';
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
            <th scope="row" className="py-1 pr-4 font-mono font-normal wrap-anywhere">
              <FieldName name={path} />
            </th>
            <td className="py-1 pr-4 wrap-anywhere text-muted">{shownValue(path, a)}</td>
            <td className="py-1 wrap-anywhere">{shownValue(path, b)}</td>
          </tr>
        ))}
      </FieldTable>
    </div>
  );
}
