import { History, Redo2, Undo2 } from 'lucide-react';
import { useEffect } from 'react';
import { useData } from '../../../stores/data';
import { useEdits } from '../../../stores/edits';
import { useLibrary } from '../../../stores/library';
import { useFields } from '../../../stores/select';
import { undoText as text } from '../../text/data';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';

const inText = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** What was changed in the dataset, and its way back. `why`: the dataset cannot be changed now. */
export function UndoBar({ why }: { why: string | null }) {
  const { past, future, busy, error, undo, redo, reset, dismiss } = useEdits(
    useFields('past', 'future', 'busy', 'error', 'undo', 'redo', 'reset', 'dismiss'),
  );
  const source = useData((state) => state.source);
  const edited = useLibrary(({ own }) => own.some((one) => one.source === source && one.edited));
  const [last, next] = [past.at(-1), future.at(-1)];
  const blocked = why ?? (busy ? text.saving : null);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || inText(event.target)) return;
      const key = event.key.toLowerCase();
      const step = key === 'z' && !event.shiftKey ? undo : key === 'y' || key === 'z' ? redo : null;
      if (!step || blocked) return;
      event.preventDefault();
      void step();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [undo, redo, blocked]);
  if (!last && !next && !edited && !busy && !error) return null;
  return (
    <div className="space-y-3">
      {error && <ErrorNotice error={error} onDismiss={dismiss} />}
      <div className="flex flex-wrap items-center gap-2 rounded-lg border bg-surface px-4 py-2">
        <p role="status" className="min-w-48 flex-1 break-words">
          {busy ? text.saving : last ? text.did(last.label) : next ? text.undid(next.label) : text.edited}
        </p>
        <Button size="small" why={blocked ?? (!last && text.nothingToUndo)} onClick={() => void undo()}>
          <Undo2 aria-hidden size={14} />
          {text.undo}
        </Button>
        <Button size="small" why={blocked ?? (!next && text.nothingToRedo)} onClick={() => void redo()}>
          <Redo2 aria-hidden size={14} />
          {text.redo}
        </Button>
        {edited && (
          <Button size="small" why={blocked} onClick={() => void reset(text.reset)}>
            <History aria-hidden size={14} />
            {text.reset}
          </Button>
        )}
      </div>
    </div>
  );
}
