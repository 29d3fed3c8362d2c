/** Mutated tokeniser files and chat templates. */
import { readFileSync } from 'node:fs';
import type { TokenizerFiles } from '../../../src/data/tokenizer-files';
import { createDataApi } from '../../../src/workers/data/service';
import { changeBytes, changeJson } from '../../fuzz/mutate';
import type { Draw } from '../../fuzz/random';
import { fuzz } from '../../fuzz/target';
import { tokenizerFiles } from '../data/helpers';

const api = createDataApi();
const utf8 = (text: string) => new TextEncoder().encode(text);
const asText = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function open(files: TokenizerFiles): void {
  api.openTokenizer(files);
  const ids = api.encodePrompt('Hello, wörld 12!');
  api.decode(ids);
}

/** A tokeniser with few words: a real one's hundred thousand are all alike. */
function small(files: TokenizerFiles): TokenizerFiles {
  const json = JSON.parse(files.tokenizerJson) as {
    model: { vocab: Record<string, number> | unknown[]; merges?: unknown[] };
  };
  const { vocab, merges } = json.model;
  if (merges) json.model.merges = merges.slice(0, 60);
  if (!Array.isArray(vocab)) json.model.vocab = Object.fromEntries(Object.entries(vocab).slice(0, 400));
  return { ...files, tokenizerJson: JSON.stringify(json) };
}

const seeds = [
  ...[
    'text/tokenizers/llama2-like',
    'text/tokenizers/llama3-like',
    'text/tokenizers/smollm-like',
    'tokenizers/minilm',
  ].map((folder) => small(tokenizerFiles(`tests/fixtures/${folder}`))),
];

const names = ['tokenizerJson', 'tokenizerConfig', 'specialTokensMap', 'generationConfig'] as const;

function change(files: TokenizerFiles, draw: Draw): TokenizerFiles {
  const given = names.filter((name) => files[name] !== null && files[name] !== undefined);
  const name = draw.pick(given);
  return { ...files, [name]: asText(changeJson(utf8(files[name] as string), draw)) };
}

fuzz({ name: 'tokeniser files', seeds, change, run: open });

const templates = ['chatml', 'llama3.1', 'mistral', 'gemma2', 'qwen3', 'phi3'].map((name) =>
  tokenizerFiles('tests/fixtures/text/tokenizers/smollm-like', {
    chatTemplate: templateText(name),
  }),
);

function templateText(name: string): string {
  return readFileSync(new URL(`../../fixtures/templates/${name}.jinja`, import.meta.url), 'utf8');
}

const WORDS = [
  '{{',
  '}}',
  '{%',
  '%}',
  'for',
  'endfor',
  'if',
  'endif',
  'messages',
  '|',
  'tojson',
  '[0]',
  'loop.index0',
  '.',
  "'",
  '-',
  'namespace(x=1)',
  'none',
  'raise_exception("no")',
  '~',
  'is defined',
  '(',
  ')',
  'macro m(a)',
  'set x = [1]',
];

fuzz({
  name: 'chat templates',
  seeds: templates,
  change(files: TokenizerFiles, draw: Draw) {
    const source = files.chatTemplate!;
    if (draw.chance(0.3)) return { ...files, chatTemplate: asText(changeBytes(utf8(source), draw)) };
    const at = draw.below(source.length);
    return { ...files, chatTemplate: source.slice(0, at) + draw.pick(WORDS) + source.slice(at + draw.below(15)) };
  },
  run: open,
});
