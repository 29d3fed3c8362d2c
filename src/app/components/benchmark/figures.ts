/** Measured figures for people: three digits are as many as they are worth. */
const digits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

export const figure = (value: number): string => digits.format(value);

/** Operations a second from 10¹²: `12.3 TFLOP/s`, `4.9 GFLOP/s`. */
export const arithmetic = (tflops: number): string =>
  tflops < 0.1 ? `${figure(1000 * tflops)} GFLOP/s` : `${figure(tflops)} TFLOP/s`;

/** `1.2 GB/s`. */
export const bandwidth = (gigabytes: number): string => `${figure(gigabytes)} GB/s`;

/** A time from microseconds: `4.1 µs`, `2.3 ms`, `1.2 s`. */
export function time(us: number): string {
  if (us < 1000) return `${figure(us)} µs`;
  return us < 1e6 ? `${figure(us / 1000)} ms` : `${figure(us / 1e6)} s`;
}
