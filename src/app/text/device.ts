/** English of the panel on the GPU. */

export const deviceText = {
  title: 'This device',
  looking: 'Looking for a GPU.',
  unnamed: 'Unnamed GPU',
  software: 'software renderer',
  softwareTitle: 'This is a software renderer, not a GPU',
  softwareText:
    'Everything works and the results are the same, but it is tens to hundreds of times slower. If this computer has a GPU, turn on hardware acceleration in the browser’s settings. The built-in model is still usable.',
  gpu: 'GPU',
  largestBuffer: 'Largest buffer',
  largestBinding: 'Largest binding',
  features: 'Features',
  featureNames: {
    'shader-f16': '16-bit floats',
    subgroups: 'subgroups',
    'timestamp-query': 'timestamps',
    'chromium-experimental-subgroup-matrix': 'subgroup matrices',
  } as Record<string, string>,
  subgroupsOf: (min: number, max: number) => (min === max ? `subgroups of ${min}` : `subgroups of ${min} to ${max}`),
  noFeatures: 'none',
  fp16: '16-bit products (fp16): available',
  noFp16: '16-bit products (fp16): not available',
  memoryUnknown: 'Browsers do not report how much memory a GPU has. The run card shows what a run needs.',
};
