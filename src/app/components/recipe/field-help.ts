/** What is said of a field: what it does, its usual values, what suits the open model, and its default. */
import type { Field } from '../../../recipe/fields';
import { fieldText as text } from '../../text/recipe';
import { formatRate } from '../../util/format';

const formatNumber = (value: number) => (value !== 0 && Math.abs(value) < 0.01 ? formatRate(value) : String(value));

/** The default as its reset button names it. */
export function shownDefault(field: Field): string {
  const value = field.default;
  if (Array.isArray(value)) return value.join(', ') || text.none;
  if (typeof value === 'object' && value !== null) return text.none;
  if (value === null || value === '')
    return 'placeholder' in field && field.placeholder ? field.placeholder : text.none;
  return typeof value === 'number' ? formatNumber(value) : String(value);
}

/** `suited`: the value that suits the open model. Outside the usual range it needs a reason. */
export function helpOf(field: Field, suited?: unknown): string {
  const usual = 'usual' in field ? field.usual : undefined;
  if (!usual) return field.help;
  const why = typeof suited === 'number' && outside(suited, usual) ? text.suits(formatNumber(suited)) : '';
  return field.help + text.usual(usual.map(formatNumber)) + why;
}

export const outside = (value: number, [low, high]: readonly [number, number]): boolean => value < low || value > high;

/** The default of a field and where it comes from, as a sentence. */
export const defaultOfField = (field: Field): string => text.defaultIs(shownDefault(field), field.source);
