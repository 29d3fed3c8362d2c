/** A Hub model in a headless run: downloaded once, kept in a separate folder, and opened from there offline. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { HubServer } from '../support/hub-server';
import { Bench } from './support/headless';
import { PATIENCE } from './support/studio';

const WEIGHTS = 'model.safetensors';
const bench = new Bench();
let server: HubServer;

const stories = new URL('../../public/models/stories/', import.meta.url);
const files = Object.fromEntries(
  readdirSync(stories).map((name) => [name, new Uint8Array(readFileSync(new URL(name, stories)))]),
);

test.beforeAll(async () => {
  server = await new HubServer().start();
});
test.afterAll(async () => {
  await server.stop();
  await bench.remove();
});
test.describe.configure({ mode: 'serial', timeout: 3 * PATIENCE });

const run = (out: string, token: string | null = null) =>
  bench.run('recipe.json', out, {
    args: ['--cache', bench.path('cache')],
    env: { HF_ENDPOINT: server.endpoint, HF_TOKEN: token ?? '' },
  });

test('a gated model is refused with instructions, and downloaded with a token whose owner accepted the terms', async () => {
  const { commit } = server.add({ id: 'org/stories', files, licence: 'mit', access: 'gated' });
  const rows = Array.from({ length: 4 }, (_, i) => JSON.stringify({ text: `The sea has ${i} waves.` }));
  bench.write('data.jsonl', rows.join('\n'));
  bench.write('recipe.json', {
    version: 1,
    model: { source: 'hf:org/stories' },
    dataset: { source: 'file:data.jsonl', max_length: 16, validation_split: 0 },
    training: { max_steps: 1, gradient_accumulation_steps: 1, per_device_train_batch_size: 1 },
  });
  const refused = await run('refused');
  expect(refused.code).toBe(1);
  expect(refused.stderr.join('\n')).toContain('accepted its terms');
  expect(refused.stderr.join('\n')).toContain(`${server.endpoint}/org/stories`);
  expect(server.ranges(WEIGHTS)).toEqual([]);

  const { code, stderr } = await run('first', 'hf_accepted');
  expect(code, stderr.join('\n')).toBe(0);
  const whole = files[WEIGHTS]!.length;
  expect(server.ranges(WEIGHTS).at(-1)).toEqual([0, whole - 1]);
  // The storage host never sees the token, and it is not stored on disk.
  expect(server.requests.filter(({ host, headers }) => host === 'cdn' && headers.authorization)).toEqual([]);
  const written = readdirSync(bench.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(written.length).toBeGreaterThan(10);
  const holding = written.filter((entry) => readFileSync(`${entry.parentPath}/${entry.name}`).includes('hf_accepted'));
  expect(holding.map(({ name }) => name)).toEqual([]);
  const config = JSON.parse(readFileSync(bench.path('first', 'adapter', 'adapter_config.json'), 'utf8'));
  expect(config).toMatchObject({ base_model_name_or_path: 'org/stories', revision: commit });
});

test('the second run downloads nothing and needs no network', async () => {
  server.requests.length = 0;
  server.fault = () => ({ status: 503 });
  const { code, stderr } = await run('second');
  expect(code, stderr.join('\n')).toBe(0);
  expect(server.requests.filter(({ host }) => host === 'cdn')).toEqual([]);
  const weights = (out: string) => readFileSync(bench.path(out, 'adapter', 'adapter_model.safetensors'));
  expect(weights('second').equals(weights('first'))).toBe(true);
  expect(bench.list()).toEqual(['cache', 'data.jsonl', 'first', 'recipe.json', 'second']);
});
