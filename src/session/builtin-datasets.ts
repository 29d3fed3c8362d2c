/** The datasets that are served with the page. */
import { TabtuneError } from '../base/errors';
import { pageUrl } from '../base/page-url';

/** The fields of an entry in datasets/index.json that are used here. */
interface ListedDataset {
  name: string;
  file: string;
}

export function noSuch(source: string, message: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message,
    where: source,
    action: 'Add the file again, or choose another dataset.',
  });
}

const builtins = new Map<string, URL>();

/** Looks up a built-in dataset in datasets/index.json, because its name does not give its file type. */
export async function builtinUrl(source: string): Promise<URL> {
  const known = builtins.get(source);
  if (known) return known;
  const folder = new URL('datasets/', pageUrl());
  const bytes = await fetchBytes(new URL('index.json', folder), source);
  const list = JSON.parse(new TextDecoder().decode(bytes)) as ListedDataset[] | { datasets: ListedDataset[] };
  for (const { name, file } of Array.isArray(list) ? list : list.datasets) {
    builtins.set(`builtin:${name}`, new URL(file, folder));
  }
  const found = builtins.get(source);
  if (!found) throw noSuch(source, `There is no built-in dataset called ${source.slice('builtin:'.length)}.`);
  return found;
}

export async function fetchBytes(url: URL, source: string): Promise<ArrayBuffer> {
  let problem: string;
  try {
    const response = await fetch(url);
    if (response.ok) return await response.arrayBuffer();
    problem = `HTTP ${response.status}`;
  } catch (cause) {
    problem = String(cause);
  }
  throw new TabtuneError({
    code: 'network',
    message: 'A built-in dataset could not be loaded.',
    where: source,
    action: 'Check your connection and try again.',
    details: `${url.pathname}: ${problem}`,
  });
}
