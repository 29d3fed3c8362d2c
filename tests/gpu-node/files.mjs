// What the suite `gpu-node` runs: the tests of the suite `gpu`, on another driver and without a page.

/** Files of tests/gpu that need a page, each with its reason. */
export const needPage = {
  'tests/gpu/device.test.ts':
    'It listens for errors of the page, and destroys devices while they work, at which Dawn ends a process of Node.',
  'tests/gpu/forecast.test.ts':
    'It compares a device with the dry run of the planner, which it starts as a worker of a browser.',
  'tests/gpu/open-models.test.ts':
    'It opens the built-in model from the server of the page, and stores others in the browser.',
};

/**
 * What a plain `npm test` runs, for at most three minutes on two cores with no shader compiled yet: tests of the suite's own with a case for
 * each format of weights and each way of attention, and the small files. `npm test -- gpu-node` runs everything.
 */
export const always = [
  'tests/gpu-node/traits.test.ts',
  'tests/gpu-node/attention.test.ts',
  'tests/gpu-node/products.test.ts',
  'tests/gpu/adapter.test.ts',
  'tests/gpu/kernels/score-loss.test.ts',
  'tests/gpu/kernels/rms-norm.test.ts',
  'tests/gpu/kernels/layer-norm.test.ts',
  'tests/gpu/kernels/draw-ranked.test.ts',
  'tests/gpu/kernels/sampling-work.test.ts',
];
