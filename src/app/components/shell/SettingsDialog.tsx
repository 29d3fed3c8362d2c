import { Globe, HardDrive, RotateCcw, ShieldCheck } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { type Preferences, usePreferences } from '../../../stores/preferences';
import { useScreen } from '../../../stores/screen';
import { settingsText as text } from '../../text/settings';
import { shell, shortcutText } from '../../text/shell';
import { Button } from '../../ui/Button';
import { Check } from '../../ui/Check';
import { Dialog } from '../../ui/Dialog';
import { Segmented } from '../../ui/Segmented';

function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
      <span aria-hidden>{label}</span>
      {children}
    </div>
  );
}

const named = <T extends string>(names: Record<T, string>) =>
  (Object.entries(names) as [T, string][]).map(([value, label]) => ({ value, label }));

/** What a person can set about the app itself, and the way to what is set elsewhere. */
export function SettingsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const preferences = usePreferences();
  const openDialog = useScreen((state) => state.openDialog);
  const [wasReset, setWasReset] = useState(false);
  const set = (change: Partial<Preferences>) => {
    setWasReset(false);
    preferences.set(change);
  };
  const canNotify = 'Notification' in window;
  const refused = canNotify && Notification.permission === 'denied';
  return (
    <Dialog open={open} onClose={onClose} title={text.title} description={text.description}>
      <section aria-labelledby="settings-appearance" className="mt-2 space-y-3">
        <h3 id="settings-appearance" className="font-semibold">
          {text.appearance}
        </h3>
        <Row label={shell.theme}>
          <Segmented
            label={shell.theme}
            value={preferences.theme}
            options={named(shell.themes)}
            onChange={(theme) => set({ theme })}
          />
        </Row>
        <Row label={text.motion}>
          <Segmented
            label={text.motion}
            value={preferences.motion}
            options={named(text.motions)}
            onChange={(motion) => set({ motion })}
          />
        </Row>
        <Row label={text.units}>
          <Segmented
            label={text.units}
            value={preferences.units}
            options={named(text.unitNames)}
            onChange={(units) => set({ units })}
          />
        </Row>
      </section>
      <section aria-labelledby="settings-behaviour" className="mt-6 space-y-3">
        <h3 id="settings-behaviour" className="font-semibold">
          {text.behaviour}
        </h3>
        {canNotify && (
          <Check
            label={text.notify}
            hint={refused ? text.notifyRefused : text.notifyHint}
            checked={preferences.notifyWhenDone && !refused}
            disabled={refused}
            onChange={async (event) => {
              const wanted = event.target.checked;
              if (wanted && (await Notification.requestPermission()) !== 'granted') return;
              set({ notifyWhenDone: wanted });
            }}
          />
        )}
        <Check
          label={shortcutText.singleKeys}
          hint={shortcutText.singleKeysHint}
          checked={preferences.shortcuts}
          onChange={(event) => set({ shortcuts: event.target.checked })}
        />
      </section>
      <section aria-labelledby="settings-places" className="mt-6 space-y-3">
        <h3 id="settings-places" className="font-semibold">
          {text.places}
        </h3>
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => openDialog('hub')}>
            <Globe aria-hidden size={16} />
            {text.hub}
          </Button>
          <Button onClick={() => openDialog('storage')}>
            <HardDrive aria-hidden size={16} />
            {text.storage}
          </Button>
          <Button onClick={() => openDialog('privacy')}>
            <ShieldCheck aria-hidden size={16} />
            {text.privacy}
          </Button>
        </div>
      </section>
      <div className="mt-6 border-t pt-4">
        <Button
          onClick={() => {
            preferences.reset();
            setWasReset(true);
          }}
        >
          <RotateCcw aria-hidden size={16} />
          {text.reset}
        </Button>
        <p role="status" className="mt-1 text-[0.8125rem] text-muted">
          {wasReset ? text.wasReset : text.resetHint}
        </p>
      </div>
    </Dialog>
  );
}
