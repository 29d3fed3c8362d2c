import { emptyText as text } from '../../text/runs';
import { Button } from '../../ui/Button';
import { Panel } from '../../ui/Panel';
import { Rich } from '../../ui/Rich';
import { navigate } from '../../util/route';

/** Before the first run: what will be here, and what it is good for. */
export function NoRuns() {
  return (
    <Panel title={text.title} description={text.description}>
      <div className="grid items-center gap-6 lg:grid-cols-[minmax(0,1fr)_18rem]">
        <svg viewBox="0 0 560 200" className="w-full" role="img" aria-label={text.drawing}>
          {[40, 85, 130].map((y) => (
            <line key={y} x1="24" x2="552" y1={y} y2={y} stroke="var(--grid)" />
          ))}
          <line x1="24" x2="552" y1="176" y2="176" className="stroke-edge" />
          <path
            d="M24 30 C70 86 120 106 200 118 S420 128 536 130"
            fill="none"
            className="stroke-series-1"
            strokeWidth="2.5"
          />
          <path
            d="M24 34 C60 100 110 132 190 146 S420 158 536 160"
            fill="none"
            className="stroke-series-2"
            strokeWidth="2.5"
            strokeDasharray="8 5"
          />
          <circle cx="536" cy="160" r="7" fill="none" className="stroke-series-2" strokeWidth="2" />
        </svg>
        <ol className="list-decimal space-y-3 pl-5">
          {text.steps.map((step) => (
            <li key={step}>
              <Rich text={step} />
            </li>
          ))}
        </ol>
      </div>
      <p className="mt-4 max-w-prose text-muted">{text.after}</p>
      <Button className="mt-3" onClick={() => navigate('recipe')}>
        {text.action}
      </Button>
    </Panel>
  );
}
