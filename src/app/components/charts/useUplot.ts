import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useSeenTheme } from '../../hooks/useTheme';
import type { Plot } from './series';

interface Options {
  plot: Plot;
  log: boolean;
  height: number;
  /** For the axis: short, because the readout has the exact value. */
  tick: (value: number) => string;
  /** The x axis goes at least this far. */
  xEnd: number;
  /** Called with the index under the pointer, or null when it has left. */
  onHover: (index: number | null) => void;
}

/** Resolves a token such as `--accent`: a canvas cannot read CSS variables. */
function colorReader(host: HTMLElement): (token: string) => string {
  const probe = document.createElement('span');
  probe.hidden = true;
  host.append(probe);
  return (token) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
}

function build(host: HTMLElement, { plot, log, height, tick, onHover }: Options, xEnd: () => number): uPlot {
  const color = colorReader(host);
  const axis: uPlot.Axis = {
    stroke: color('--muted'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: color('--grid'), width: 1 },
    ticks: { show: false },
  };
  return new uPlot(
    {
      width: host.clientWidth,
      height,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      // A line follows the pointer. Dragging does not zoom, because the keyboard has no equivalent.
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: false, range: (_, min, max) => [Math.min(min, 0), Math.max(max, xEnd(), 1)] },
        y: { distr: log ? 3 : 1 },
      },
      axes: [
        { ...axis, size: 28, gap: 4, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000] },
        {
          ...axis,
          size: 56,
          gap: 6,
          values: (_, splits) => splits.map((split) => (split === null ? '' : tick(split))),
        },
      ],
      series: [
        {},
        ...plot.series.map(
          (series): uPlot.Series => ({
            stroke: color(series.color),
            width: series.width ?? 2,
            dash: series.dash,
            alpha: series.faint ? 0.35 : 1,
            spanGaps: true,
            points: { show: series.points ?? false, size: 7, fill: color(series.color) },
          }),
        ),
      ],
      hooks: {
        setCursor: [
          (u) => {
            // Ignore our own setCursor for the keyboard.
            if (u.over.matches(':hover')) onHover(u.cursor.idx ?? null);
          },
        ],
      },
    },
    [plot.x, ...plot.series.map(({ values }) => values)] as uPlot.AlignedData,
    host,
  );
}

/** Draws a plot into `host`: rebuilt when its shape or the theme changes, updated when only its values do. */
export function useUplot(host: RefObject<HTMLDivElement | null>, options: Options, cursor: number | null): void {
  const chart = useRef<uPlot | null>(null);
  const latest = useRef(options);
  latest.current = options;
  const theme = useSeenTheme();
  const { plot, log, height } = options;
  const shape = JSON.stringify(plot.series.map(({ values: _, ...look }) => look));

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart is built from `shape`, `log` and `theme`.
  useLayoutEffect(() => {
    const element = host.current;
    if (!element) return;
    const onHover = (index: number | null) => latest.current.onHover(index);
    chart.current = build(element, { ...latest.current, onHover }, () => latest.current.xEnd);
    const leave = () => onHover(null);
    chart.current.over.addEventListener('mouseleave', leave);
    const resize = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      chart.current?.destroy();
      chart.current = null;
      element.replaceChildren();
    };
  }, [host, shape, log, theme, height]);

  useEffect(() => {
    chart.current?.setData([plot.x, ...plot.series.map(({ values }) => values)] as uPlot.AlignedData);
  }, [plot]);

  useEffect(() => {
    const u = chart.current;
    const step = cursor === null ? undefined : plot.x[cursor];
    if (!u || u.over.matches(':hover')) return;
    u.setCursor(step === undefined ? { left: -10, top: -10 } : { left: u.valToPos(step, 'x'), top: 0 });
  }, [cursor, plot]);
}
