import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { browserArgs } from './scripts/browser.mjs';
import { needPage } from './tests/gpu-node/files.mjs';

/**
 * Limits that only a hang reaches. On two cores that others use as well, what takes a second alone may take half a minute.
 */
const patience = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } };

/** A software GPU on two cores may need minutes for ten training steps. */
const softwareGpu = { testTimeout: 600_000, hookTimeout: 600_000 };
/** Mesa may take ten minutes to compile the many shaders of one test. */
const slowCompiler = { testTimeout: 3_600_000, hookTimeout: 3_600_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts', 'tests/unit/**/*.test.tsx'],
          environment: 'node',
          // By default one core is left idle, which of two is half.
          maxWorkers: '100%',
          ...patience,
        },
      },
      {
        // All that the tests need of node_modules, made ready before they run; what Vite found later would reload the page.
        optimizeDeps: {
          noDiscovery: true,
          include: [
            '@tensorflow/tfjs-core',
            '@tensorflow/tfjs-core/dist/register_all_gradients',
            '@tensorflow/tfjs-backend-cpu',
            '@tensorflow/tfjs-backend-webgpu',
            '@tensorflow/tfjs-backend-webgpu/dist/base',
            'valibot',
          ],
        },
        test: {
          name: 'gpu',
          include: ['tests/gpu/**/*.test.ts'],
          // Fails every file where the browser offers no WebGPU: a green run must mean that kernels ran.
          setupFiles: ['tests/gpu/require-webgpu.ts'],
          ...softwareGpu,
          // One page, file after file: each page would ask for a device and compile its pipelines again.
          isolate: false,
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            connectTimeout: 300_000,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
                args: browserArgs(),
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        // The same on Dawn in Node; scripts/test.mjs finds a driver for it. A process for each file, since a driver keeps what it has
        // compiled and allocated until its process ends.
        test: {
          name: 'gpu-node',
          include: ['tests/gpu-node/**/*.test.ts', 'tests/gpu/**/*.test.ts'],
          exclude: Object.keys(needPage),
          environment: 'node',
          pool: 'forks',
          // Most of the time goes by in compiling, which uses one core.
          maxWorkers: 2,
          setupFiles: ['tests/gpu-node/setup.mjs', 'tests/gpu/require-webgpu.ts'],
          ...slowCompiler,
        },
      },
    ],
  },
});
