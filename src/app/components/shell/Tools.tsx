import { Menu } from '@base-ui/react/menu';
import { Check, Command, HardDrive, Keyboard, Menu as MenuIcon, Monitor, Moon, ShieldCheck, Sun } from 'lucide-react';
import { type Theme, usePreferences } from '../../../stores/preferences';
import { useScreen } from '../../../stores/screen';
import { useSeenTheme } from '../../hooks/useTheme';
import { Button } from '../../ui/Button';
import { IconButton } from '../../ui/IconButton';

const themes: { value: Theme; label: string; icon: typeof Sun }[] = [
  { value: 'system', label: 'As the system', icon: Monitor },
  { value: 'light', label: 'Light', icon: Sun },
  { value: 'dark', label: 'Dark', icon: Moon },
];

const popup = 'min-w-48 rounded-lg border bg-raised p-1 text-ink shadow-xl outline-none';
const item = 'flex min-h-9 cursor-pointer items-center gap-2.5 rounded px-2.5 outline-none data-highlighted:bg-hover';

function ThemeItems() {
  const { theme, set } = usePreferences();
  return (
    <Menu.RadioGroup value={theme} onValueChange={(value: Theme) => set({ theme: value })} aria-label="Theme">
      {themes.map(({ value, label, icon: Icon }) => (
        <Menu.RadioItem key={value} value={value} closeOnClick className={item}>
          <Icon aria-hidden size={16} strokeWidth={1.75} />
          <span className="flex-1">{label}</span>
          <Menu.RadioItemIndicator>
            <Check aria-hidden size={16} />
          </Menu.RadioItemIndicator>
        </Menu.RadioItem>
      ))}
    </Menu.RadioGroup>
  );
}

function ThemeMenu() {
  const seen = useSeenTheme();
  return (
    <Menu.Root>
      <Menu.Trigger render={<IconButton icon={seen === 'dark' ? Moon : Sun} label="Theme" />} />
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

/** The foot of the rail: the promise, and what belongs to no page. */
export function Tools() {
  const openDialog = useScreen((state) => state.openDialog);
  return (
    <div className="flex flex-col gap-2">
      <Button
        variant="quiet"
        className="justify-start! px-2! text-[0.8125rem]! whitespace-nowrap"
        onClick={() => openDialog('privacy')}
      >
        <ShieldCheck aria-hidden size={18} strokeWidth={1.75} className="text-accent" />
        Nothing leaves this device
      </Button>
      <div className="flex items-center gap-1 border-t pt-2">
        <IconButton icon={HardDrive} label="Storage" onClick={() => openDialog('storage')} />
        <ThemeMenu />
        <IconButton icon={Keyboard} label="Keyboard shortcuts" onClick={() => openDialog('shortcuts')} />
        <IconButton icon={Command} label="Commands" className="ml-auto" onClick={() => openDialog('commands')} />
      </div>
    </div>
  );
}

/** The same behind one button, for a narrow screen. */
export function ToolsMenu() {
  const openDialog = useScreen((state) => state.openDialog);
  return (
    <Menu.Root>
      <Menu.Trigger render={<IconButton icon={MenuIcon} label="Menu" />} />
      <Menu.Portal>
        <Menu.Positioner align="end" sideOffset={6} className="z-30">
          <Menu.Popup className={popup}>
            <Menu.Item className={item} onClick={() => openDialog('privacy')}>
              <ShieldCheck aria-hidden size={16} /> Nothing leaves this device
            </Menu.Item>
            <Menu.Item className={item} onClick={() => openDialog('storage')}>
              <HardDrive aria-hidden size={16} /> Storage
            </Menu.Item>
            <Menu.Item className={item} onClick={() => openDialog('commands')}>
              <Command aria-hidden size={16} /> Commands
            </Menu.Item>
            <Menu.Item className={item} onClick={() => openDialog('shortcuts')}>
              <Keyboard aria-hidden size={16} /> Keyboard shortcuts
            </Menu.Item>
            <Menu.Separator className="my-1 h-px bg-line" />
            <ThemeItems />
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
