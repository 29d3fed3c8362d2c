/** A plain static host: the app's files as they are, and no header of ours. */
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

/**
 * `below`: the path of the app's folder on this host, as `sub/path`. `waitMs`: how long it takes to answer for a script. `sent` counts
 * how often each file was.
 */
export async function plainHost(
  folder = 'dist',
  below = '',
  waitMs = 0,
): Promise<{ address: string; sent: Map<string, number>; close(): void }> {
  const sent = new Map<string, number>();
  const root = below === '' ? '/' : `/${below}/`;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://x');
    if (!pathname.startsWith(root)) return void response.writeHead(404).end();
    const name = pathname.slice(root.length - 1);
    const file = path.join(folder, name.endsWith('/') ? `${name}index.html` : name);
    if (!existsSync(file)) return void response.writeHead(404).end();
    sent.set(name, (sent.get(name) ?? 0) + 1);
    response.writeHead(200, { 'Content-Type': types[path.extname(file)] ?? 'application/octet-stream' });
    const send = () => void createReadStream(file).pipe(response);
    if (waitMs > 0 && file.endsWith('.js')) setTimeout(send, waitMs);
    else send();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}${root}`,
    sent,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
