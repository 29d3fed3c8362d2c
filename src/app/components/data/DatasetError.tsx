import type { ErrorData } from '../../../base/errors';
import { useRecipe } from '../../../stores/recipe';
import { dataText } from '../../text/data';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';
import { pickDataset } from '../../util/fileDialogs';
import { MapColumns } from './MapColumns';

/** The columns that an error names: for a file that could not be read, nothing else lists them. */
function namedColumns(error: ErrorData): string[] {
  if (error.code !== 'bad_data' || !error.message.includes('column')) return [];
  return [...new Set([...error.message.matchAll(/“([^”]+)”/g)].map((match) => match[1]!))];
}

/** A dataset that cannot be used: why, and what to do. */
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
            {mapped && <Button onClick={() => set(detect)}>{dataText.detectAgain}</Button>}
            <Button onClick={pickDataset}>{dataText.openAnother}</Button>
            {own && (
              <Button onClick={() => set({ ...detect, 'dataset.source': undefined })}>{dataText.useBuiltin}</Button>
            )}
          </>
        }
      />
      {own && names.length > 0 && <MapColumns key={source} columns={names} />}
    </>
  );
}
