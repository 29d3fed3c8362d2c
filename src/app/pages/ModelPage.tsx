import { FileBox, FolderOpen, LoaderCircle } from 'lucide-react';
import { Suspense } from 'react';
import { useModel } from '../../stores/model';
import { runActive, useTraining } from '../../stores/training';
import { ModelShelf } from '../components/model/ModelShelf';
import { Welcome } from '../components/model/Welcome';
import { modelText as text } from '../text/model';
import { Button } from '../ui/Button';
import { ErrorNotice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { pickGguf, pickModelFolder } from '../util/fileDialogs';
import { lazyAhead } from '../util/lazyAhead';

const KernelsPanel = lazyAhead(() => import('../components/model/KernelsPanel').then((module) => module.KernelsPanel));
const DevicePanel = lazyAhead(() => import('../components/model/DevicePanel').then((module) => module.DevicePanel));
const Downloads = lazyAhead(() => import('../components/model/Downloads').then((module) => module.Downloads));
const ModelFacts = lazyAhead(() => import('../components/model/ModelFacts').then((module) => module.ModelFacts));
const NoWebGpu = lazyAhead(() => import('../components/model/NoWebGpu').then((module) => module.NoWebGpu));
const HubSearch = lazyAhead(() => import('../components/model/HubSearch').then((module) => module.HubSearch));

export function ModelPage() {
  const problem = useModel((state) => state.device?.problem);
  const importing = useModel((state) => state.importing);
  const importError = useModel((state) => state.importError);
  const training = useTraining(runActive);
  const why = training ? text.inUseStopFirst : importing && text.beingImported;
  return (
    <Page
      name="model"
      aside={
        <div className="flex flex-wrap gap-2">
          <Button why={why} onClick={pickModelFolder}>
            <FolderOpen aria-hidden size={16} />
            {text.openFolder}
          </Button>
          <Button why={why} onClick={pickGguf}>
            <FileBox aria-hidden size={16} />
            {text.openGguf}
          </Button>
        </div>
      }
    >
      {!problem && <Welcome />}
      {problem && (
        <Suspense>
          <NoWebGpu problem={problem} />
        </Suspense>
      )}
      {importError && <ErrorNotice error={importError} onDismiss={() => useModel.setState({ importError: null })} />}
      {importing && (
        <p role="status" className="flex items-center gap-2 text-muted">
          <LoaderCircle aria-hidden size={16} className="animate-spin text-accent" />
          {text.importing}
        </p>
      )}
      {!problem && (
        <Suspense>
          <ModelFacts />
        </Suspense>
      )}
      <Suspense>
        <Downloads />
      </Suspense>
      <ModelShelf />
      <Suspense>
        <HubSearch />
      </Suspense>
      <Suspense>
        <DevicePanel />
        <KernelsPanel />
      </Suspense>
    </Page>
  );
}
