import { useEffect } from 'react';
import { usePreferences } from '../../stores/preferences';
import { useScreen } from '../../stores/screen';
import { useTraining } from '../../stores/training';
import { pages } from '../util/pages';
import { navigate } from '../util/route';

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches('textarea, select, input:not([type=checkbox], [type=radio], [type=range])'))
  );
}

function singleKey(event: KeyboardEvent): void {
  const page = pages.find(({ key }) => key === event.key);
  if (page) {
    navigate(page.name);
    return;
  }
  if (event.key === '?') useScreen.getState().openDialog('shortcuts');
  if (event.key === 'p') {
    const { phase, pause, resume } = useTraining.getState();
    if (phase === 'paused') void resume();
    else if (phase === 'training' || phase === 'evaluating' || phase === 'sampling') void pause();
  }
}

/** Ctrl/Cmd+K works everywhere; single keys only while nobody is typing and no dialog is open. */
export function useShortcuts(): void {
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      const { dialog, openDialog } = useScreen.getState();
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        openDialog('commands');
        return;
      }
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
      const overlaid = dialog !== null || document.querySelector('[role=dialog], [role=alertdialog]') !== null;
      if (plain && !overlaid && usePreferences.getState().shortcuts && !isTyping(event.target)) singleKey(event);
    }
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}
