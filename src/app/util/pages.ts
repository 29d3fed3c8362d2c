/**
 * Everything that exists once per page, in the order of the rail. A new page needs its name in stores/pages.ts, its
 * wording in text/shell.ts and its entry here.
 */
import { ChartLine, Cuboid, History, type LucideIcon, MessagesSquare, SlidersHorizontal, Table2 } from 'lucide-react';
import type { ComponentType } from 'react';
import { type PageName, pageNames } from '../../stores/pages';
import {
  type StateLine,
  useCompareLine,
  useDataLine,
  useModelLine,
  useRecipeLine,
  useRunsLine,
  useTrainLine,
} from '../components/shell/stateLines';
import { ModelPlace } from '../pages/ModelPlace';
import { pageText } from '../text/shell';
import { lazyAhead } from './lazyAhead';

export interface Page {
  name: PageName;
  title: string;
  /** For the bar of a narrow screen. */
  short: string;
  /** The key that opens it. */
  key: string;
  icon: LucideIcon;
  Screen: ComponentType;
  /** The line under its name in the rail. */
  useStateLine: () => StateLine;
}

const entries: Record<PageName, Pick<Page, 'icon' | 'Screen' | 'useStateLine'>> = {
  // The first screen is in the first chunk; the others are fetched ahead of time.
  model: { icon: Cuboid, Screen: ModelPlace, useStateLine: useModelLine },
  data: {
    icon: Table2,
    Screen: lazyAhead(() => import('../pages/DataPlace').then(({ DataPlace }) => DataPlace)),
    useStateLine: useDataLine,
  },
  recipe: {
    icon: SlidersHorizontal,
    Screen: lazyAhead(() => import('../pages/RecipePage').then(({ RecipePage }) => RecipePage)),
    useStateLine: useRecipeLine,
  },
  train: {
    icon: ChartLine,
    Screen: lazyAhead(() => import('../pages/TrainPage').then(({ TrainPage }) => TrainPage)),
    useStateLine: useTrainLine,
  },
  compare: {
    icon: MessagesSquare,
    Screen: lazyAhead(() => import('../pages/ComparePage').then(({ ComparePage }) => ComparePage)),
    useStateLine: useCompareLine,
  },
  runs: {
    icon: History,
    Screen: lazyAhead(() => import('../pages/RunsPage').then(({ RunsPage }) => RunsPage)),
    useStateLine: useRunsLine,
  },
};

export const pages: Page[] = pageNames.map((name, index) => {
  const { title, short } = pageText[name];
  return { name, title, short, key: String(index + 1), ...entries[name] };
});

export const pageNamed = (name: PageName): Page => pages.find((page) => page.name === name)!;
