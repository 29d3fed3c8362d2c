/**
 * How Hub models are named. A recipe uses `hf:ORG/NAME` or `hf:ORG/NAME@REVISION`, either followed by `/FILE.gguf` for
 * one GGUF file of the repository. People may also paste ORG/NAME or the address of any of the model's pages.
 */
import { refuse } from '../base/bad-model';

export const HUB = 'https://huggingface.co';

/** A repository, and what to take from it. */
export interface HubReference {
  /** ORG/NAME; a few old models have no ORG. */
  id: string;
  /** Branch, tag or commit; null means the main branch. */
  revision: string | null;
  /** One of its GGUF files; null means its safetensors. */
  file: string | null;
}

/** A reference whose revision is a commit, so it always means the same bytes. */
export interface PinnedReference extends HubReference {
  revision: string;
}

const PART = /^(?!.*(--|\.\.))[A-Za-z0-9_][\w.-]{0,95}$/;
const COMMIT = /^[0-9a-f]{40}$/;
/** Git branch names, except those with characters that cannot be used in a URL. */
const REVISION = /^(?!.*(\.\.|\/\/|@\{))[\w.-][\w./+-]{0,199}$/;
/** First path segments of addresses that are not models. */
const NOT_MODELS = new Set(['datasets', 'spaces', 'papers', 'docs', 'blog', 'api', 'collections', 'settings']);

export const isCommit = (revision: string | null): boolean => revision !== null && COMMIT.test(revision);

export const isHubSource = (source: string): boolean => source.startsWith('hf:');

/** `hf:ORG/NAME@REVISION/FILE`, leaving out what is null. */
export function hubSource({ id, revision, file }: HubReference): string {
  const at = revision === null ? '' : `@${encodeURIComponent(revision)}`;
  return `hf:${id}${at}${file === null ? '' : `/${file}`}`;
}

/** Parses a source, an id or an address. Throws `bad_model`, whose action explains what a name looks like. */
export function parseHubName(text: string, endpoint = HUB): HubReference {
  const given = text.trim();
  const reference = fromAddress(given, endpoint) ?? fromName(given.replace(/^hf:(\/\/)?/, ''));
  if (reference) return reference;
  refuse(
    given.slice(0, 200),
    'This is not the name of a model on the Hugging Face Hub.',
    'Enter ORG/NAME, e.g. HuggingFaceTB/SmolLM2-135M-Instruct, or paste the address of the model’s page.',
  );
}

/** `parseHubName` for a source that must include its commit. */
export function parsePinned(source: string): PinnedReference {
  const reference = parseHubName(source);
  const { revision } = reference;
  if (revision !== null && isCommit(revision)) return { ...reference, revision };
  refuse(source, 'This source does not say which commit of the model to use.', 'Choose the model again.');
}

function fromName(name: string): HubReference | null {
  const match = /^([^@]+?)(?:@([^@]+))?$/.exec(name);
  if (!match) return null;
  const [, path, behind] = match;
  const parts = path!.split('/');
  if (behind === undefined) {
    // ORG/NAME/FILE.gguf on the main branch.
    return parts.length > 2 ? make(parts.slice(0, 2), null, parts.slice(2)) : make(parts, null, []);
  }
  if (parts.length > 2) return null;
  const tail = behind.split('/');
  // refs/pr/3 is the only kind of revision that people write with slashes.
  const length = tail[0] === 'refs' ? 3 : 1;
  return make(parts, tail.slice(0, length).join('/'), tail.slice(length));
}

function fromAddress(text: string, endpoint: string): HubReference | null {
  const bare = /^(www\.)?(huggingface\.co|hf\.co)\//.test(text) ? `https://${text}` : text;
  if (!/^https?:\/\//.test(bare)) return null;
  let url: URL;
  try {
    url = new URL(bare);
  } catch {
    return null;
  }
  const known = ['huggingface.co', 'www.huggingface.co', 'hf.co', new URL(endpoint).host];
  if (!known.includes(url.host)) return null;
  const parts = url.pathname.split('/').filter((part) => part !== '');
  if (parts[0] === 'models') parts.shift();
  if (NOT_MODELS.has(parts[0] ?? '')) return null;
  // For an old model without an ORG, the verb is the second segment.
  const verbs = ['tree', 'blob', 'resolve', 'raw', 'commit', 'discussions', 'commits'];
  const at = verbs.includes(parts[1] ?? '') ? 1 : 2;
  const [verb, ...rest] = parts.slice(at);
  const name = parts.slice(0, at);
  if (verb === undefined || verb === 'discussions') return make(name, null, []);
  if (!verbs.includes(verb)) return null;
  const length = rest[0] === 'refs' ? 3 : 1;
  const file = rest.slice(length);
  const revision = rest.slice(0, length).join('/') || null;
  // Any file other than a GGUF file stands for its whole model.
  return make(name, revision, /\.gguf$/i.test(file.at(-1) ?? '') ? file : []);
}

function make(name: string[], rawRevision: string | null, rawFile: string[]): HubReference | null {
  let revision: string | null;
  let file: string[];
  try {
    revision = rawRevision === null ? null : decodeURIComponent(rawRevision);
    file = rawFile.map((part) => decodeURIComponent(part));
  } catch {
    return null;
  }
  if (name.length === 0 || name.length > 2 || !name.every((part) => PART.test(part))) return null;
  if (revision !== null && !REVISION.test(revision)) return null;
  if (file.length > 0 && !isSafePath(file.join('/'))) return null;
  if (file.length > 0 && !/\.gguf$/i.test(file.at(-1)!)) return null;
  return { id: name.join('/'), revision, file: file.length > 0 ? file.join('/') : null };
}

/** The base model name that PEFT writes: the Hub's name, or the folder's. */
export function baseModelName(source: string): string {
  return isHubSource(source) ? parseHubName(source).id : source.slice(source.indexOf(':') + 1);
}

/** A path that stays inside its repository. */
export function isSafePath(path: string): boolean {
  const control = /[\p{Cc}\\]/u;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !control.test(path);
}
