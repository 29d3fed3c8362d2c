import { firstRunText as text } from '../../text/train';
import { Panel } from '../../ui/Panel';

/** Before the first run: a drawing of what will be here, and how to read it. */
export function FirstRun() {
  return (
    <Panel title={text.title} description={text.description}>
      <div className="grid items-center gap-6 lg:grid-cols-[minmax(0,1fr)_18rem]">
        <svg viewBox="0 0 560 240" className="w-full" role="img" aria-label={text.drawing}>
          {[40, 90, 140, 190].map((y) => (
            <line key={y} x1="24" x2="552" y1={y} y2={y} stroke="var(--grid)" />
          ))}
          <line x1="24" x2="552" y1="220" y2="220" className="stroke-edge" />
          <path
            d="M24 30 L34 52 L44 46 L56 82 L68 76 L82 112 L96 104 L112 134 L130 128 L150 152 L172 146 L196 164 L222 158 L250 174 L280 168 L312 180 L346 174 L382 186 L420 180 L460 188 L500 184 L552 190"
            fill="none"
            className="stroke-series-1"
            strokeWidth="1"
            opacity=".45"
          />
          <path
            d="M24 32 C60 80 96 118 160 146 S330 178 552 188"
            fill="none"
            className="stroke-series-1"
            strokeWidth="2.5"
          />
          <path
            d="M24 40 C64 92 110 128 180 148 S380 172 552 174"
            fill="none"
            className="stroke-series-2"
            strokeWidth="2"
            strokeDasharray="6 4"
          />
          {[
            [24, 40],
            [156, 142],
            [288, 163],
            [420, 171],
            [552, 174],
          ].map(([x, y]) => (
            <circle key={x} cx={x} cy={y} r="4" className="fill-series-2" />
          ))}
        </svg>
        <ul className="space-y-3">
          <li>
            <strong className="text-series-1">{text.trainingLoss}</strong>
            {text.trainingLossIs}
          </li>
          <li>
            <strong className="text-series-2">{text.validationLoss}</strong>
            {text.validationLossIs}
          </li>
          <li className="text-muted">{text.samples}</li>
        </ul>
      </div>
    </Panel>
  );
}
