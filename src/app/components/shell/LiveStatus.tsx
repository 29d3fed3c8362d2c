import { useAnnouncer } from '../../../stores/announcer';

/** The status line for screen readers: what the run does, at a pace that can be listened to. */
export function LiveStatus() {
  const text = useAnnouncer((state) => state.text);
  return (
    <output aria-label="Progress" className="sr-only">
      {text}
    </output>
  );
}
