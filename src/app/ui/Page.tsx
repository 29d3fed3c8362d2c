import { type ReactNode, useId } from 'react';

/** The frame of every page: a region named by its heading, with one sentence on what it is for. */
export function Page({
  title,
  lead,
  aside,
  children,
}: {
  title: string;
  lead: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className="mx-auto flex w-full max-w-[68rem] flex-col gap-4 px-4 py-6 sm:px-6 lg:px-8"
    >
      <header className="flex flex-wrap items-end gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-72">
          <h1 id={id} tabIndex={-1} className="text-[1.625rem] font-semibold leading-tight tracking-tight outline-none">
            {title}
          </h1>
          <p className="mt-1 max-w-prose text-muted">{lead}</p>
        </div>
        {aside}
      </header>
      {children}
    </section>
  );
}
