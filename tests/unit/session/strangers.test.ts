/**
 * Hostile and broken tokenisers and chat templates, used in a real thread through the session's DataHost. Each one must
 * give a clear error in time, and a good model must work afterwards.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TokenizerFiles } from '../../../src/data/tokenizer-files';
import { connect, type WorkerLike } from '../../../src/rpc/rpc';
import { DataHost, type DatasetFile, type Tokenizer } from '../../../src/session/data-host';
import type { DataWorkerApi } from '../../../src/workers/data/edit-dataset';
import { cpuSeconds } from '../../support/time';
import { STORIES, tokenizerFiles, utf8 } from '../data/helpers';
import { recipe } from './stage';

class Thread extends EventTarget implements WorkerLike {
  private readonly worker: Worker;

  constructor(file: string) {
    super();
    this.worker = new Worker(file);
    this.worker.on('message', (data) => this.dispatchEvent(new MessageEvent('message', { data })));
    this.worker.on('error', (error) =>
      this.dispatchEvent(Object.assign(new Event('error'), { message: String(error) })),
    );
  }

  postMessage(message: unknown, transfer: Transferable[]): void {
    this.worker.postMessage(message, transfer as never);
  }

  terminate(): void {
    void this.worker.terminate();
  }
}

const folder = mkdtempSync(path.join(tmpdir(), 'tabtune-strangers-'));
let host: DataHost;
let threads = 0;

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: { ssr: path.join(import.meta.dirname, 'data-thread.ts'), outDir: folder, emptyOutDir: false },
  });
  host = new DataHost(() => {
    threads++;
    return connect<DataWorkerApi>(new Thread(path.join(folder, 'data-thread.js')), {
      name: 'data worker',
      locks: null,
    });
  });
});

afterAll(() => {
  host.close();
  rmSync(folder, { recursive: true, force: true });
});

const good = tokenizerFiles(STORIES);
const json = JSON.parse(good.tokenizerJson);
const config = JSON.parse(good.tokenizerConfig!);

/** The built-in model's files with some parts changed. */
const tokenizer = (changes: Record<string, unknown>): Partial<TokenizerFiles> => ({
  tokenizerJson: JSON.stringify({ ...json, ...changes }),
});
const model = (changes: Record<string, unknown>) => tokenizer({ model: { ...json.model, ...changes } });
const split = (Regex: string) =>
  tokenizer({ pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Isolated' } });
const vocabulary = (changes: Record<string, unknown>) => model({ vocab: { ...json.model.vocab, ...changes } });
const addedToken = (content: unknown, id: unknown = 1) =>
  tokenizer({ added_tokens: [...json.added_tokens, { ...json.added_tokens[0], content, id }] });
const special = (changes: Record<string, unknown>): Partial<TokenizerFiles> => ({
  tokenizerConfig: JSON.stringify({ ...config, ...changes }),
});
const template = (chatTemplate: string): Partial<TokenizerFiles> => ({ chatTemplate });
const endless = (body: string) =>
  template(`{% for i in range(99999) %}{% for j in range(99999) %}${body}{% endfor %}{% endfor %}`);

const text = (content: string): DatasetFile => ({
  key: content,
  name: 'rows.jsonl',
  section: { format: 'auto', columns: null },
  read: async () => utf8(`${JSON.stringify({ text: content })}\n`).buffer as ArrayBuffer,
});
const chat: DatasetFile = {
  ...text('chat'),
  read: async () => utf8('{"prompt": "Who?", "completion": "Me."}\n').buffer as ArrayBuffer,
};

type Use = (files: Tokenizer) => Promise<unknown>;
const open: Use = (files) => host.openTokenizer(files);
const prompt: Use = async (files) => {
  await host.openTokenizer(files);
  return host.encodePrompt(files, 'Hello');
};
const learn =
  (data: DatasetFile): Use =>
  async (files) => {
    await host.openTokenizer(files);
    return host.tokenize(files, data, recipe(), 512);
  };

/**
 * Seconds of work that only a hang reaches. Deadlines are seconds by the clock, and a thread that is started compiles its code beside
 * its work, which takes a slow machine several times as long.
 */
const IN_TIME = 30;
/** The model's name, as the session gives it. */
const title = 'owner/stranger';

const bad: [name: string, changes: Partial<TokenizerFiles>, use: Use, code: string, says: RegExp][] = [
  [
    'tokenizer.json is not JSON',
    { tokenizerJson: '{"model": {' },
    open,
    'bad_model',
    /tokenizer\.json.*not valid JSON/,
  ],
  ['tokenizer.json is a list', { tokenizerJson: '[]' }, open, 'bad_model', /tokenizer\.json/],
  ['a 200 MB tokenizer.json', { tokenizerJson: ' '.repeat(200 * 2 ** 20) }, open, 'bad_model', /larger than any known/],
  ['tokenizer_config.json is not JSON', { tokenizerConfig: '<html>' }, open, 'bad_model', /tokenizer_config\.json/],
  ['no model', tokenizer({ model: null }), open, 'bad_model', /has no model/],
  ['an unknown model', model({ type: 'WordLevel' }), open, 'bad_model', /WordLevel.*BPE, WordPiece, Unigram/],
  ['an unknown normaliser', tokenizer({ normalizer: { type: 'Nmt' } }), open, 'bad_model', /not supported.*Nmt/],
  [
    'an unknown pre-tokeniser',
    tokenizer({ pre_tokenizer: { type: 'UnicodeScripts' } }),
    open,
    'bad_model',
    /UnicodeScripts/,
  ],
  ['an unknown decoder', tokenizer({ decoder: { type: 'Morse' } }), open, 'bad_model', /Morse/],
  ['an unknown post-processor', tokenizer({ post_processor: { type: 'Stamp' } }), open, 'bad_model', /Stamp/],
  ['a rule that is not a valid regular expression', split('(?<'), open, 'bad_model', /not supported|damaged/],
  [
    'a rule that loops on any prompt',
    split('(((((((\\w|\\w|\\w)+)+)+)+)+)+)+[0-9]'),
    open,
    'timeout',
    /10 s.*owner\/stranger/,
  ],
  [
    'a rule that loops on 50,000 letters',
    split('(a+)+$'),
    learn(text(`${'a'.repeat(50_000)}!`)),
    'bad_data',
    /row 1.*Row 1 kept the model’s tokeniser busy until it was stopped/,
  ],
  ['an empty vocabulary', model({ vocab: {} }), open, 'bad_model', /empty vocabulary/],
  ['a string instead of a vocabulary', model({ vocab: 'a b c' }), open, 'bad_model', /no readable vocabulary/],
  ['a negative id', vocabulary({ zzz: -1 }), open, 'bad_model', /invalid token id.*-1/],
  ['a fractional id', vocabulary({ zzz: 1.5 }), open, 'bad_model', /invalid token id.*1\.5/],
  ['an id of a billion', vocabulary({ zzz: 1e9 }), open, 'bad_model', /invalid token id/],
  ['ids past the embedding', { embeddings: 100 }, open, 'bad_model', /do not belong together.*vocab_size 100/],
  ['merges of one piece', model({ merges: [['a']] }), open, 'bad_model', /does not join two.*merges\[0\]/],
  ['merges of three pieces', model({ merges: ['a b', 'a b c'] }), open, 'bad_model', /does not join two.*merges\[1\]/],
  ['merges that are not a list', model({ merges: { a: 'b' } }), open, 'bad_model', /no readable merges/],
  ['an empty added token', addedToken(''), open, 'bad_model', /added token without text/],
  ['an added token that is a number', addedToken(7), open, 'bad_model', /added token without text/],
  ['an added token with an invalid id', addedToken('<x>', 'one'), open, 'bad_model', /invalid token id/],
  [
    'a token past the embedding, in the text',
    { ...addedToken('<image>', 2048), embeddings: 2048 },
    learn(text('See <image> here.')),
    'bad_model',
    /<image>.*no embedding/,
  ],

  ['a 1 MB template', template(`{# ${'x'.repeat(2 ** 20)} #}`), open, 'bad_model', /too large/],
  ['64 kB of white space', template(`${' '.repeat(65_000)}x`), open, 'bad_model', /spaces in a row/],
  [
    'a template that is not Jinja',
    template('{% for m in messages %}{{ m.content }'),
    open,
    'bad_model',
    /cannot be read/,
  ],
  ['include', template("{% include 'other' %}"), open, 'bad_model', /cannot be read/],
  ['import', template("{% import 'os' as os %}{{ os.system('ls') }}"), open, 'bad_model', /cannot be read/],
  [
    'brackets 5,000 deep',
    template(`{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`),
    open,
    'bad_model',
    /nested too deeply/,
  ],
  [
    'counting to a billion',
    template('{% for i in range(1000000000) %}x{% endfor %}'),
    open,
    'bad_model',
    /exceeded its limits.*100000/,
  ],
  ['endless loops', endless(''), open, 'bad_model', /exceeded its limits.*did not finish/],
  ['endless loops that write', endless('{{ messages }}'), open, 'bad_model', /exceeded its limits/],
  [
    'a macro that calls itself',
    template('{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'),
    prompt,
    'bad_model',
    /rejects|exceeded its limits/,
  ],
  [
    'a text that doubles',
    template(
      "{% set ns = namespace(x='xx') %}{% for i in range(90) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    ),
    open,
    'bad_model',
    /exceeded its limits.*too much text/,
  ],
  [
    'two megabytes of output for one word',
    template("{% for i in range(40000) %}{{ '                                                  ' }}{% endfor %}"),
    open,
    'bad_model',
    /exceeded its limits/,
  ],
  [
    'a template that rejects everything',
    template("{{ raise_exception('Only on Sundays.') }}"),
    prompt,
    'bad_model',
    /rejects.*Only on Sundays/,
  ],
  [
    'a template that rejects everything, with data',
    template("{{ raise_exception('Only on Sundays.') }}"),
    learn(chat),
    'bad_data',
    /Only on Sundays/,
  ],
  [
    'a template that does not know a role',
    template('{{ {"system": "S"}[messages[0].role] + "x" }}'),
    prompt,
    'bad_model',
    /rejects/,
  ],
  ['a template that writes nothing', template('{# nothing #}'), prompt, 'bad_model', /produces no text/],
  [
    'a template that writes nothing, with data',
    template('{# nothing #}'),
    learn(chat),
    'bad_data',
    /would lose its question/,
  ],
];

describe('untrusted models', () => {
  it.each(bad)('%s', async (_name, changes, use, code, says) => {
    const stranger = { files: { ...good, ...changes }, title };
    const before = cpuSeconds();
    const error = await use(stranger).then(
      () => null,
      (cause) => cause,
    );
    const took = cpuSeconds() - before;
    expect(error).toMatchObject({ code, message: expect.stringMatching(/\.$/), action: expect.stringMatching(/\.$/) });
    expect([error.where, error.message, error.action, error.details].join(' ')).toMatch(says);
    if (code === 'bad_model' && use === open) expect(error.where).toContain(title);
    expect(took).toBeLessThan(IN_TIME);

    const stories = { files: good, title: 'Stories' };
    expect(await host.openTokenizer(stories)).toMatchObject({ vocabSize: 2048, hasChatTemplate: true });
    expect(await host.decode(stories, await host.encodePrompt(stories, 'Once'))).toContain('Once');
  });

  it('needs a new thread only for what cannot be stopped from inside', () => {
    expect(threads).toBe(1 + bad.filter(([name]) => name.startsWith('a rule that loops')).length);
  });

  const fine: [string, Partial<TokenizerFiles>, (info: Record<string, unknown>) => void][] = [
    ['gaps in the ids', vocabulary({ zzz: 5000 }), (info) => expect(info.vocabSize).toBe(5001)],
    [
      'added tokens past the embedding that no text uses',
      { ...addedToken('<image>', 2048), embeddings: 2048 },
      () => {},
    ],
    [
      'no end and padding tokens',
      special({ eos_token: null, pad_token: null, bos_token: null, chat_template: undefined }),
      (info) => expect(info.padTokenId).toBeGreaterThanOrEqual(0),
    ],
    [
      'several end tokens',
      { generationConfig: '{"eos_token_id": [0, 2]}' },
      (info) => expect(info.stopTokenIds).toEqual(expect.arrayContaining([0, 2])),
    ],
  ];
  it.each(fine)('works with %s', async (_name, changes, check) => {
    const stranger = { files: { ...good, ...changes }, title };
    check((await host.openTokenizer(stranger)) as unknown as Record<string, unknown>);
    expect((await host.encodePrompt(stranger, 'Hello')).length).toBeGreaterThan(0);
    const { train } = await host.tokenize(stranger, chat, recipe(), 512);
    expect(train).toHaveLength(1);
  });
});
