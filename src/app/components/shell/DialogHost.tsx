import { Suspense } from 'react';
import { useScreen } from '../../../stores/screen';
import { useEver } from '../../hooks/useEver';
import { shell } from '../../text/shell';
import { Dialog } from '../../ui/Dialog';
import { LoadBoundary } from '../../ui/LoadBoundary';
import { lazyAhead } from '../../util/lazyAhead';
import { HubModelDialog } from '../model/HubModelDialog';
import { HubSettingsDialog } from '../model/HubSettingsDialog';
import { RunCard } from '../run/RunCard';
import { CommandList } from './CommandList';
import { HelpDialog } from './HelpDialog';
import { PrivacyDialog } from './PrivacyDialog';
import { ReportDialog } from './ReportDialog';
import { SettingsDialog } from './SettingsDialog';
import { ShortcutsDialog } from './ShortcutsDialog';
import { StorageDialog } from './StorageDialog';

/** With the charts, which no other dialog needs. */
const RateFinder = lazyAhead(() => import('../recipe/RateFinder').then((module) => module.RateFinder));

/** Every dialog that can be opened from anywhere; one at a time. */
export function DialogHost() {
  const dialog = useScreen((state) => state.dialog);
  const closeDialog = useScreen((state) => state.closeDialog);
  return (
    <>
      <CommandList open={dialog === 'commands'} onClose={closeDialog} />
      <ShortcutsDialog open={dialog === 'shortcuts'} onClose={closeDialog} />
      <PrivacyDialog open={dialog === 'privacy'} onClose={closeDialog} />
      <HelpDialog open={dialog === 'help'} onClose={closeDialog} />
      <SettingsDialog open={dialog === 'settings'} onClose={closeDialog} />
      <ReportDialog open={dialog === 'report'} onClose={closeDialog} />
      <StorageDialog open={dialog === 'storage'} onClose={closeDialog} />
      <HubSettingsDialog open={dialog === 'hub'} onClose={closeDialog} />
      <HubModelDialog />
      {useEver(dialog === 'rate') && (
        <LoadBoundary>
          <Suspense fallback={null}>
            <RateFinder open={dialog === 'rate'} onClose={closeDialog} />
          </Suspense>
        </LoadBoundary>
      )}
      <Dialog open={dialog === 'runCard'} onClose={closeDialog} title={shell.run} shape="sheet">
        <RunCard ground="bg-raised" />
      </Dialog>
    </>
  );
}
