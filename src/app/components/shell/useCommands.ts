import {
  Bug,
  CircleHelp,
  Download,
  FileDown,
  FolderOpen,
  Gauge,
  Globe,
  HardDrive,
  Keyboard,
  type LucideIcon,
  Monitor,
  Moon,
  PackageOpen,
  Pause,
  Play,
  RotateCcw,
  Search,
  Settings,
  ShieldCheck,
  SlidersHorizontal,
  Sparkles,
  Square,
  Sun,
} from 'lucide-react';
import { type ExportId, exportBy } from '../../../exports';
import { leavesModel, methodOf } from '../../../methods';
import { useCompare } from '../../../stores/compare';
import { usePreferences } from '../../../stores/preferences';
import { useRecipe } from '../../../stores/recipe';
import { useScreen } from '../../../stores/screen';
import { useFields } from '../../../stores/select';
import { useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { helpTopics } from '../../text/help';
import { shell, commandText as text } from '../../text/shell';
import { pickDataset } from '../../util/fileDialogs';
import { pages } from '../../util/pages';
import { navigate, SELF_INSTRUCT } from '../../util/route';
import { startTraining } from '../../util/runActions';
import { saveExport, saveRecipe, useExported } from '../../util/saveFiles';
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

/** The search of the Model page, with the focus. */
function findModel(): void {
  navigate('model', { focus: false });
  // When the page has been drawn, and the closed list has given the focus back.
  const focus = (tries: number) => {
    const field = document.querySelector<HTMLElement>('main input[type=search]');
    if (field) {
      field.scrollIntoView({ block: 'center' });
      field.focus({ preventScroll: true });
    } else if (tries > 0) requestAnimationFrame(() => focus(tries - 1));
  };
  setTimeout(() => focus(60), 50);
}

export function useCommands(): Command[] {
  const { mode, why } = useRunControls();
  const { pause, resume, stop } = useTraining(useFields('pause', 'resume', 'stop'));
  const openDialog = useScreen((state) => state.openDialog);
  const openHelp = useScreen((state) => state.openHelp);
  const adapter = useCompare((state) => state.adapter);
  const reset = useRecipe((state) => state.reset);
  const set = usePreferences((state) => state.set);
  const busy = mode === 'start' ? null : common.notDuringRun;
  const noAdapter = adapter ? null : common.noAdapterYet;
  const modelItself = adapter !== null && leavesModel(methodOf({ type: adapter.method }));
  const exported = useExported();
  const impossible = (id: ExportId) => exportBy(id).refusal(exported(id));
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
    { title: text.runCard, group: groups.run, icon: Gauge, run: () => openDialog('runCard') },
    {
      title: text.advanced,
      group: groups.recipe,
      icon: SlidersHorizontal,
      run: () => navigate('recipe', { detail: 'advanced' }),
    },
    { title: text.findModel, group: groups.model, icon: Search, run: findModel },
    { title: text.hub, group: groups.model, icon: Globe, run: () => openDialog('hub') },
    { title: text.openDataset, group: groups.data, icon: FolderOpen, why: busy, run: pickDataset },
    {
      title: text.writeExamples,
      group: groups.data,
      icon: Sparkles,
      run: () => navigate('data', { detail: SELF_INSTRUCT }),
    },
    { title: text.saveRecipe, group: groups.recipe, icon: FileDown, run: saveRecipe },
    { title: text.resetRecipe, group: groups.recipe, icon: RotateCcw, run: reset },
    {
      title: text.exportAdapter,
      group: groups.export,
      icon: Download,
      why: busy ?? noAdapter ?? impossible('peft'),
      run: () => saveExport('peft'),
    },
    {
      title: modelItself ? text.exportModel : text.exportMerged,
      group: groups.export,
      icon: PackageOpen,
      why: busy ?? noAdapter ?? impossible('merged-bf16'),
      run: () => saveExport('merged-bf16'),
    },
    { title: text.lightTheme, group: groups.screen, icon: Sun, run: () => set({ theme: 'light' }) },
    { title: text.darkTheme, group: groups.screen, icon: Moon, run: () => set({ theme: 'dark' }) },
    { title: text.systemTheme, group: groups.screen, icon: Monitor, run: () => set({ theme: 'system' }) },
    { title: text.storage, group: groups.screen, icon: HardDrive, run: () => openDialog('storage') },
    { title: shell.shortcuts, group: groups.screen, icon: Keyboard, key: '?', run: () => openDialog('shortcuts') },
    { title: text.privacy, group: groups.screen, icon: ShieldCheck, run: () => openDialog('privacy') },
    { title: text.settings, group: groups.screen, icon: Settings, run: () => openDialog('settings') },
    ...helpTopics.map(({ id, title }) => ({
      title: text.help(title),
      group: groups.help,
      icon: CircleHelp,
      run: () => openHelp(id),
    })),
    { title: text.report, group: groups.help, icon: Bug, run: () => openDialog('report') },
  ];
}
