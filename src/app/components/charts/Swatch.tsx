import { cx } from '../../util/cx';
import type { Series } from './series';

/** A swatch that shows the dash as well as the colour. */
export function Swatch({ series }: { series: Pick<Series, 'color' | 'dash' | 'points' | 'faint'> }) {
  return (
    <svg width="22" height="10" aria-hidden="true" className={cx('shrink-0', series.faint && 'opacity-40')}>
      <line
        x1="1"
        x2="21"
        y1="5"
        y2="5"
        stroke={`var(${series.color})`}
        strokeWidth="2"
        strokeDasharray={series.dash?.map((part) => part / 2).join(' ')}
      />
      {series.points && <circle cx="11" cy="5" r="3.5" fill={`var(${series.color})`} />}
    </svg>
  );
}
