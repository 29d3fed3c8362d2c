import { cloneElement, type ReactElement } from 'react';
import { TIP } from '../hooks/useTip';

/**
 * A hint for sighted users on hover and focus, shown by `Tooltips`. Its text must also be in the trigger's name or
 * description; the trigger has to pass attributes on to its element.
 */
export function Tooltip({ content, children }: { content: string; children: ReactElement }) {
  return cloneElement(children, { [TIP]: content } as object);
}
