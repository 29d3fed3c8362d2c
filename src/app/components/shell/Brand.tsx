import { shell } from '../../text/shell';

/** The mark: a falling loss curve that levels off. */
export function Brand() {
  return (
    <span className="flex items-center gap-2.5">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
        <rect width="32" height="32" rx="7" className="fill-accent" />
        <path
          d="M6 8c2.6 0 3 11 7 11 2.8 0 3.2-4.5 5.6-4.5 2.6 0 2.6 6 7.4 6"
          fill="none"
          className="stroke-on-accent"
          strokeWidth="2.6"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
        <path d="M5 25h22" className="stroke-on-accent" strokeWidth="2" strokeLinecap="round" opacity=".5" />
      </svg>
      <span className="text-[1.0625rem] font-semibold tracking-tight">{shell.brand}</span>
    </span>
  );
}
