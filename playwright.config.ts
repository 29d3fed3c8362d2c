import { defineConfig } from '@playwright/test';
import { browserArgs } from './scripts/browser.mjs';

// `npm test -- e2e` builds dist first and picks a free port; run by hand, do the same or accept the default port.
const port = Number(process.env.TABTUNE_E2E_PORT ?? 4599);
const address = `http://127.0.0.1:${port}`;

export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results/e2e',
  // One at a time: on a software GPU two training runs would only slow each other down.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  timeout: 180_000,
  expect: { timeout: 20_000 },
  reporter: process.env.TABTUNE_E2E_JSON
    ? [['list'], ['json', { outputFile: process.env.TABTUNE_E2E_JSON }]]
    : [['list']],
  use: {
    baseURL: address,
    viewport: { width: 1440, height: 900 },
    trace: 'retain-on-failure',
    launchOptions: { executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium', args: browserArgs() },
  },
  webServer: {
    command: `node scripts/serve.mjs dist --port ${port} --strict-port`,
    url: address,
    reuseExistingServer: false,
    timeout: 20_000,
  },
});
