/** Numbers, sizes and times for people. One place, so that the same number looks the same everywhere. */
import { formatBytes as bytesIn } from '../../base/bytes';
import { usePreferences } from '../../stores/preferences';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });

/** 1,234 */
export function formatCount(value: number): string {
  return whole.format(value);
}

/** 135M, 96.8K; up to 9,999 in full. */
export function formatCompact(value: number): string {
  return Math.abs(value) < 10_000 ? whole.format(value) : short.format(value);
}

/** `1 step`, `40 steps`. */
export function formatPlural(value: number, one: string, many = `${one}s`): string {
  return `${whole.format(value)} ${value === 1 ? one : many}`;
}

/** In powers of 1000, unless the settings say 1024. */
export const formatBytes = (value: number): string => bytesIn(value, usePreferences.getState().units);

/** `8 s`, `2 min 5 s`, `1 h 20 min`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  if (seconds < 10) return `${seconds < 1 ? '< 1' : Math.round(seconds)} s`;
  const rounded = Math.round(seconds);
  if (rounded < 60) return `${rounded} s`;
  const minutes = Math.floor(rounded / 60);
  if (minutes < 60) {
    const rest = rounded % 60;
    return rest && minutes < 10 ? `${minutes} min ${rest} s` : `${minutes} min`;
  }
  const rest = minutes % 60;
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min` : `${Math.floor(minutes / 60)} h`;
}

/** 0.0459 -> `4.6 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  return `${percent >= 10 || Number.isInteger(percent) ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

/** What is trained of a model: `9.1 % of 2.16M`. */
export const formatPart = (part: number, all: number): string =>
  `${formatShare(part / Math.max(1, all))} of ${formatCompact(all)}`;

/** A loss or another small number: four significant digits, no exponent between 0.001 and 100,000. */
export function formatMetric(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (!Number.isFinite(value)) return 'not a number';
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 100_000)) return value.toExponential(2);
  return size >= 100 ? value.toFixed(1) : value.toFixed(size >= 10 ? 2 : 3);
}

/** On an axis: 3, 2.5, 0.001. */
export function formatTick(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** Learning rates: 2e-4 rather than 0.0002. */
export function formatRate(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 0.01) return String(Number(value.toPrecision(3)));
  return value.toExponential(2).replace(/\.?0+e/, 'e');
}

/** `today, 14:05`, `23 Nov, 14:05`. */
export function formatWhen(timestamp: number, now = Date.now()): string {
  const date = new Date(timestamp);
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (date.toDateString() === new Date(now).toDateString()) return `today, ${time}`;
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  const day = date.toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    ...(sameYear ? {} : { year: 'numeric' as const }),
  });
  return `${day}, ${time}`;
}
