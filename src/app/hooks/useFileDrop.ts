import { useEffect, useState } from 'react';
import { chunk } from '../../base/chunks';
import { toErrorData } from '../../stores/errors';
import type { PageName } from '../../stores/pages';
import { useScreen } from '../../stores/screen';
import { shell } from '../text/shell';
import { filesOfDrop } from '../util/files';
import { navigate } from '../util/route';

const opening = chunk(() => import('../../stores/drop'));

const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;

/** Accepts files dropped anywhere on the page. True while some are dragged over it. */
export function useFileDrop(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0;
    const onEnter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth++;
      setOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (hasFiles(event) && --depth <= 0) setOver(false);
    };
    const onOver = (event: DragEvent) => hasFiles(event) && event.preventDefault();
    const onDrop = async (event: DragEvent) => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      try {
        let arrived: string | null = null;
        const arrive = (page: PageName) => {
          arrived = page;
          navigate(page);
        };
        // Before anything is waited for: what was dropped can be read during the event only.
        const files = await filesOfDrop(event.dataTransfer);
        const { receiveFiles } = await opening();
        const page = await receiveFiles(files, arrive);
        if (page && page !== arrived) navigate(page);
      } catch (cause) {
        useScreen.getState().showError(toErrorData(cause, shell.drop.unreadable));
      }
    };
    window.addEventListener('dragenter', onEnter);
    window.addEventListener('dragleave', onLeave);
    window.addEventListener('dragover', onOver);
    window.addEventListener('drop', onDrop);
    return () => {
      window.removeEventListener('dragenter', onEnter);
      window.removeEventListener('dragleave', onLeave);
      window.removeEventListener('dragover', onOver);
      window.removeEventListener('drop', onDrop);
    };
  }, []);
  return over;
}
