import { CircleHelp } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import type { PageName } from '../../stores/pages';
import { type HelpId, useScreen } from '../../stores/screen';
import { pageText, shell } from '../text/shell';
import { IconButton } from './IconButton';

const topics: Record<PageName, HelpId> = {
  model: 'model',
  data: 'data',
  recipe: 'method',
  train: 'loss',
  compare: 'compare',
  runs: 'overfitting',
};

/** The frame of every page: a region named by its heading, with one sentence about its purpose. */
export function Page({
  name,
  lead,
  aside,
  children,
}: {
  name: PageName;
  /** Instead of the page's usual sentence. */
  lead?: string;
  aside?: ReactNode;
  children?: ReactNode;
}) {
  const id = useId();
  const text = pageText[name];
  const openHelp = useScreen((state) => state.openHelp);
  return (
    <section
      aria-labelledby={id}
      className="mx-auto flex w-full max-w-[68rem] flex-col gap-4 px-4 py-6 sm:px-6 lg:px-8"
    >
      <header className="flex flex-wrap items-end gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-72">
          <div className="flex items-center gap-1">
            <h1
              id={id}
              tabIndex={-1}
              className="text-[1.625rem] font-semibold leading-tight tracking-tight outline-none"
            >
              {text.title}
            </h1>
            <IconButton
              icon={CircleHelp}
              label={shell.helpOn(text.title)}
              size="small"
              className="text-muted"
              onClick={() => openHelp(topics[name])}
            />
          </div>
          <p className="mt-1 max-w-prose text-muted">{lead ?? text.lead}</p>
        </div>
        {aside}
      </header>
      {children}
    </section>
  );
}
