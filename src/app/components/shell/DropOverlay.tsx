import { Upload } from 'lucide-react';
import { useFileDrop } from '../../hooks/useFileDrop';
import { shell } from '../../text/shell';

/** Shown while files are dragged over the page. They may be dropped anywhere. */
export function DropOverlay() {
  const over = useFileDrop();
  if (!over) return null;
  return (
    <div className="pointer-events-none fixed inset-3 z-50 flex flex-col items-center justify-center gap-2 rounded-xl border-2 border-accent border-dashed bg-canvas/90 text-center">
      <Upload aria-hidden size={32} strokeWidth={1.5} className="text-accent" />
      <p className="text-lg font-semibold">{shell.drop.title}</p>
      <p className="max-w-sm text-muted">{shell.drop.text}</p>
    </div>
  );
}
