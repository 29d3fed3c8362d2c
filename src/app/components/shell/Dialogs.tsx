import { useScreen } from '../../../stores/screen';
import { Dialog } from '../../ui/Dialog';
import { RunCard } from '../run/RunCard';
import { CommandList } from './CommandList';
import { PrivacyDialog } from './PrivacyDialog';
import { ShortcutsDialog } from './ShortcutsDialog';
import { StorageDialog } from './StorageDialog';

/** Every dialog that can be opened from anywhere; one at a time. */
export function Dialogs() {
  const { dialog, closeDialog } = useScreen();
  return (
    <>
      <CommandList open={dialog === 'commands'} onClose={closeDialog} />
      <ShortcutsDialog open={dialog === 'shortcuts'} onClose={closeDialog} />
      <PrivacyDialog open={dialog === 'privacy'} onClose={closeDialog} />
      <StorageDialog open={dialog === 'storage'} onClose={closeDialog} />
      <Dialog open={dialog === 'runCard'} onClose={closeDialog} title="Run" shape="sheet">
        <RunCard />
      </Dialog>
    </>
  );
}
