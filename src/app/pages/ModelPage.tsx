import { FileBox, FolderOpen, LoaderCircle } from 'lucide-react';
import { useModel } from '../../stores/model';
import { runActive, useTraining } from '../../stores/training';
import { DevicePanel } from '../components/model/DevicePanel';
import { Downloads } from '../components/model/Downloads';
import { HubSearch } from '../components/model/HubSearch';
import { ModelFacts } from '../components/model/ModelFacts';
import { ModelShelf } from '../components/model/ModelShelf';
import { NoWebGpu } from '../components/model/NoWebGpu';
import { Welcome } from '../components/model/Welcome';
import { modelText as text } from '../text/model';
import { Button } from '../ui/Button';
import { ErrorNotice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { pickGguf, pickModelFolder } from '../util/fileDialogs';

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
      {problem && <NoWebGpu problem={problem} />}
      {importError && <ErrorNotice error={importError} onDismiss={() => useModel.setState({ importError: null })} />}
      {importing && (
        <p role="status" className="flex items-center gap-2 text-muted">
          <LoaderCircle aria-hidden size={16} className="animate-spin text-accent" />
          {text.importing}
        </p>
      )}
      {!problem && <ModelFacts />}
      <Downloads />
      <ModelShelf />
      <HubSearch />
      <DevicePanel />
    </Page>
  );
}
