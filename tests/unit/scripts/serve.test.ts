import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Served, serve } from '../../../scripts/serve.mjs';

let root: string;
let server: Served;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'tabtune-serve-'));
  const site = path.join(root, 'site');
  mkdirSync(path.join(site, 'models'), { recursive: true });
  mkdirSync(path.join(root, 'site-secret'));
  writeFileSync(path.join(site, 'index.html'), '<p>hello</p>');
  writeFileSync(path.join(site, 'a b.js'), 'let a;');
  writeFileSync(path.join(site, 'empty.txt'), '');
  writeFileSync(path.join(site, 'models/m.safetensors'), '0123456789');
  mkdirSync(path.join(site, 'assets'));
  for (const name of ['data', 'engine', 'plan', 'download'])
    writeFileSync(path.join(site, `assets/${name}-worker-x1.js`), '');
  writeFileSync(path.join(root, 'secret.txt'), 'secret');
  writeFileSync(path.join(root, 'site-secret/secret.txt'), 'secret');
  symlinkSync(path.join(root, 'secret.txt'), path.join(site, 'link.txt'));
  server = await serve(site);
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

/** As bytes on the wire: fetch would tidy `..` away before sending it. */
function raw(target: string, head = 'Host: localhost'): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(server.port, '127.0.0.1', () => {
      socket.write(`GET ${target} HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

test('files come with their type', async () => {
  const index = await fetch(`${server.address}/`);
  expect(await index.text()).toBe('<p>hello</p>');
  expect(index.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const script = await fetch(`${server.address}/a%20b.js?v=1`);
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  const weights = await fetch(`${server.address}/models/m.safetensors`, { method: 'HEAD' });
  expect(weights.headers.get('content-type')).toBe('application/octet-stream');
  expect(weights.headers.get('content-length')).toBe('10');
  expect(await (await fetch(`${server.address}/empty.txt`)).text()).toBe('');
  const etag = index.headers.get('etag')!;
  expect((await fetch(`${server.address}/`, { headers: { 'If-None-Match': etag } })).status).toBe(304);
});

test.each([
  ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
  ['bytes=7-', 206, '789', 'bytes 7-9/10'],
  ['bytes=-3', 206, '789', 'bytes 7-9/10'],
  ['bytes=5-100', 206, '56789', 'bytes 5-9/10'],
  ['bytes=10-', 416, 'Range not satisfiable.\n', 'bytes */10'],
  ['bytes=4-2', 416, 'Range not satisfiable.\n', 'bytes */10'],
  ['lines=1-2', 200, '0123456789', null],
])('range %s', async (range, status, text, contentRange) => {
  const response = await fetch(`${server.address}/models/m.safetensors`, { headers: { Range: range } });
  expect(response.status).toBe(status);
  expect(await response.text()).toBe(text);
  expect(response.headers.get('content-range')).toBe(contentRange);
});

test.each(['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/../site-secret/secret.txt', '/link.txt'])(
  '%s does not lead out of the folder',
  async (target) => {
    const answer = await raw(target);
    expect(answer).toMatch(/^HTTP\/1\.1 404/);
    expect(answer).not.toContain('\r\n\r\nsecret');
  },
);

test.each(['/nothing', '/models', '/models/', '/%00', '/%zz', '/a%20b.js/'])('%s is not found', async (target) => {
  expect(await raw(target)).toMatch(/^HTTP\/1\.1 404/);
});

test.each(['127.0.0.1', 'localhost', 'LOCALHOST:4717', '[::1]:80', 'tabtune.localhost', 'localhost:'])(
  'it answers to %s',
  async (host) => {
    expect(await raw('/index.html', `Host: ${host}`)).toMatch(/^HTTP\/1\.1 200/);
  },
);

test.each([
  'Host: evil.example',
  'Host: localhost.evil.example',
  'Host: evil.example:4717',
  'Host: 127.0.0.1.nip.io',
  'Host: evillocalhost',
  'Host: 0.0.0.0',
  'Host: localhost:80:evil.example',
  'Host: user@localhost',
  'Host:',
])('it does not answer to %s', async (head) => {
  const answer = await raw('/index.html', head);
  expect(answer).toMatch(/^HTTP\/1\.1 421/);
  expect(answer).not.toContain('hello');
});

test('pages and scripts may not be framed or held by an opener; closed workers get their own policy', async () => {
  for (const name of ['/', '/a%20b.js', '/models/m.safetensors']) {
    const { headers } = await fetch(`${server.address}${name}`);
    expect(headers.get('content-security-policy')).toBe("frame-ancestors 'none'");
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('x-frame-options')).toBe('DENY');
  }
  for (const worker of ['data', 'engine', 'plan']) {
    const { headers } = await fetch(`${server.address}/assets/${worker}-worker-x1.js`);
    expect(headers.get('content-security-policy')).toMatch(/connect-src 'self'; worker-src 'none'$/);
  }
  const download = await fetch(`${server.address}/assets/download-worker-x1.js`);
  expect(download.headers.get('content-security-policy')).toBe("frame-ancestors 'none'");
});

test('only reading is allowed', async () => {
  expect((await fetch(`${server.address}/`, { method: 'POST' })).status).toBe(405);
});

test('a port in use is replaced by a free one, unless it has to be that one', async () => {
  const other = await serve(path.join(root, 'site'), { port: server.port });
  expect(other.port).not.toBe(server.port);
  await other.close();
  await expect(serve(path.join(root, 'site'), { port: server.port, strictPort: true })).rejects.toThrow(/EADDRINUSE/);
});

test('a missing folder is a sentence', async () => {
  await expect(serve(path.join(root, 'none'))).rejects.toThrow(/npm run build/);
});
