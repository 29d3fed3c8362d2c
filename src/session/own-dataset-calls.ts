/** The calls about the person's own datasets, whose code is fetched when the first of them is made. */
import { chunk } from '../base/chunks';
import type { DataHost } from './data-host';
import type { DataSession } from './datasets';
import type { OwnDatasets } from './own-datasets';
import type { OwnDatasetsApi } from './own-datasets-types';

const load = chunk(() => import('./own-datasets'));

export function ownDatasetCalls(
  data: DataHost,
  datasets: DataSession,
  /** Runs once storage can be used. */
  ready: <T>(work: () => Promise<T>) => Promise<T>,
): OwnDatasetsApi {
  let loaded: Promise<OwnDatasets> | null = null;
  const use = async <T>(work: (own: OwnDatasets) => Promise<T>): Promise<T> => {
    loaded ??= load().then(({ OwnDatasets }) => new OwnDatasets(data, datasets));
    const own = await loaded.catch((cause) => {
      // A chunk that could not be fetched is asked for again.
      loaded = null;
      throw cause;
    });
    return ready(() => work(own));
  };
  return {
    addDataset: (file, section, how) => use((own) => own.add(file, section, how)),
    ownDatasets: () => use((own) => own.list()),
    editDataset: (source, edit) => use((own) => own.edit(source, edit)),
    undoEdit: (source) => use((own) => own.undo(source)),
    redoEdit: (source) => use((own) => own.redo(source)),
    resetDataset: (source) => use((own) => own.reset(source)),
  };
}
