/** Runs before every GPU test file: without an adapter the file fails, so that no run is green on nothing. */
export const adapter = await navigator.gpu?.requestAdapter();
if (!adapter) {
  throw new Error(
    'This browser offers no WebGPU adapter; scripts/browser.mjs has the launch flags that GPU tests need.',
  );
}
