// A static file server for the built app, on this machine only. Also a command:
//   node scripts/serve.mjs [FOLDER] [--port N] [--strict-port]
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { cacheHost } from './cache-host.mjs';
import { closed, closedPolicy, serviceWorker, serviceWorkerPolicy } from './policy.mjs';

const mimeTypes = {
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.jsonl': 'application/jsonl; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** No other page may show this one in a frame or keep a hold on its window. Pages have the rest of their policy inside. */
const alone = {
  'Content-Security-Policy': "frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/**
 * What this server is called. A page elsewhere whose name is made to lead here (DNS rebinding) asks under its own name, and
 * would be let in as if it were ours. The last name is that of headless runs (model-cache.mjs).
 */
const ownNames = new Set(['127.0.0.1', 'localhost', '[::1]', cacheHost]);

/** `Host` without its port, which is another one where a tunnel leads here. */
function isOurs(host) {
  return ownNames.has((host ?? '').replace(/:\d*$/, '').toLowerCase());
}

/** The one `bytes=a-b` range that a client asks for; undefined when there is none, null when it cannot be met. */
function parseRange(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start <= end && start < size ? { start, end } : null;
}

/** The file that a URL names inside `root`; undefined for anything that is not a file there, links out of it included. */
async function findFile(root, url) {
  let name;
  try {
    name = decodeURIComponent(new URL(url, 'http://127.0.0.1').pathname);
  } catch {
    return undefined;
  }
  if (name.includes('\0')) return undefined;
  const wanted = path.join(root, name.endsWith('/') ? `${name}index.html` : name);
  try {
    const file = await realpath(wanted);
    if (!file.startsWith(root + path.sep)) return undefined;
    const stats = await stat(file);
    return stats.isFile() ? { file, stats } : undefined;
  } catch {
    return undefined;
  }
}

/** The policy that a file comes with. */
function policyOf(name) {
  if (closed.test(name)) return { 'Content-Security-Policy': closedPolicy };
  if (serviceWorker.test(name)) return { 'Content-Security-Policy': serviceWorkerPolicy };
  return alone;
}

async function respond(root, request, response) {
  const refuse = (status, text, headers = {}) => {
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`);
  };
  if (!isOurs(request.headers.host)) return refuse(421, `This server answers only to ${[...ownNames].join(', ')}.`);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(405, 'Only GET and HEAD.', { Allow: 'GET, HEAD' });
  const found = await findFile(root, request.url ?? '/');
  if (!found) return refuse(404, 'Not found.');

  const { file, stats } = found;
  const etag = `"${stats.size.toString(36)}-${Math.round(stats.mtimeMs).toString(36)}"`;
  const headers = {
    'Content-Type': mimeTypes[path.extname(file).toLowerCase()] ?? 'application/octet-stream',
    'Accept-Ranges': 'bytes',
    'X-Content-Type-Options': 'nosniff',
    // Checked again each time: a rebuilt app must never be mixed with an old one.
    'Cache-Control': 'no-cache',
    ETag: etag,
    ...policyOf(file.split(path.sep).join('/')),
  };
  if (request.headers['if-none-match'] === etag) return response.writeHead(304, headers).end();

  const range = parseRange(request.headers.range, stats.size);
  if (range === null) return refuse(416, 'Range not satisfiable.', { 'Content-Range': `bytes */${stats.size}` });
  const length = range ? range.end - range.start + 1 : stats.size;
  if (range) headers['Content-Range'] = `bytes ${range.start}-${range.end}/${stats.size}`;
  response.writeHead(range ? 206 : 200, { ...headers, 'Content-Length': length });
  if (request.method === 'HEAD' || length === 0) return response.end();
  createReadStream(file, range ?? {})
    .on('error', () => response.destroy())
    .pipe(response);
}

/**
 * Serves `folder` on 127.0.0.1. When `port` is taken, any free one is used unless `strictPort`. Port 0 is any free one.
 *
 * @returns {Promise<Served>}
 * @typedef {{ address: string, port: number, close(): Promise<void> }} Served
 */
export async function serve(folder, { port = 0, strictPort = false } = {}) {
  const root = await realpath(folder).catch(() => {
    throw new Error(`There is no folder ${folder} to serve. Run: npm run build`);
  });
  const server = createServer((request, response) => {
    respond(root, request, response).catch(() => response.destroy());
  });
  const listen = (wanted) =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  try {
    await listen(port);
  } catch (error) {
    if (strictPort || port === 0 || (error.code !== 'EADDRINUSE' && error.code !== 'EACCES')) throw error;
    await listen(0);
  }
  const bound = server.address().port;
  return {
    address: `http://127.0.0.1:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A port number from a command line, or a sentence. */
export function parsePort(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${text}: a port is 0 to 65535.`);
  return port;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const { values, positionals } = parseArgs({
      options: { port: { type: 'string', default: '4173' }, 'strict-port': { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const { address } = await serve(positionals[0] ?? 'dist', {
      port: parsePort(values.port),
      strictPort: values['strict-port'],
    });
    console.log(address);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
