import { Upload } from 'lucide-react';
import { useFileDrop } from '../../hooks/useFileDrop';

/** Shown while files are held over the page. They may be let go anywhere. */
export function DropOverlay() {
  const over = useFileDrop();
  if (!over) return null;
  return (
    <div className="pointer-events-none fixed inset-3 z-50 flex flex-col items-center justify-center gap-2 rounded-xl border-2 border-accent border-dashed bg-canvas/90 text-center">
      <Upload aria-hidden size={32} strokeWidth={1.5} className="text-accent" />
      <p className="text-lg font-semibold">Let go anywhere</p>
      <p className="max-w-sm text-muted">
        A dataset, a model folder, a GGUF file, a recipe or an adapter. It stays on this device.
      </p>
    </div>
  );
}
