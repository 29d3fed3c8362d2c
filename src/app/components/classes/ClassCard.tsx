import { Plus, Trash2, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { type TextClass, textsOf, useClasses } from '../../../stores/classes';
import { useFields } from '../../../stores/select';
import { classesText as text } from '../../text/classes';
import { Button } from '../../ui/Button';
import { Input, Textarea } from '../../ui/Field';
import { IconButton } from '../../ui/IconButton';
import { formatPlural } from '../../util/format';

/** One class: its name, its examples, and room for more. */
export function ClassCard({ index, value, why }: { index: number; value: TextClass; why: string | false }) {
  const { rename, removeClass, addTexts, removeText } = useClasses(
    useFields('rename', 'removeClass', 'addTexts', 'removeText'),
  );
  const [typed, setTyped] = useState('');
  const { name, texts } = value;
  const fresh = textsOf(typed);
  function add(event?: FormEvent) {
    event?.preventDefault();
    if (fresh.length === 0 || why) return;
    addTexts(index, fresh);
    setTyped('');
  }
  return (
    <li className="rounded-lg border bg-surface">
      <div className="flex items-center gap-2 border-b px-3 py-2">
        <Input
          aria-label={text.name(index)}
          value={name}
          maxLength={100}
          readOnly={why !== false}
          onChange={(event) => rename(index, event.target.value)}
          className="!border-transparent !bg-transparent font-semibold hover:!border-edge/60 focus:!border-edge"
        />
        <span className="shrink-0 text-[0.8125rem] text-muted">{formatPlural(texts.length, 'example')}</span>
        <IconButton icon={Trash2} label={text.remove(name)} size="small" why={why} onClick={() => removeClass(index)} />
      </div>
      {texts.length === 0 ? (
        <p className="px-4 pt-3 text-[0.8125rem] text-muted">{text.noTexts}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
        <ul tabIndex={0} aria-label={name} className="max-h-48 overflow-y-auto px-4 py-1.5">
          {texts.map((one, i) => (
            <li key={one} className="flex items-start gap-2 border-b py-1 last:border-b-0">
              <span className="min-w-0 flex-1 break-words">{one}</span>
              <IconButton
                icon={X}
                label={text.removeText(one)}
                size="small"
                why={why}
                onClick={() => removeText(index, i)}
              />
            </li>
          ))}
        </ul>
      )}
      <form onSubmit={add} className="flex flex-wrap items-end gap-2 px-3 py-3">
        <Textarea
          aria-label={text.addTo(name)}
          placeholder={text.placeholder}
          rows={Math.min(6, Math.max(2, typed.split('\n').length))}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onKeyDown={(event) => {
            // As in a chat: Enter adds, Shift+Enter begins a new line. Enter that ends a composition is no Enter.
            if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            add();
          }}
          className="min-w-0 flex-1 basis-56"
        />
        <Button type="submit" why={why}>
          <Plus aria-hidden size={16} /> {text.add}
        </Button>
      </form>
    </li>
  );
}
