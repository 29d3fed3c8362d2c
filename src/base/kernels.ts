/** Which kernels compute matrix products: what can be asked for, in the address (`?kernels=`) and on the command line. */
import { TabtuneError } from './errors';

/** How threads share the work of a product (engine/kernels/products). */
export const FAMILIES = ['register', 'quad', 'tile', 'split'] as const;
export type Family = (typeof FAMILIES)[number];

/** `auto`: the best for each product, by rule or by what was timed on this card. */
export type Kernels = 'auto' | Family;

const KERNELS: readonly Kernels[] = ['auto', ...FAMILIES];
const names = KERNELS.join(', ');

/** Throws `bad_option` for a value that is none; `where` is how it was given. */
export function readKernels(text: string, where: string): Kernels {
  const found = KERNELS.find((name) => name === text);
  if (found) return found;
  throw new TabtuneError({
    code: 'bad_option',
    message: `There are no kernels called “${text}”.`,
    where,
    action: `Choose one of ${names}.`,
  });
}

/** Throws `bad_option` where a device cannot run them. */
export function assertRuns(kernels: Kernels, { subgroups }: { subgroups: boolean }): void {
  if (kernels !== 'quad' || subgroups) return;
  throw new TabtuneError({
    code: 'bad_option',
    message: 'This GPU cannot run the quad kernels, because it has no subgroups.',
    where: `kernels=${kernels}`,
    action: `Choose one of ${KERNELS.filter((name) => name !== kernels).join(', ')}.`,
  });
}
