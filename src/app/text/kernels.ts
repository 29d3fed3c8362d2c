/** English of the part on kernels, of the device page. */
import type { Family } from '../../base/kernels';

const names: Record<Family, string> = { register: 'register', quad: 'quad', tile: 'tile', split: 'split' };

export const kernelsText = {
  title: 'Kernels',
  names,
  software: 'Nothing is timed on a software renderer. The usual kernels are used, which are those that suit a CPU.',
  asked: (name: Family) =>
    `The address asks for the ${name} kernels (?kernels=${name}), so every matrix product uses them where it can.`,
  nothing:
    'The first run on this card takes about a second to time several kernels for its matrix products, and keeps the fastest of each. Every later run computes in the same way, so that it repeats to the last bit.',
  since: (when: string, clock: 'gpu' | 'page') =>
    `Timed ${when}, by the ${clock === 'gpu' ? 'clock of the GPU' : 'page’s clock'}, and kept until you measure again.`,
  faster: (faster: number, all: number) =>
    `${faster} of ${all} kinds of products have a kernel that is at least 5 % faster than the usual one, and use it.`,
  off: 'The default kernels are used for every product. What was timed is kept.',
  all: (count: number) => `Show the ${count} kinds of products`,
  product: 'Product',
  kernel: 'Kernel',
  time: 'Time',
  usual: 'Default',
  difference: 'Difference',
  untimed: 'not timed',
  kinds: { nt: 'x·Wᵀ', nn: 'dy·W', tn: 'dyᵀ·x' },
  sums: (steps: string) => `sums of ${steps}`,
  beside: (count: number) => `with ${count} dyᵀ·x`,
  again: 'Measure again',
  useUsual: 'Use the default',
  useTimed: 'Use what was timed',
  cancel: 'Cancel',
  progress: 'Progress of timing',
  whyRun: 'A run is training, and keeps its kernels to the end.',
};
