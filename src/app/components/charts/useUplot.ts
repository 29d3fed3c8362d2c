import { type RefObject, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import { useSeenTheme } from '../../hooks/useTheme';
import type { Mark, Plot } from './series';
import { type Range, thin } from './thin';

interface Options {
  plot: Plot;
  log: boolean;
  height: number;
  /** For the axis: short, because the readout has the exact value. */
  tick: (value: number) => string;
  /** What the x axis writes, if not the step's number. */
  stepTick?: (step: number) => string;
  /** The steps shown. */
  range: Range;
  /** Called with the step under the pointer, or null when it has left. */
  onHover: (step: number | null) => void;
  /** Called with the steps that were dragged over, or null after a double click. */
  onZoom: (range: Range | null) => void;
}

const FONT = '12px system-ui, sans-serif';

/** Colours by what decides them: reading one makes the browser work out all styles, and charts have many, in few colours. */
const colors = new Map<string, string>();

/** Resolves a token such as `--accent`: a canvas cannot read CSS variables. */
function colorReader(host: HTMLElement): (token: string) => string {
  let probe: HTMLElement | null = null;
  return (token) => {
    const { theme = '' } = document.documentElement.dataset;
    const key = `${theme} ${matchMedia('(prefers-color-scheme: dark)').matches} ${token}`;
    const known = colors.get(key);
    if (known !== undefined) return known;
    if (!probe) {
      probe = document.createElement('span');
      probe.hidden = true;
      host.append(probe);
    }
    probe.style.color = `var(${token})`;
    const { color } = getComputedStyle(probe);
    colors.set(key, color);
    return color;
  };
}

function drawMarks(u: uPlot, marks: readonly Mark[], color: (token: string) => string): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const [from, to] = [u.scales.x!.min ?? 0, u.scales.x!.max ?? 0];
  ctx.save();
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = 'top';
  for (const { step, value, label, color: token } of marks) {
    if (step < from || step > to) continue;
    const x = Math.round(u.valToPos(step, 'x', true));
    ctx.strokeStyle = ctx.fillStyle = color(token);
    ctx.lineWidth = ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
    if (value !== null) {
      ctx.lineWidth = 2 * ratio;
      ctx.beginPath();
      ctx.arc(x, u.valToPos(value, 'y', true), 7 * ratio, 0, 2 * Math.PI);
      ctx.stroke();
    }
    const left = x + 5 * ratio + ctx.measureText(label).width > bbox.left + bbox.width;
    ctx.textAlign = left ? 'right' : 'left';
    ctx.fillText(label, x + (left ? -5 : 5) * ratio, bbox.top + 2 * ratio);
  }
  ctx.restore();
}

function build(host: HTMLElement, latest: { current: Options }): uPlot {
  const { plot, log, height } = latest.current;
  const color = colorReader(host);
  const axis: uPlot.Axis = {
    stroke: color('--muted'),
    font: FONT,
    grid: { stroke: color('--grid'), width: 1 },
    ticks: { show: false },
  };
  return new uPlot(
    {
      width: host.clientWidth,
      height,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: {
        drag: { x: true, y: false, setScale: false, dist: 6 },
        points: { show: false },
        bind: {
          dblclick: () => () => {
            latest.current.onZoom(null);
            return null;
          },
        },
      },
      scales: {
        x: { time: false, range: () => [...latest.current.range] as [number, number] },
        y: { distr: log ? 3 : 1 },
      },
      axes: [
        {
          ...axis,
          ...{ size: 28, gap: 4, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000] },
          ...(latest.current.stepTick
            ? { values: (_, splits) => splits.map((at) => latest.current.stepTick!(at)) }
            : {}),
        },
        {
          ...axis,
          size: 56,
          gap: 6,
          values: (_, splits) => splits.map((split) => (split === null ? '' : latest.current.tick(split))),
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
            // Ignore our own setCursor for the keyboard and for other charts.
            if (!u.over.matches(':hover')) return;
            latest.current.onHover(u.cursor.idx == null ? null : (u.data[0][u.cursor.idx] ?? null));
          },
        ],
        setSelect: [
          (u) => {
            const { left, width } = u.select;
            if (width <= 0) return;
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            latest.current.onZoom([u.posToVal(left, 'x'), u.posToVal(left + width, 'x')]);
          },
        ],
        draw: [(u) => drawMarks(u, latest.current.plot.marks ?? [], color)],
      },
    },
    dataOf(plot),
    host,
  );
}

const dataOf = ({ x, series }: Pick<Plot, 'x' | 'series'>) =>
  [x, ...series.map(({ values }) => values)] as uPlot.AlignedData;

/**
 * Draws a plot into `host`: rebuilt when its shape or the theme changes, updated when only its values do. `at` is the step
 * of the cursor.
 */
export function useUplot(host: RefObject<HTMLDivElement | null>, options: Options, at: number | null): void {
  const chart = useRef<uPlot | null>(null);
  const [columns, setColumns] = useState(600);
  const theme = useSeenTheme();
  const built = useRef(false);
  // Places the cursor once there is a chart.
  const [drawing, setDrawing] = useState(true);
  const { log, height, plot, range } = options;
  const [from, to] = range;
  const drawn = useMemo(() => thin(plot, [from, to], columns), [plot, from, to, columns]);
  const latest = useRef(options);
  latest.current = { ...options, plot: { ...drawn, marks: plot.marks } };
  const shape = JSON.stringify(plot.series.map(({ values: _, ...look }) => look));

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart is built from `shape`, `log` and `theme`.
  useLayoutEffect(() => {
    const element = host.current;
    if (!element) return;
    const leave = () => latest.current.onHover(null);
    const resize = new ResizeObserver(() => {
      chart.current?.setSize({ width: element.clientWidth, height });
      // In steps of a hundred, so that dragging a window's edge does not thin all curves at each pixel.
      setColumns(Math.max(100, 100 * Math.round(element.clientWidth / 100)));
    });
    const draw = () => {
      chart.current = build(element, latest);
      chart.current.over.addEventListener('mouseleave', leave);
      resize.observe(element);
      built.current = true;
      setDrawing(false);
    };
    // A page's charts begin together: each in a task of its own, so that all of them do not hold up the page. Later ones replace what is seen.
    const first = built.current ? undefined : setTimeout(draw);
    if (built.current) draw();
    return () => {
      clearTimeout(first);
      resize.disconnect();
      chart.current?.destroy();
      chart.current = null;
      element.replaceChildren();
    };
  }, [host, shape, log, theme, height]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the range is read when the data is set; marks are drawn then.
  useEffect(() => {
    chart.current?.setData(dataOf(drawn));
  }, [drawn, from, to, plot.marks]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: again when the chart is there.
  useEffect(() => {
    const u = chart.current;
    if (!u || u.over.matches(':hover')) return;
    const shown = at !== null && at >= from && at <= to;
    u.setCursor(shown ? { left: u.valToPos(at, 'x'), top: 0 } : { left: -10, top: -10 });
  }, [at, from, to, drawing]);
}
