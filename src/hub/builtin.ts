/**
 * Models served with the app under `models/`: `models/index.json` lists them, `models/NAME/` holds their files.
 * The base URL is the page's. A worker must be given it, because the worker script has a different address.
 */

import { refuse } from '../base/bad-model';
import { sha256 } from '../base/digest';
import { TabtuneError } from '../base/errors';
import { parseUntrusted } from '../base/json';
import type { ModelFolder } from './types';

/** One entry of models/index.json. */
export interface BuiltinModel {
  name: string;
  title: string;
  description: string;
  licence: string;
  parameters: number;
  /** Of the weights, as of an opened model. */
  bytes: number;
  files: { name: string; size: number; sha256?: string }[];
}

/** Files up to this size are fetched whole and kept in memory; larger files are read by range. */
const KEEP_BYTES = 32 * 2 ** 20;

function networkError(url: URL, message: string, details: string): TabtuneError {
  return new TabtuneError({
    code: 'network',
    message,
    where: url.pathname.slice(url.pathname.lastIndexOf('/') + 1),
    action: 'Check your connection and try again. If it fails again, reload the page.',
    details: `${url}: ${details}`,
  });
}

/** Fetches a file, or bytes [start, end) of it. Throws `network` unless exactly those bytes arrive. */
async function fetchBytes(
  url: URL,
  range?: [start: number, end: number],
  cache: RequestCache = 'default',
): Promise<ArrayBuffer> {
  let response: Response;
  let body: ArrayBuffer;
  try {
    const headers: HeadersInit = range ? { Range: `bytes=${range[0]}-${range[1] - 1}` } : {};
    response = await fetch(url, { headers, cache });
    if (!response.ok) {
      await response.body?.cancel();
      throw networkError(url, 'A model file could not be loaded.', `HTTP ${response.status}`);
    }
    body = await response.arrayBuffer();
  } catch (cause) {
    throw cause instanceof TabtuneError ? cause : networkError(url, 'A model file could not be loaded.', String(cause));
  }
  // Single-page app servers answer a wrong path with the app's page and status 200. Captive portals do the same.
  if (response.headers.get('Content-Type')?.startsWith('text/html')) {
    throw networkError(url, 'The server sent a web page instead of a model file.', `HTTP ${response.status}`);
  }
  if (!range) return body;
  // A server may ignore the range and send the whole file.
  const part = response.status === 206 ? body : body.slice(range[0], range[1]);
  if (part.byteLength !== range[1] - range[0]) {
    throw networkError(
      url,
      'Part of a model file did not arrive.',
      `HTTP ${response.status}, asked for bytes ${range[0]} to ${range[1]}, got ${part.byteLength}`,
    );
  }
  return part;
}

/** The models listed in models/index.json. Throws `network`. */
export async function listBuiltinModels(baseUrl: string | URL): Promise<BuiltinModel[]> {
  const url = new URL('models/index.json', baseUrl);
  const bytes = await fetchBytes(url);
  try {
    const list: unknown = parseUntrusted(new TextDecoder().decode(bytes));
    if (Array.isArray(list)) return list as BuiltinModel[];
  } catch {
    // Reported below.
  }
  throw networkError(url, 'The list of built-in models is damaged.', `${bytes.byteLength} bytes`);
}

/** Opens a built-in model as a folder. Throws `bad_model` if there is no model with that name, or `network`. */
export async function openBuiltinModel(name: string, baseUrl: string | URL): Promise<ModelFolder> {
  const models = await listBuiltinModels(baseUrl);
  const model = models.find((entry) => entry.name === name);
  if (!model) {
    const names = models.map((entry) => entry.name).join(', ');
    refuse(`builtin:${name}`, 'There is no built-in model with this name.', `Choose one of: ${names}.`);
  }
  const sizes = new Map(model.files.map((file) => [file.name, file.size]));
  const hashes = new Map(model.files.map((file) => [file.name, file.sha256]));
  const whole = new Map<string, Promise<ArrayBuffer>>();
  const urlOf = (file: string): URL => {
    if (!sizes.has(file)) refuse(file, `The built-in model ${name} has no such file.`, 'Choose another model.');
    return new URL(`models/${encodeURIComponent(name)}/${encodeURIComponent(file)}`, baseUrl);
  };

  const fetchWhole = async (file: string): Promise<ArrayBuffer> => {
    const url = urlOf(file);
    const [size, hash] = [sizes.get(file), hashes.get(file)];
    const isWhole = async (body: ArrayBuffer) => body.byteLength === size && (!hash || (await sha256(body)) === hash);
    // The service worker stores the same files during a first visit. With a hash, what the browser has of them need not be asked for again.
    if (hash) {
      const kept = await fetchBytes(url, undefined, 'force-cache');
      if (await isWhole(kept)) return kept;
    }
    const body = await fetchBytes(url, undefined, hash ? 'no-cache' : 'default');
    if (await isWhole(body)) return body;
    throw networkError(
      url,
      'A model file arrived damaged.',
      `${body.byteLength} bytes instead of ${size}, or not the file that models/index.json lists; an old copy may be cached`,
    );
  };
  const keepWhole = (file: string): Promise<ArrayBuffer> => {
    const kept = whole.get(file);
    if (kept) return kept;
    const loading = fetchWhole(file);
    whole.set(file, loading);
    loading.catch(() => whole.delete(file));
    return loading;
  };

  return {
    source: `builtin:${name}`,
    title: model.title,
    licence: model.licence,
    files: [...sizes.keys()],
    has: (file) => sizes.has(file),
    size: (file) => sizes.get(file),
    text: async (file) => new TextDecoder().decode(await keepWhole(file)),
    async bytes(file, start = 0, end = sizes.get(file)) {
      const url = urlOf(file);
      const size = sizes.get(file)!;
      const to = Math.min(end ?? size, size);
      const from = Math.min(start, to);
      if (from === to) return new ArrayBuffer(0);
      if (size <= KEEP_BYTES) return (await keepWhole(file)).slice(from, to);
      return from === 0 && to === size ? fetchWhole(file) : fetchBytes(url, [from, to]);
    },
    hash: async (file) => hashes.get(file),
  };
}
