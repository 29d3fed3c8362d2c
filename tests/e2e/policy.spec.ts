/** What the content security policy forbids: foreign scripts, and requests to other servers from workers with data. */
import { expect, test } from '@playwright/test';
import { HubServer } from '../support/hub-server';
import { expectReady } from './page';

let elsewhere: HubServer;
test.beforeAll(async () => {
  elsewhere = await new HubServer().start();
});
test.afterAll(() => elsewhere.stop());

test('workers with data can reach only the page’s own server, and no foreign script runs in the page', async ({
  page,
}) => {
  const refused: string[] = [];
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) refused.push(message.text());
  });
  await page.goto('/');
  await expectReady(page);
  expect(refused).toEqual([]);

  const url = `${elsewhere.endpoint}/api/models?limit=1`;
  const ask = (address: string) =>
    fetch(address, { mode: 'no-cors' }).then(
      () => 'answered',
      () => 'refused',
    );
  // The page may call a Hub of the person's choice. That this address responds makes the refusals below meaningful.
  expect(await page.evaluate(ask, url)).toBe('answered');
  const workers = page.workers().filter((worker) => /(data|engine)-worker/.test(worker.url()));
  expect(workers).toHaveLength(2);
  for (const worker of workers) {
    expect(await worker.evaluate(ask, url), worker.url()).toBe('refused');
    expect(await worker.evaluate(ask, new URL('/models/index.json', page.url()).href)).toBe('answered');
  }
  expect(elsewhere.requests).toHaveLength(1);

  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.foreign = true';
    document.head.append(script);
    return 'foreign' in window;
  });
  expect(ran).toBe(false);
  await expect.poll(() => refused.length).toBeGreaterThan(0);
});
