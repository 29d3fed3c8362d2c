import { usePreferences } from '../../../stores/preferences';
import { shell, shortcutText } from '../../text/shell';
import { Check } from '../../ui/Check';
import { Dialog } from '../../ui/Dialog';
import { pages } from '../../util/pages';

function Key({ children }: { children: string }) {
  return <kbd className="rounded border bg-sunken px-1.5 py-0.5 font-mono text-xs">{children}</kbd>;
}

export function ShortcutsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const shortcuts = usePreferences((state) => state.shortcuts);
  const set = usePreferences((state) => state.set);
  const command = navigator.platform.startsWith('Mac') ? 'Cmd' : 'Ctrl';
  const rows: [string[], string][] = [
    ...pages.map(({ key, title }): [string[], string] => [[key], shortcutText.goTo(title)]),
    [[command, 'K'], shortcutText.command],
    [['P'], shortcutText.pause],
    [['?'], shortcutText.list],
    [['Esc'], shortcutText.close],
    [['←', '→'], shortcutText.chart],
    [['Enter'], shortcutText.edit],
  ];
  return (
    <Dialog open={open} onClose={onClose} title={shell.shortcuts}>
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
          label={shortcutText.singleKeys}
          hint={shortcutText.singleKeysHint}
          checked={shortcuts}
          onChange={(event) => set({ shortcuts: event.target.checked })}
        />
      </div>
    </Dialog>
  );
}
