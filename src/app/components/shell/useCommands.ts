import {
  Download,
  FileDown,
  FolderOpen,
  HardDrive,
  Keyboard,
  type LucideIcon,
  Monitor,
  Moon,
  PackageOpen,
  Pause,
  Play,
  RotateCcw,
  ShieldCheck,
  Square,
  Sun,
} from 'lucide-react';
import { exportBy } from '../../../exports';
import { leavesModel, methodOf } from '../../../methods';
import { useCompare } from '../../../stores/compare';
import { usePreferences } from '../../../stores/preferences';
import { useRecipe } from '../../../stores/recipe';
import { useScreen } from '../../../stores/screen';
import { useFields } from '../../../stores/select';
import { useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { shell, commandText as text } from '../../text/shell';
import { pickDataset } from '../../util/fileDialogs';
import { pages } from '../../util/pages';
import { navigate } from '../../util/route';
import { startTraining } from '../../util/runActions';
import { saveAdapter, saveMerged, saveRecipe } from '../../util/saveFiles';
import { useRunControls } from '../run/useRunControls';

export interface Command {
  title: string;
  group: string;
  icon: LucideIcon;
  key?: string;
  /** Why it is not available now. */
  why?: string | null;
  run: () => void;
}

export function useCommands(): Command[] {
  const { mode, why } = useRunControls();
  const { pause, resume, stop } = useTraining(useFields('pause', 'resume', 'stop'));
  const openDialog = useScreen((state) => state.openDialog);
  const adapter = useCompare((state) => state.adapter);
  const reset = useRecipe((state) => state.reset);
  const set = usePreferences((state) => state.set);
  const busy = mode === 'start' ? null : common.notDuringRun;
  const noAdapter = adapter ? null : common.noAdapterYet;
  const modelItself = adapter !== null && leavesModel(methodOf({ type: adapter.method }));
  const impossible = (id: 'adapter' | 'model') => (adapter ? exportBy(id).refusal(adapter) : null);
  const { groups } = text;
  const running: Command[] =
    mode === 'start'
      ? [{ title: text.startTraining, group: groups.run, icon: Play, why, run: startTraining }]
      : [
          mode === 'paused'
            ? { title: text.resume, group: groups.run, icon: Play, key: 'P', run: resume }
            : { title: text.pause, group: groups.run, icon: Pause, key: 'P', run: pause },
          { title: text.stop, group: groups.run, icon: Square, run: stop },
        ];
  return [
    ...running,
    ...pages.map(({ name, title, icon, key }) => ({
      title: text.goTo(title),
      group: groups.pages,
      icon,
      key,
      run: () => navigate(name),
    })),
    { title: text.openDataset, group: groups.data, icon: FolderOpen, why: busy, run: pickDataset },
    { title: text.saveRecipe, group: groups.recipe, icon: FileDown, run: saveRecipe },
    { title: text.resetRecipe, group: groups.recipe, icon: RotateCcw, run: reset },
    {
      title: text.exportAdapter,
      group: groups.export,
      icon: Download,
      why: busy ?? noAdapter ?? impossible('adapter'),
      run: saveAdapter,
    },
    {
      title: modelItself ? text.exportModel : text.exportMerged,
      group: groups.export,
      icon: PackageOpen,
      why: busy ?? noAdapter ?? impossible('model'),
      run: saveMerged,
    },
    { title: text.lightTheme, group: groups.screen, icon: Sun, run: () => set({ theme: 'light' }) },
    { title: text.darkTheme, group: groups.screen, icon: Moon, run: () => set({ theme: 'dark' }) },
    { title: text.systemTheme, group: groups.screen, icon: Monitor, run: () => set({ theme: 'system' }) },
    { title: text.storage, group: groups.screen, icon: HardDrive, run: () => openDialog('storage') },
    { title: shell.shortcuts, group: groups.screen, icon: Keyboard, key: '?', run: () => openDialog('shortcuts') },
    { title: text.privacy, group: groups.screen, icon: ShieldCheck, run: () => openDialog('privacy') },
  ];
}
