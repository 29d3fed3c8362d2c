import { useState } from 'react';
import { common } from '../../text/common';
import { tableText } from '../../text/data';
import { Button } from '../../ui/Button';
import { Textarea } from '../../ui/Field';

/** A cell being edited. Ctrl/Cmd+Enter saves, Esc discards. */
export function CellEditor({
  label,
  text,
  onSave,
  onCancel,
}: {
  label: string;
  text: string;
  onSave: (text: string) => void;
  onCancel: () => void;
}) {
  const [draft, setDraft] = useState(text);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only keeps keys typed here from reaching the grid around it.
    <div
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === 'Escape') onCancel();
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onSave(draft);
      }}
    >
      <Textarea
        autoFocus
        aria-label={label}
        rows={Math.min(8, Math.max(3, draft.split('\n').length + 1))}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
      />
      <div className="mt-1.5 flex gap-2">
        <Button size="small" variant="primary" onClick={() => onSave(draft)}>
          {tableText.save}
        </Button>
        <Button size="small" onClick={onCancel}>
          {common.cancel}
        </Button>
      </div>
    </div>
  );
}
