import type { ErrorData } from '../../../base/errors';
import { useRecipe } from '../../../stores/recipe';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';
import { pickDataset } from '../../util/pick';
import { MapColumns } from './MapColumns';

/** The columns that an error names; a file that could not be read has told them in no other way. */
function namedColumns(error: ErrorData): string[] {
  if (error.code !== 'bad_data' || !error.message.includes('column')) return [];
  return [...new Set([...error.message.matchAll(/“([^”]+)”/g)].map((match) => match[1]!))];
}

/** A dataset that cannot be used: why, and the ways out. */
export function DatasetError({ error }: { error: ErrorData }) {
  const { source, format, columns } = useRecipe((state) => state.recipe.dataset);
  const set = useRecipe((state) => state.set);
  const own = source.startsWith('file:');
  const mapped = columns !== null || format !== 'auto';
  const names = namedColumns(error);
  const detect = { 'dataset.format': undefined, 'dataset.columns': undefined };
  return (
    <>
      <ErrorNotice
        error={error}
        actions={
          <>
            {mapped && <Button onClick={() => set(detect)}>Detect again</Button>}
            <Button onClick={pickDataset}>Open another file</Button>
            {own && (
              <Button onClick={() => set({ ...detect, 'dataset.source': undefined })}>Use the built-in dataset</Button>
            )}
          </>
        }
      />
      {own && names.length > 0 && <MapColumns key={source} columns={names} />}
    </>
  );
}
