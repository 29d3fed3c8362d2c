import {
  Download,
  FileDown,
  FolderOpen,
  HardDrive,
  Keyboard,
  type LucideIcon,
  Moon,
  PackageOpen,
  Pause,
  Play,
  RotateCcw,
  ShieldCheck,
  Square,
  Sun,
} from 'lucide-react';
import { leavesModel, methodOf } from '../../../methods';
import { useCompare } from '../../../stores/compare';
import { usePreferences } from '../../../stores/preferences';
import { useRecipe } from '../../../stores/recipe';
import { useScreen } from '../../../stores/screen';
import { useTraining } from '../../../stores/training';
import { pages } from '../../util/pages';
import { pickDataset } from '../../util/pick';
import { navigate } from '../../util/route';
import { startTraining } from '../../util/runActions';
import { saveAdapter, saveMerged, saveRecipe } from '../../util/save';
import { useRunControls } from '../run/useRunControls';

export interface Command {
  title: string;
  group: string;
  icon: LucideIcon;
  key?: string;
  /** Why it cannot be done now. */
  why?: string | null;
  run: () => void;
}

export function useCommands(): Command[] {
  const { mode, why } = useRunControls();
  const { pause, resume, stop } = useTraining();
  const openDialog = useScreen((state) => state.openDialog);
  const adapter = useCompare((state) => state.adapter);
  const reset = useRecipe((state) => state.reset);
  const set = usePreferences((state) => state.set);
  const busy = mode === 'start' ? null : 'Not while a run is going on.';
  const noAdapter = adapter ? null : 'There is no adapter yet: train one first.';
  const running: Command[] =
    mode === 'start'
      ? [{ title: 'Start training', group: 'Run', icon: Play, why, run: startTraining }]
      : [
          mode === 'paused'
            ? { title: 'Resume the run', group: 'Run', icon: Play, key: 'P', run: resume }
            : { title: 'Pause the run', group: 'Run', icon: Pause, key: 'P', run: pause },
          { title: 'Stop the run', group: 'Run', icon: Square, run: stop },
        ];
  return [
    ...running,
    ...pages.map(({ name, title, icon, key }) => ({
      title: `Go to ${title}`,
      group: 'Pages',
      icon,
      key,
      run: () => navigate(name),
    })),
    { title: 'Open a dataset file', group: 'Data', icon: FolderOpen, why: busy, run: pickDataset },
    { title: 'Save the recipe as a file', group: 'Recipe', icon: FileDown, run: saveRecipe },
    { title: 'Set the recipe back to the defaults', group: 'Recipe', icon: RotateCcw, run: reset },
    {
      title: 'Export the adapter as a zip',
      group: 'Export',
      icon: Download,
      why:
        busy ??
        noAdapter ??
        (adapter && leavesModel(methodOf({ type: adapter.method }))
          ? 'What was learned is the model itself: export that.'
          : null),
      run: saveAdapter,
    },
    {
      title:
        adapter && leavesModel(methodOf({ type: adapter.method }))
          ? 'Export the model as a zip'
          : 'Export the merged model as a zip',
      group: 'Export',
      icon: PackageOpen,
      why:
        busy ??
        noAdapter ??
        (adapter && !methodOf({ type: adapter.method }).merges
          ? 'What was learned is not a change of weights, and cannot be merged.'
          : null),
      run: saveMerged,
    },
    { title: 'Light theme', group: 'Screen', icon: Sun, run: () => set({ theme: 'light' }) },
    { title: 'Dark theme', group: 'Screen', icon: Moon, run: () => set({ theme: 'dark' }) },
    { title: 'Theme as the system', group: 'Screen', icon: Sun, run: () => set({ theme: 'system' }) },
    {
      title: 'Storage: what is kept in this browser',
      group: 'Screen',
      icon: HardDrive,
      run: () => openDialog('storage'),
    },
    { title: 'Keyboard shortcuts', group: 'Screen', icon: Keyboard, key: '?', run: () => openDialog('shortcuts') },
    {
      title: 'How to check that nothing leaves this device',
      group: 'Screen',
      icon: ShieldCheck,
      run: () => openDialog('privacy'),
    },
  ];
}
