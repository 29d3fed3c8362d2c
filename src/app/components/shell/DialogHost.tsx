import { useScreen } from '../../../stores/screen';
import { shell } from '../../text/shell';
import { Dialog } from '../../ui/Dialog';
import { HubModelDialog } from '../model/HubModelDialog';
import { HubSettingsDialog } from '../model/HubSettingsDialog';
import { RunCard } from '../run/RunCard';
import { CommandList } from './CommandList';
import { PrivacyDialog } from './PrivacyDialog';
import { ShortcutsDialog } from './ShortcutsDialog';
import { StorageDialog } from './StorageDialog';

/** Every dialog that can be opened from anywhere; one at a time. */
export function DialogHost() {
  const dialog = useScreen((state) => state.dialog);
  const closeDialog = useScreen((state) => state.closeDialog);
  return (
    <>
      <CommandList open={dialog === 'commands'} onClose={closeDialog} />
      <ShortcutsDialog open={dialog === 'shortcuts'} onClose={closeDialog} />
      <PrivacyDialog open={dialog === 'privacy'} onClose={closeDialog} />
      <StorageDialog open={dialog === 'storage'} onClose={closeDialog} />
      <HubSettingsDialog open={dialog === 'hub'} onClose={closeDialog} />
      <HubModelDialog />
      <Dialog open={dialog === 'runCard'} onClose={closeDialog} title={shell.run} shape="sheet">
        <RunCard />
      </Dialog>
    </>
  );
}
