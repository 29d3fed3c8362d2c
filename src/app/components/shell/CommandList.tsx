import { useId, useMemo, useRef, useState } from 'react';
import { commandText, shell } from '../../text/shell';
import { Dialog } from '../../ui/Dialog';
import { Input } from '../../ui/Field';
import { cx } from '../../util/cx';
import { type Command, useCommands } from './useCommands';

function matches(command: Command, query: string): boolean {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const text = `${command.title} ${command.group}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Ctrl/Cmd+K: every command, found by typing. */
export function CommandList({ open, onClose }: { open: boolean; onClose: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <Dialog open={open} onClose={onClose} title={shell.commands} initialFocus={input}>
      <Finder input={input} onClose={onClose} />
    </Dialog>
  );
}

function Finder({ input, onClose }: { input: React.RefObject<HTMLInputElement | null>; onClose: () => void }) {
  const commands = useCommands();
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const id = useId();
  const found = useMemo(() => commands.filter((command) => matches(command, query)), [commands, query]);
  const index = Math.min(active, found.length - 1);

  function choose(command: Command | undefined) {
    if (!command || command.why) return;
    onClose();
    command.run();
  }

  function onKeyDown(event: React.KeyboardEvent) {
    const moves: Record<string, number> = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: found.length - 1 };
    const next = moves[event.key];
    if (next !== undefined && found.length > 0) {
      event.preventDefault();
      const wrapped = (next + found.length) % found.length;
      setActive(wrapped);
      document.getElementById(`${id}-${wrapped}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      choose(found[index]);
    }
  }

  return (
    <>
      <Input
        ref={input}
        role="combobox"
        aria-label={commandText.find}
        aria-expanded
        aria-controls={`${id}-list`}
        aria-activedescendant={found.length > 0 ? `${id}-${index}` : undefined}
        aria-autocomplete="list"
        placeholder={commandText.placeholder}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id={`${id}-list`} role="listbox" aria-label={shell.commands} className="mt-2">
        {found.map((command, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input keeps the focus and handles the keys.
          // biome-ignore lint/a11y/useFocusableInteractive: as above.
          <div
            key={command.title}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === index}
            aria-disabled={command.why ? true : undefined}
            onClick={() => choose(command)}
            onMouseMove={() => setActive(i)}
            className={cx('flex min-h-9 items-center gap-3 rounded-md px-2.5 py-1', i === index && 'bg-hover')}
          >
            <command.icon aria-hidden size={16} strokeWidth={1.75} className="shrink-0 text-muted" />
            <span className={cx('min-w-0 flex-1', command.why && 'text-muted')}>
              {command.title}
              {command.why && <span className="block text-[0.8125rem]">{command.why}</span>}
            </span>
            {command.key && (
              <kbd className="rounded border bg-sunken px-1.5 font-mono text-xs text-muted">{command.key}</kbd>
            )}
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="px-2.5 py-4 text-muted">{commandText.nothing}</p>}
    </>
  );
}
