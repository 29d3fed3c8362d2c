import {
  CircleHelp,
  Command,
  HardDrive,
  Keyboard,
  type LucideIcon,
  Menu as MenuIcon,
  Moon,
  Settings,
  ShieldCheck,
  Sun,
} from 'lucide-react';
import { type FunctionComponent, Suspense, useState } from 'react';
import { useScreen } from '../../../stores/screen';
import { useSeenTheme } from '../../hooks/useTheme';
import { shell } from '../../text/shell';
import { Button } from '../../ui/Button';
import { IconButton } from '../../ui/IconButton';
import { LoadBoundary } from '../../ui/LoadBoundary';
import { lazyAhead } from '../../util/lazyAhead';
import type { MenuProps } from './Menus';

const ThemeMenu = lazyAhead<MenuProps>(() => import('./Menus').then((module) => module.ThemeMenu));
const ToolsMenu = lazyAhead<MenuProps>(() => import('./Menus').then((module) => module.ToolsMenu));

/** A plain button until it is first pressed, because the menu's code is not in the first chunk. */
function MenuButton({
  icon,
  label,
  menu: Menu,
}: {
  icon: LucideIcon;
  label: string;
  menu: FunctionComponent<MenuProps>;
}) {
  const [pressed, setPressed] = useState(false);
  const showError = useScreen((state) => state.showError);
  const plain = (
    <IconButton
      icon={icon}
      label={label}
      aria-haspopup="menu"
      aria-expanded={false}
      // In the next task: an open menu would take this very click for one outside of it, and close.
      onClick={() => setTimeout(() => setPressed(true))}
    />
  );
  if (!pressed) return plain;
  return (
    <LoadBoundary
      onFail={(error) => {
        setPressed(false);
        showError(error);
      }}
    >
      <Suspense fallback={plain}>
        <Menu trigger={<IconButton icon={icon} label={label} />} />
      </Suspense>
    </LoadBoundary>
  );
}

/** The foot of the rail: the privacy promise, and the tools that belong to no page. */
export function Tools() {
  const openDialog = useScreen((state) => state.openDialog);
  const dark = useSeenTheme() === 'dark';
  return (
    <div className="flex flex-col gap-2">
      <Button
        variant="quiet"
        className="justify-start! px-2! text-[0.8125rem]! whitespace-nowrap"
        onClick={() => openDialog('privacy')}
      >
        <ShieldCheck aria-hidden size={18} strokeWidth={1.75} className="text-accent" />
        {shell.privacy}
      </Button>
      <div className="flex items-center justify-between border-t pt-2">
        <IconButton icon={HardDrive} label={shell.storage} onClick={() => openDialog('storage')} />
        <MenuButton icon={dark ? Moon : Sun} label={shell.theme} menu={ThemeMenu} />
        <IconButton icon={Keyboard} label={shell.shortcuts} onClick={() => openDialog('shortcuts')} />
        <IconButton icon={Settings} label={shell.settings} onClick={() => openDialog('settings')} />
        <IconButton icon={CircleHelp} label={shell.help} onClick={() => openDialog('help')} />
        <IconButton icon={Command} label={shell.commands} onClick={() => openDialog('commands')} />
      </div>
    </div>
  );
}

/** The same tools behind one button, for a narrow screen. */
export function NarrowTools() {
  return <MenuButton icon={MenuIcon} label={shell.menu} menu={ToolsMenu} />;
}
