import { FolderOpen } from 'lucide-react';
import { useModel } from '../../stores/model';
import { useTraining } from '../../stores/training';
import { DevicePanel } from '../components/model/DevicePanel';
import { ModelFacts } from '../components/model/ModelFacts';
import { ModelShelf } from '../components/model/ModelShelf';
import { NoWebGpu } from '../components/model/NoWebGpu';
import { Welcome } from '../components/model/Welcome';
import { Button } from '../ui/Button';
import { ErrorNotice } from '../ui/Notice';
import { Place } from '../ui/Place';
import { pickModelFolder } from '../util/pick';

export function ModelPlace() {
  const { device, importError, importing } = useModel();
  const training = useTraining((state) => state.phase !== 'idle');
  const why = training ? 'A run is using the open model. Stop it first.' : importing && 'A folder is being read.';
  return (
    <Place
      title="Model"
      lead="What you start from. It stays as it is; training adds a small adapter beside it."
      aside={
        <Button why={why} onClick={pickModelFolder}>
          <FolderOpen aria-hidden size={16} />
          Open model folder
        </Button>
      }
    >
      {!device?.problem && <Welcome />}
      {device?.problem && <NoWebGpu problem={device.problem} />}
      {importError && <ErrorNotice error={importError} onDismiss={() => useModel.setState({ importError: null })} />}
      <ModelShelf />
      {!device?.problem && <ModelFacts />}
      <DevicePanel />
    </Place>
  );
}
