import { useAnnouncer } from '../../../stores/announcer';
import { shell } from '../../text/shell';

/** The status line for screen readers. */
export function LiveStatus() {
  const text = useAnnouncer((state) => state.text);
  return (
    <output aria-label={shell.progress} className="sr-only">
      {text}
    </output>
  );
}
