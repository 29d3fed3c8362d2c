import { defineConfig } from '@playwright/test';
import { browserArgs } from './scripts/browser.mjs';

/** What measures time, with nothing else running. */
const measured = /smooth\.spec\.ts$/;

// `npm test -- e2e` builds dist first; run by hand, do the same.
export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results/e2e',
  // Most of a test on a software GPU goes by in compiling shaders, which uses one core of a browser's one GPU process.
  workers: 2,
  // The tests of a file are in order, and may build on one another.
  fullyParallel: false,
  projects: [
    { name: 'beside', testIgnore: measured },
    { name: 'alone', testMatch: measured, workers: 1 },
  ],
  forbidOnly: Boolean(process.env.CI),
  // A test that fails now and then has a fault, or has found one. Trying again would hide it.
  retries: 0,
  failOnFlakyTests: true,
  // Limits that only a hang reaches: a machine that others use too may need many times what it needs alone.
  timeout: 600_000,
  expect: { timeout: 60_000 },
  reporter: process.env.TABTUNE_E2E_JSON
    ? [['list'], ['json', { outputFile: process.env.TABTUNE_E2E_JSON }]]
    : [['list']],
  use: {
    // A press on what never becomes ready is a hang too.
    actionTimeout: 300_000,
    // Of the server below, which takes any free port and says which.
    baseURL: `http://127.0.0.1:${process.env.TABTUNE_E2E_PORT}`,
    viewport: { width: 1440, height: 900 },
    // Colours and places are looked at as they are in the end, not on their way there.
    contextOptions: { reducedMotion: 'reduce' },
    // It would store the app anew in each test's browser, and answer before `page.route` does. Its own tests allow it.
    serviceWorkers: 'block',
    trace: 'retain-on-failure',
    launchOptions: { executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium', args: browserArgs() },
  },
  webServer: {
    command: 'node scripts/serve.mjs dist --port 0',
    wait: { stdout: /^http:\/\/127\.0\.0\.1:(?<tabtune_e2e_port>\d+)\n/m },
    timeout: 120_000,
  },
});
