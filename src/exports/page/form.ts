/** What a page does, which follows from what was trained. */
import { objectiveOf } from '../../objectives';
import type { Exported } from '../export';
import type { PageForm } from './manifest';

/** What a visitor can do with such a model; null if there is nothing. */
export function formOf({ objective }: Pick<Exported, 'objective'>): PageForm | null {
  const { labels, task, writes } = objectiveOf({ type: objective });
  if (labels === 'words') return 'words';
  // A reward model's labels are of answers.
  if (labels === 'texts') return task ? 'answers' : 'texts';
  return writes ? 'chat' : null;
}
