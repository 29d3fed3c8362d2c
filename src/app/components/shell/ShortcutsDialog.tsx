import { usePreferences } from '../../../stores/preferences';
import { Check } from '../../ui/Check';
import { Dialog } from '../../ui/Dialog';
import { pages } from '../../util/pages';

function Key({ children }: { children: string }) {
  return <kbd className="rounded border bg-sunken px-1.5 py-0.5 font-mono text-xs">{children}</kbd>;
}

export function ShortcutsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { shortcuts, set } = usePreferences();
  const command = navigator.platform.startsWith('Mac') ? 'Cmd' : 'Ctrl';
  const rows: [string[], string][] = [
    ...pages.map(({ key, title }): [string[], string] => [[key], `Go to ${title}`]),
    [[command, 'K'], 'Find a command'],
    [['P'], 'Pause or resume the run'],
    [['?'], 'This list'],
    [['Esc'], 'Close what is open'],
    [['←', '→'], 'On a chart: read it step by step'],
    [['Enter'], 'On an example: edit it'],
  ];
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts">
      <dl className="divide-y">
        {rows.map(([keys, what]) => (
          <div key={what} className="flex items-center justify-between gap-4 py-2">
            <dt>{what}</dt>
            <dd className="flex gap-1">
              {keys.map((key) => (
                <Key key={key}>{key}</Key>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <div className="mt-4">
        <Check
          label="Single-key shortcuts"
          hint="Switch them off if you dictate to your computer. Ctrl or Cmd with K always works."
          checked={shortcuts}
          onChange={(event) => set({ shortcuts: event.target.checked })}
        />
      </div>
    </Dialog>
  );
}
