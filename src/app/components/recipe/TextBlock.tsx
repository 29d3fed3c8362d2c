import { useState } from 'react';
import type { CodeField, LinesField } from '../../../recipe/spec';
import { Textarea } from '../../ui/Field';

const text = (value: unknown): string => (Array.isArray(value) ? value.join('\n') : String(value ?? ''));

/** Text of several lines: code, or texts one a line, whose empty lines and blanks at the ends are kept only while it is typed. */
export function TextBlock({
  field: { kind },
  id,
  describedBy,
  invalid,
  value,
  onChange,
}: {
  field: Pick<CodeField | LinesField, 'kind'>;
  id: string;
  describedBy: string;
  invalid: boolean;
  value: unknown;
  onChange: (value: unknown) => void;
}) {
  const [draft, setDraft] = useState<string | null>(null);
  const lines = kind === 'lines';
  const shown = draft ?? text(value);
  return (
    <Textarea
      id={id}
      aria-describedby={describedBy}
      aria-invalid={invalid || undefined}
      autoComplete="off"
      spellCheck={false}
      rows={Math.min(lines ? 8 : 16, Math.max(lines ? 2 : 4, shown.split('\n').length))}
      className={lines ? undefined : 'overflow-x-auto font-mono text-xs whitespace-pre'}
      value={shown}
      onChange={({ target }) => {
        setDraft(target.value);
        const typed = target.value.split('\n').map((line) => line.trim());
        onChange(lines ? typed.filter(Boolean) : target.value);
      }}
      onBlur={() => setDraft(null)}
    />
  );
}
