import { ChartLine, Cuboid, type LucideIcon, MessagesSquare, SlidersHorizontal, Table2 } from 'lucide-react';
import type { PageName } from '../../stores/blockers';

export const pages: { name: PageName; title: string; short: string; key: string; icon: LucideIcon }[] = [
  { name: 'model', title: 'Model', short: 'Model', key: '1', icon: Cuboid },
  { name: 'data', title: 'Data', short: 'Data', key: '2', icon: Table2 },
  { name: 'recipe', title: 'Recipe', short: 'Recipe', key: '3', icon: SlidersHorizontal },
  { name: 'train', title: 'Train', short: 'Train', key: '4', icon: ChartLine },
  { name: 'compare', title: 'Compare & Export', short: 'Compare', key: '5', icon: MessagesSquare },
];
