/** Mutated recipes, recipes as they are stored, and the Hub's answers. */
import { readdirSync, readFileSync } from 'node:fs';
import { TabtuneError } from '../../../src/base/errors';
import { HubClient } from '../../../src/hub/hub-client';
import { checkRecipe, defaultRecipe, resolveRecipe } from '../../../src/recipe/defaults';
import { parseRecipe } from '../../../src/recipe/schema';
import type { RecipeInput } from '../../../src/recipe/types';
import { changeJson } from '../../fuzz/mutate';
import type { Draw } from '../../fuzz/random';
import { fuzz } from '../../fuzz/target';

const examples = new URL('../../../examples/', import.meta.url);
const utf8 = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const recipes = [
  ...readdirSync(examples)
    .filter((name) => name.endsWith('.json'))
    .map((name) => new Uint8Array(readFileSync(new URL(name, examples)))),
  utf8({ version: 1, method: { type: 'lora', rank_pattern: { '.*q_proj': 4 }, target_modules: ['q_proj'] } }),
];

fuzz({
  name: 'recipes',
  seeds: recipes,
  change: changeJson,
  run(bytes) {
    const input = parseRecipe(text(bytes));
    resolveRecipe(input);
  },
});

fuzz({
  name: 'stored recipes',
  seeds: [...recipes, utf8(defaultRecipe())],
  change: changeJson,
  run(bytes) {
    // What the browser stored is JSON again, or it is not read at all.
    let kept: unknown;
    try {
      kept = JSON.parse(text(bytes));
    } catch {
      return;
    }
    const { recipe, problems } = checkRecipe(kept as RecipeInput);
    structuredClone(problems);
    const [first] = problems;
    if (!recipe && first) throw TabtuneError.fromData(first);
  },
});

const sha = 'a'.repeat(40);
const answers = {
  search: [
    {
      _id: '1',
      id: 'org/tiny',
      private: false,
      gated: false,
      downloads: 3,
      likes: 1,
      lastModified: '2025-01-01T00:00:00.000Z',
      tags: ['license:mit'],
      config: { model_type: 'llama' },
      safetensors: { total: 5 },
    },
  ],
  model: {
    _id: '1',
    id: 'org/tiny',
    sha,
    private: false,
    gated: false,
    downloads: 3,
    likes: 1,
    lastModified: '2025-01-01T00:00:00.000Z',
    tags: ['gguf'],
    cardData: { license: 'mit', license_link: 'https://x.org' },
  },
  files: [
    { type: 'file', path: 'config.json', size: 600, oid: 'b'.repeat(40) },
    {
      type: 'file',
      path: 'model.safetensors',
      size: 6000,
      oid: 'c'.repeat(40),
      lfs: { oid: 'd'.repeat(64), size: 6000, pointerSize: 130 },
    },
    { type: 'directory', path: 'onnx', size: 0, oid: 'e'.repeat(40) },
  ],
};
type Route = keyof typeof answers;
interface Answer {
  route: Route;
  body: Uint8Array;
}

const calls: Record<Route, (client: HubClient) => Promise<unknown>> = {
  search: (client) => client.search('tiny', 10),
  model: (client) => client.model('org/tiny', null),
  files: (client) => client.files('org/tiny', sha),
};

fuzz<Answer>({
  name: 'the Hub’s answers',
  seeds: (Object.keys(answers) as Route[]).map((route) => ({ route, body: utf8(answers[route]) })),
  change: ({ route, body }: Answer, draw: Draw) => ({ route, body: changeJson(body, draw) }),
  run: ({ route, body }) => {
    const client = new HubClient(
      { endpoint: 'https://hub.test', token: null },
      async () => new Response(body as Uint8Array<ArrayBuffer>, { headers: { 'Content-Type': 'application/json' } }),
    );
    return calls[route](client);
  },
});
