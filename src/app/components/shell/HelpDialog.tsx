import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { type HelpId, helpIds, useScreen } from '../../../stores/screen';
import { helpText, helpTopics } from '../../text/help';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Rich } from '../../ui/Rich';
import { cx } from '../../util/cx';

/** Fine-tuning in the app's own words, a topic at a time. */
export function HelpDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const topic = useScreen((state) => state.help) ?? helpIds[0];
  const openHelp = useScreen((state) => state.openHelp);
  const heading = useRef<HTMLHeadingElement>(null);
  const index = helpTopics.findIndex(({ id }) => id === topic);
  const shown = helpTopics[index] ?? helpTopics[0]!;
  const beside = (offset: number) => helpTopics[index + offset];
  // biome-ignore lint/correctness/useExhaustiveDependencies: another topic begins at its top.
  useEffect(() => {
    heading.current?.focus();
    heading.current?.scrollIntoView({ block: 'nearest' });
  }, [topic]);

  const step = (to: HelpId | undefined, label: string, next: boolean) =>
    to && (
      <Button onClick={() => openHelp(to)} className={next ? 'ml-auto' : undefined}>
        {!next && <ChevronLeft aria-hidden size={16} />}
        {label}: {helpTopics.find(({ id }) => id === to)?.title}
        {next && <ChevronRight aria-hidden size={16} />}
      </Button>
    );
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={helpText.title}
      description={helpText.description}
      shape="wide"
      initialFocus={heading}
    >
      <div className="flex flex-col gap-x-8 gap-y-4 md:flex-row">
        <nav aria-label={helpText.topics} className="md:w-48 md:shrink-0">
          <ul className="flex flex-wrap gap-x-1 md:flex-col">
            {helpTopics.map(({ id, title }) => (
              <li key={id}>
                <button
                  type="button"
                  aria-current={id === shown.id ? 'true' : undefined}
                  onClick={() => openHelp(id)}
                  className={cx(
                    'min-h-8 rounded-md px-2 text-left md:w-full',
                    id === shown.id ? 'bg-accent-soft font-medium text-accent-strong' : 'hover:bg-hover',
                  )}
                >
                  {title}
                </button>
              </li>
            ))}
          </ul>
        </nav>
        <article className="min-w-0 flex-1 space-y-3 md:min-h-96">
          <h3 ref={heading} tabIndex={-1} className="text-base font-semibold outline-none">
            {shown.title}
          </h3>
          {shown.body.map((part) =>
            Array.isArray(part) ? (
              <ul key={part[0]} className="max-w-prose list-disc space-y-1.5 pl-5">
                {part.map((text) => (
                  <li key={text}>
                    <Rich text={text} />
                  </li>
                ))}
              </ul>
            ) : (
              <p key={part} className="max-w-prose">
                <Rich text={part} />
              </p>
            ),
          )}
          <div className="flex flex-wrap gap-2 pt-3">
            {step(beside(-1)?.id, helpText.previous, false)}
            {step(beside(1)?.id, helpText.next, true)}
          </div>
        </article>
      </div>
    </Dialog>
  );
}
