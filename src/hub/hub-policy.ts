/**
 * What this tab may ask: its own server and one Hub. The browser enforces it, through a content security policy that the page
 * writes for itself before it does anything else. A policy can only be narrowed afterwards, so another Hub needs a reload.
 */
import { HUB } from './hub-id';

/**
 * The Hub's own hosts. It redirects downloads to storage hosts below them; mirrors do so as well. Large files are uploaded to its one
 * bucket at Amazon, which is named in full: a pattern would let in everybody's buckets.
 */
const storage = [
  'https://*.huggingface.co',
  'https://hf.co',
  'https://*.hf.co',
  'https://hf-hub-lfs-us-east-1.s3-accelerate.amazonaws.com',
  'https://hf-hub-lfs-us-east-1.s3.us-east-1.amazonaws.com',
  'https://hf-hub-lfs-us-east-1.s3.amazonaws.com',
];

/** The sources of `connect-src` for a Hub, as the policy writes them. */
export function hubSources(endpoint: string): string[] {
  if (endpoint === HUB) return [HUB, ...storage];
  const { protocol, hostname } = new URL(endpoint);
  // A policy cannot name such an address.
  if (hostname.startsWith('[')) return [protocol, ...storage];
  const isNumber = /^[\d.]+$/.test(hostname);
  // A mirror may store its files at another port or in a subdomain.
  const hosts = isNumber ? [hostname] : [hostname, `*.${hostname}`];
  return [...hosts.map((host) => `${protocol}//${host}:*`), ...storage];
}

/** Whether a source of a policy, such as `https://*.hf.co`, lets an address in. */
function fits(source: string, { protocol, hostname, port }: URL): boolean {
  const [, scheme, host, anyPort] = /^(https?:)(?:\/\/(.+?)(:\*)?)?$/.exec(source) ?? [];
  if (scheme !== protocol) return false;
  if (host === undefined) return true;
  const named = host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host;
  return named && (anyPort !== undefined || port === '');
}

/** Whether the policy for a Hub lets the page ask an address. */
export function reaches(address: string, endpoint: string): boolean {
  const url = new URL(address);
  return hubSources(endpoint).some((source) => fits(source, url));
}

let allowed: string | null = null;

/** The Hub that this page may ask; null if nothing has been decided. */
export const allowedHub = (): string | null => allowed;

/** From now on this page can ask its own server and this Hub, and nobody else. */
export function allowOnly(endpoint: string): void {
  if (allowed === endpoint) return;
  const meta = document.createElement('meta');
  meta.httpEquiv = 'Content-Security-Policy';
  meta.content = `connect-src 'self' ${hubSources(endpoint).join(' ')}`;
  document.head.prepend(meta);
  allowed = endpoint;
}
