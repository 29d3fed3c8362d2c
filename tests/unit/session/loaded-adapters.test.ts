import { describe, expect, test, vi } from 'vitest';
import { decodeAdapter } from '../../../src/methods/read-adapter';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { AdapterOrigin, EngineHost } from '../../../src/session/engine-host';
import { kindOf, LoadedAdapters } from '../../../src/session/loaded-adapters';

const file = (path: string, value: object) => ({ path, bytes: new TextEncoder().encode(JSON.stringify(value)) });

test.each([
  ['a PEFT LoRA', [file('adapter_config.json', { peft_type: 'LORA' })], 'lora', 'sft'],
  [
    'a PEFT classifier',
    [file('out/adapter_config.json', { peft_type: 'IA3', task_type: 'SEQ_CLS' })],
    'ia3',
    'sequence_classification',
  ],
  [
    'a PEFT adapter with labels',
    [file('adapter_config.json', { peft_type: 'P_TUNING' }), file('labels.json', { problem_type: 'regression' })],
    'p_tuning',
    'sequence_classification',
  ],
  ['an AdapterHub adapter', [file('adapter_config.json', { config: {} })], 'bottleneck', 'sft'],
  [
    'an AdapterHub adapter with a head',
    [
      file('adapter_config.json', { config: {} }),
      file('head_config.json', { model_class: 'BertForTokenClassification' }),
    ],
    'bottleneck',
    'token_classification',
  ],
])('%s is recognised by its config', (_, files, method, objective) => {
  expect(kindOf({ files })).toMatchObject({ method, objective });
});

test.each(['null', '[]', '3', '{', ''])('a config of %j is refused as an adapter that cannot be read', (text) => {
  const folder = (path: string) => [
    { path, bytes: new TextEncoder().encode(text) },
    { path: 'pytorch_adapter.bin', bytes: new Uint8Array(8) },
  ];
  const refused = expect.objectContaining({ code: 'bad_adapter' });
  expect(() => decodeAdapter(folder('adapter_config.json'))).toThrow(refused);
  expect(() => decodeAdapter([...folder('adapter_config.json'), ...folder('head_config.json')])).toThrow(refused);
});

describe('one of several adapters is active', () => {
  /** The only part of the host that matters here: which adapter is wanted. */
  function host() {
    let current: AdapterOrigin | null = null;
    const put = (origin: AdapterOrigin | null) => {
      current = origin;
    };
    const attach = vi.fn(async (origin: AdapterOrigin) => {
      put(origin);
      return { trainableParameters: 1 };
    });
    const engine = {
      attach,
      want: put,
      get currentAdapter() {
        return current;
      },
    };
    return { engine: engine as unknown as EngineHost, attach, put };
  }
  const run: AdapterOrigin = {
    kind: 'run',
    runId: 'r',
    recipe: resolveRecipe({ version: 1, method: { type: 'full' } }),
  };
  const own: AdapterOrigin = {
    kind: 'files',
    name: 'tone',
    files: [file('adapter_config.json', { peft_type: 'LORA' })],
  };

  test('and can be switched, deactivated and removed', async () => {
    const { engine, attach, put } = host();
    const loaded = new LoadedAdapters(engine);
    loaded.note('nothing', 1);
    expect(loaded.list()).toEqual([]);
    put(run);
    loaded.note('pirate-chat', 10);
    put(own);
    loaded.note('tone', 20);
    expect(loaded.list()).toMatchObject([
      {
        id: 'run:r',
        name: 'pirate-chat',
        method: 'full',
        objective: 'sft',
        settings: { type: 'full' },
        trainableParameters: 10,
        runId: 'r',
        active: false,
      },
      {
        id: 'file:tone',
        name: 'tone',
        method: 'lora',
        objective: 'sft',
        settings: { type: 'lora' },
        trainableParameters: 20,
        runId: null,
        active: true,
      },
    ]);
    await loaded.activate('run:r');
    expect(attach).toHaveBeenCalledWith(run);
    await loaded.activate(null);
    expect(loaded.list().some(({ active }) => active)).toBe(false);
    await loaded.activate('file:tone');
    await loaded.remove('file:tone');
    expect(engine.currentAdapter).toBeNull();
    expect(loaded.list().map(({ id }) => id)).toEqual(['run:r']);
    await expect(loaded.activate('file:tone')).rejects.toMatchObject({ code: 'bad_adapter' });
    loaded.forget();
    expect(loaded.list()).toEqual([]);
  });
});
