/**
 * The number that an answer ends with, as GSM8K is marked: what follows `####`, or else the last number of the text. Numbers are kept
 * as fractions of whole numbers, so that 0.5 is 1/2 and no digit is lost.
 */

export interface Fraction {
  top: bigint;
  /** Above zero. */
  bottom: bigint;
  /** It was written as a percentage; `top / bottom` is what stands before the sign. */
  percent: boolean;
}

/** Longer ones are no answers, and would take long to compare. */
const LONGEST = 400;

const WHOLE = String.raw`\d{1,3}(?:[,’'\u00a0\u2009\u202f]\d{3})+(?!\d)|\d+`;
const DECIMAL = String.raw`(?:(?:${WHOLE})(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,3}(?![\d\p{L}]))?`;
const SIGN = String.raw`(?<![\p{L}\p{N})_])[-−–]`;
const CURRENCY = '[$€£¥]?';
/** `\frac{1}{2}`, `1/2`, `1 1/2`, `1,234.5`, `$5`, `50%`, `-3`. */
const NUMBER = new RegExp(
  `(?<sign>${SIGN})?${CURRENCY}(?<inner>[-−–])?${CURRENCY}(?:` +
    String.raw`\\[dt]?frac\s*\{\s*(?<ftop>[-−]?\d+)\s*\}\s*\{\s*(?<fbottom>\d+)\s*\}` +
    String.raw`|(?<![\p{L}_])(?:(?<mixed>\d+)[ \u00a0]+)?(?<top>\d+)\s?[/⁄]\s?(?<bottom>\d+)(?![\d/⁄])` +
    String.raw`|(?<![\p{L}_])(?<decimal>${DECIMAL})` +
    String.raw`)(?<percent>\s?\\?%)?`,
  'gu',
);

/** The number that a text gives as its answer; null if it has none. */
export function answerNumber(text: string): Fraction | null {
  const marked = text.lastIndexOf('####');
  if (marked >= 0) return firstNumber(text.slice(marked + 4));
  const boxed = text.lastIndexOf('\\boxed{');
  const inBox = boxed < 0 ? null : firstNumber(text.slice(boxed + '\\boxed{'.length));
  if (inBox) return inBox;
  let last: Fraction | null = null;
  for (const match of text.matchAll(NUMBER)) last = read(match) ?? last;
  return last;
}

function firstNumber(text: string): Fraction | null {
  for (const match of text.matchAll(NUMBER)) {
    const found = read(match);
    if (found) return found;
  }
  return null;
}

function read(match: RegExpExecArray): Fraction | null {
  const { sign, inner, ftop, fbottom, mixed, top, bottom, decimal, percent } = match.groups ?? {};
  if (match[0].length > LONGEST) return null;
  // In `10-3` and `$5-3` the line between is no sign.
  const negative = sign !== undefined || (inner !== undefined && /^[$€£¥]/.test(match[0]));
  const value =
    ftop !== undefined
      ? fraction(BigInt(ftop.replace('−', '-')), BigInt(fbottom!))
      : top !== undefined
        ? fraction(BigInt(mixed ?? 0) * BigInt(bottom!) + BigInt(top), BigInt(bottom!))
        : decimalFraction(decimal!);
  if (!value) return null;
  return { top: negative ? -value.top : value.top, bottom: value.bottom, percent: percent !== undefined };
}

const fraction = (top: bigint, bottom: bigint) => (bottom === 0n ? null : { top, bottom });

function decimalFraction(text: string) {
  const [mantissa, exponent = '0'] = text.replace(/[,’'\u00a0\u2009\u202f]/gu, '').split(/[eE]/) as [string, string?];
  const [whole, part = ''] = mantissa.split('.') as [string, string?];
  const power = Number(exponent) - part.length;
  if (Math.abs(power) > LONGEST) return null;
  const digits = BigInt(whole + part);
  return power >= 0
    ? { top: digits * 10n ** BigInt(power), bottom: 1n }
    : { top: digits, bottom: 10n ** BigInt(-power) };
}

const asNumber = ({ top, bottom }: Pick<Fraction, 'top' | 'bottom'>): number => {
  const sign = top < 0n ? -1 : 1;
  const positive = top < 0n ? -top : top;
  const whole = positive / bottom;
  // Seventeen digits behind the point are more than a number holds.
  const rest = ((positive % bottom) * 10n ** 17n) / bottom;
  return sign * (Number(whole) + Number(rest) / 1e17);
};

const same = (a: Fraction, b: Fraction, tolerance: number): boolean =>
  a.top * b.bottom === b.top * a.bottom || (tolerance > 0 && Math.abs(asNumber(a) - asNumber(b)) <= tolerance);

const hundredth = (value: Fraction): Fraction => ({ ...value, bottom: value.bottom * 100n });

/** Whether two numbers are equal, or differ by at most `tolerance`. A percentage equals both 50 and 0.5 when only one side has the sign. */
export function sameNumber(a: Fraction, b: Fraction, tolerance: number): boolean {
  if (same(a, b, tolerance)) return true;
  if (a.percent === b.percent) return false;
  return a.percent ? same(hundredth(a), b, tolerance) : same(a, hundredth(b), tolerance);
}
