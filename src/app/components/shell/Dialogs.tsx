import { Suspense, useState } from 'react';
import { useHub } from '../../../stores/hub';
import { useScreen } from '../../../stores/screen';
import { Dialog } from '../../ui/Dialog';
import { lazyAhead } from '../../util/ahead';
import { RunCard } from '../run/RunCard';
import { CommandList } from './CommandList';
import { PrivacyDialog } from './PrivacyDialog';
import { ShortcutsDialog } from './ShortcutsDialog';

type DialogProps = { open: boolean; onClose: () => void };

const StorageDialog = lazyAhead<DialogProps>(() =>
  import('./StorageDialog').then((module) => ({ default: module.StorageDialog })),
);
const HubModelDialog = lazyAhead<object>(() =>
  import('../model/HubModelDialog').then((module) => ({ default: module.HubModelDialog })),
);
const HubSettingsDialog = lazyAhead<DialogProps>(() =>
  import('../model/HubSettingsDialog').then((module) => ({ default: module.HubSettingsDialog })),
);

/** True from the first time on that something is wanted, so that it can close as it opened. */
function useEver(wanted: boolean): boolean {
  const [ever, setEver] = useState(wanted);
  if (wanted && !ever) setEver(true);
  return ever;
}

/** Every dialog that can be opened from anywhere; one at a time. */
export function Dialogs() {
  const { dialog, closeDialog } = useScreen();
  const looking = useHub((state) => state.looking !== null);
  const storage = useEver(dialog === 'storage');
  const settings = useEver(dialog === 'hub');
  const hubModel = useEver(looking);
  return (
    <>
      <CommandList open={dialog === 'commands'} onClose={closeDialog} />
      <ShortcutsDialog open={dialog === 'shortcuts'} onClose={closeDialog} />
      <PrivacyDialog open={dialog === 'privacy'} onClose={closeDialog} />
      <Dialog open={dialog === 'runCard'} onClose={closeDialog} title="Run" shape="sheet">
        <RunCard />
      </Dialog>
      <Suspense fallback={null}>
        {storage && <StorageDialog open={dialog === 'storage'} onClose={closeDialog} />}
        {settings && <HubSettingsDialog open={dialog === 'hub'} onClose={closeDialog} />}
        {hubModel && <HubModelDialog />}
      </Suspense>
    </>
  );
}
