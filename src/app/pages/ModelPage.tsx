import { FileBox, FolderOpen, LoaderCircle } from 'lucide-react';
import { useModel } from '../../stores/model';
import { useTraining } from '../../stores/training';
import { DevicePanel } from '../components/model/DevicePanel';
import { Downloads } from '../components/model/Downloads';
import { HubSearch } from '../components/model/HubSearch';
import { ModelFacts } from '../components/model/ModelFacts';
import { ModelShelf } from '../components/model/ModelShelf';
import { NoWebGpu } from '../components/model/NoWebGpu';
import { Welcome } from '../components/model/Welcome';
import { Button } from '../ui/Button';
import { ErrorNotice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { pickGguf, pickModelFolder } from '../util/pick';

function Importing() {
  return (
    <p role="status" className="flex items-center gap-2 text-muted">
      <LoaderCircle aria-hidden size={16} className="animate-spin text-accent" />
      Checking the model, then copying it into this browser.
    </p>
  );
}

export function ModelPage() {
  const { device, importError, importing } = useModel();
  const training = useTraining((state) => state.phase !== 'idle');
  const why = training ? 'A run is using the open model. Stop it first.' : importing && 'A model is being read.';
  return (
    <Page
      title="Model"
      lead="What you start from. It stays as it is; training adds a small adapter beside it."
      aside={
        <div className="flex flex-wrap gap-2">
          <Button why={why} onClick={pickModelFolder}>
            <FolderOpen aria-hidden size={16} />
            Open model folder
          </Button>
          <Button why={why} onClick={pickGguf}>
            <FileBox aria-hidden size={16} />
            Open GGUF file
          </Button>
        </div>
      }
    >
      {!device?.problem && <Welcome />}
      {device?.problem && <NoWebGpu problem={device.problem} />}
      {importError && <ErrorNotice error={importError} onDismiss={() => useModel.setState({ importError: null })} />}
      {importing && <Importing />}
      {!device?.problem && <ModelFacts />}
      <Downloads />
      <ModelShelf />
      <HubSearch />
      <DevicePanel />
    </Page>
  );
}
