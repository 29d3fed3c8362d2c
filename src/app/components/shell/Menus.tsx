import { Menu } from '@base-ui/react/menu';
import {
  Check,
  CircleHelp,
  Command,
  HardDrive,
  Keyboard,
  Monitor,
  Moon,
  Settings,
  ShieldCheck,
  Sun,
} from 'lucide-react';
import type { ReactElement } from 'react';
import { type Theme, usePreferences } from '../../../stores/preferences';
import { type DialogName, useScreen } from '../../../stores/screen';
import { shell } from '../../text/shell';

export interface MenuProps {
  /** The button that opens it. */
  trigger: ReactElement;
}

const themes: { value: Theme; icon: typeof Sun }[] = [
  { value: 'system', icon: Monitor },
  { value: 'light', icon: Sun },
  { value: 'dark', icon: Moon },
];
const tools: { dialog: DialogName; label: string; icon: typeof Sun }[] = [
  { dialog: 'privacy', label: shell.privacy, icon: ShieldCheck },
  { dialog: 'storage', label: shell.storage, icon: HardDrive },
  { dialog: 'help', label: shell.help, icon: CircleHelp },
  { dialog: 'settings', label: shell.settings, icon: Settings },
  { dialog: 'commands', label: shell.commands, icon: Command },
  { dialog: 'shortcuts', label: shell.shortcuts, icon: Keyboard },
];

const popup = 'min-w-48 rounded-lg border bg-raised p-1 text-ink shadow-xl outline-none';
const item = 'flex min-h-9 cursor-pointer items-center gap-2.5 rounded px-2.5 outline-none data-highlighted:bg-hover';

function ThemeItems() {
  const theme = usePreferences((state) => state.theme);
  const set = usePreferences((state) => state.set);
  return (
    <Menu.RadioGroup value={theme} onValueChange={(value: Theme) => set({ theme: value })} aria-label={shell.theme}>
      {themes.map(({ value, icon: Icon }) => (
        <Menu.RadioItem key={value} value={value} closeOnClick className={item}>
          <Icon aria-hidden size={16} strokeWidth={1.75} />
          <span className="flex-1">{shell.themes[value]}</span>
          <Menu.RadioItemIndicator>
            <Check aria-hidden size={16} />
          </Menu.RadioItemIndicator>
        </Menu.RadioItem>
      ))}
    </Menu.RadioGroup>
  );
}

export function ThemeMenu({ trigger }: MenuProps) {
  return (
    <Menu.Root defaultOpen>
      <Menu.Trigger render={trigger} />
      <Menu.Portal>
        <Menu.Positioner side="top" align="start" sideOffset={6} className="z-30">
          <Menu.Popup className={popup}>
            <ThemeItems />
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

export function ToolsMenu({ trigger }: MenuProps) {
  const openDialog = useScreen((state) => state.openDialog);
  return (
    <Menu.Root defaultOpen>
      <Menu.Trigger render={trigger} />
      <Menu.Portal>
        <Menu.Positioner align="end" sideOffset={6} className="z-30">
          <Menu.Popup className={popup}>
            {tools.map(({ dialog, label, icon: Icon }) => (
              <Menu.Item key={dialog} className={item} onClick={() => openDialog(dialog)}>
                <Icon aria-hidden size={16} /> {label}
              </Menu.Item>
            ))}
            <Menu.Separator className="my-1 h-px bg-line" />
            <ThemeItems />
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
