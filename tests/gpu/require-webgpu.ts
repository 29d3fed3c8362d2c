/** Runs before every GPU test file. Without an adapter the file fails, so that no run passes without testing anything. */
export const adapter = await navigator.gpu?.requestAdapter();
if (!adapter) {
  throw new Error(
    'This browser offers no WebGPU adapter; see scripts/browser.mjs for the launch flags that GPU tests need.',
  );
}
