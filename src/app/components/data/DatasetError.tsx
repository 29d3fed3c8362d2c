import type { ErrorData } from '../../../base/errors';
import { readAsDetected } from '../../../recipe/sections';
import { namedColumns } from '../../../stores/library';
import { useRecipe } from '../../../stores/recipe';
import { dataText } from '../../text/data';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';
import { pickDataset } from '../../util/fileDialogs';
import { MapColumns } from './MapColumns';

/** A dataset that cannot be used: why, and what to do. */
export function DatasetError({ error }: { error: ErrorData }) {
  const { source, format, columns, encoding, table } = useRecipe((state) => state.recipe.dataset);
  const set = useRecipe((state) => state.set);
  const own = source.startsWith('file:');
  const mapped = columns !== null || format !== 'auto' || encoding !== 'auto' || table !== null;
  // A question is answered by its own buttons.
  const names = error.choices ? [] : namedColumns(error);
  return (
    <>
      <ErrorNotice
        error={error}
        actions={
          <>
            {error.choices?.map(({ label, set: answer }) => (
              <Button key={label} onClick={() => set(answer)}>
                {label}
              </Button>
            ))}
            {mapped && <Button onClick={() => set(readAsDetected)}>{dataText.detectAgain}</Button>}
            <Button onClick={pickDataset}>{dataText.openAnother}</Button>
            {own && (
              <Button onClick={() => set({ ...readAsDetected, 'dataset.source': undefined })}>
                {dataText.useBuiltin}
              </Button>
            )}
          </>
        }
      />
      {own && names.length > 0 && <MapColumns key={source} columns={names} onApply={set} />}
    </>
  );
}
