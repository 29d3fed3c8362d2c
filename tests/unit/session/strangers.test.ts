/**
 * Tokenizers and chat templates as nobody should write them, opened and used in a real thread through the session's own
 * way to the data worker: each gives a sentence in time, and what comes after it works.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TokenizerFiles } from '../../../src/data/worker-api';
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

/** The built-in model's files with parts changed. */
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

/** Seconds of work. Deadlines are 2 s by the clock, and a thread that is started compiles its code beside its work. */
const IN_TIME = 5;
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
  [
    'tokenizer.json of 200 MB',
    { tokenizerJson: ' '.repeat(200 * 2 ** 20) },
    open,
    'bad_model',
    /larger than any known/,
  ],
  ['tokenizer_config.json is not JSON', { tokenizerConfig: '<html>' }, open, 'bad_model', /tokenizer_config\.json/],
  ['no model', tokenizer({ model: null }), open, 'bad_model', /no model in it/],
  ['an unknown model', model({ type: 'WordLevel' }), open, 'bad_model', /WordLevel.*BPE, WordPiece, Unigram/],
  ['an unknown normalizer', tokenizer({ normalizer: { type: 'Nmt' } }), open, 'bad_model', /cannot run.*Nmt/],
  [
    'an unknown pre-tokenizer',
    tokenizer({ pre_tokenizer: { type: 'UnicodeScripts' } }),
    open,
    'bad_model',
    /UnicodeScripts/,
  ],
  ['an unknown decoder', tokenizer({ decoder: { type: 'Morse' } }), open, 'bad_model', /Morse/],
  ['an unknown post-processor', tokenizer({ post_processor: { type: 'Stamp' } }), open, 'bad_model', /Stamp/],
  ['a rule that is no regular expression', split('(?<'), open, 'bad_model', /cannot run|damaged/],
  [
    'a rule that loops on any prompt',
    split('(((((((\\w|\\w|\\w)+)+)+)+)+)+)+[0-9]'),
    open,
    'timeout',
    /2 s.*owner\/stranger/,
  ],
  [
    'a rule that loops on 50,000 letters',
    split('(a+)+$'),
    learn(text(`${'a'.repeat(50_000)}!`)),
    'timeout',
    /row 1.*owner\/stranger/,
  ],
  ['an empty vocabulary', model({ vocab: {} }), open, 'bad_model', /empty vocabulary/],
  ['a vocabulary that is none', model({ vocab: 'a b c' }), open, 'bad_model', /no vocabulary/],
  ['a negative id', vocabulary({ zzz: -1 }), open, 'bad_model', /impossible token id.*-1/],
  ['an id that is no whole number', vocabulary({ zzz: 1.5 }), open, 'bad_model', /impossible token id.*1\.5/],
  ['an id of a billion', vocabulary({ zzz: 1e9 }), open, 'bad_model', /impossible token id/],
  ['ids past the embedding', { embeddings: 100 }, open, 'bad_model', /do not belong together.*vocab_size 100/],
  ['merges of one piece', model({ merges: [['a']] }), open, 'bad_model', /does not join two.*merges\[0\]/],
  ['merges of three pieces', model({ merges: ['a b', 'a b c'] }), open, 'bad_model', /does not join two.*merges\[1\]/],
  ['merges that are no list', model({ merges: { a: 'b' } }), open, 'bad_model', /no merges/],
  ['an added token without letters', addedToken(''), open, 'bad_model', /added token without a text/],
  ['an added token that is a number', addedToken(7), open, 'bad_model', /added token without a text/],
  ['an added token of an impossible id', addedToken('<x>', 'one'), open, 'bad_model', /impossible token id/],
  [
    'a token past the embedding, in the text',
    { ...addedToken('<image>', 2048), embeddings: 2048 },
    learn(text('See <image> here.')),
    'bad_model',
    /<image>.*no embedding/,
  ],

  ['a template of 1 MB', template(`{# ${'x'.repeat(2 ** 20)} #}`), open, 'bad_model', /too large/],
  ['64 kB of white space', template(`${' '.repeat(65_000)}x`), open, 'bad_model', /spaces in a row/],
  ['not Jinja', template('{% for m in messages %}{{ m.content }'), open, 'bad_model', /cannot be read/],
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
    /runs away.*100000/,
  ],
  ['loops without end', endless(''), open, 'bad_model', /runs away.*does not come to an end/],
  ['loops that write without end', endless('{{ messages }}'), open, 'bad_model', /runs away/],
  [
    'a macro that calls itself',
    template('{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'),
    prompt,
    'bad_model',
    /refuses|runs away/,
  ],
  [
    'a text that doubles',
    template(
      "{% set ns = namespace(x='xx') %}{% for i in range(90) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    ),
    open,
    'bad_model',
    /runs away.*text without end/,
  ],
  [
    'two megabytes for a word',
    template("{% for i in range(40000) %}{{ '                                                  ' }}{% endfor %}"),
    open,
    'bad_model',
    /runs away/,
  ],
  [
    'a refusal of everything',
    template("{{ raise_exception('Only on Sundays.') }}"),
    prompt,
    'bad_model',
    /refuses.*Only on Sundays/,
  ],
  [
    'a refusal of everything, for data',
    template("{{ raise_exception('Only on Sundays.') }}"),
    learn(chat),
    'bad_data',
    /Only on Sundays/,
  ],
  [
    'a role that it does not know',
    template('{{ {"system": "S"}[messages[0].role] + "x" }}'),
    prompt,
    'bad_model',
    /refuses/,
  ],
  ['nothing written', template('{# nothing #}'), prompt, 'bad_model', /writes nothing/],
  ['nothing written, for data', template('{# nothing #}'), learn(chat), 'bad_data', /nothing to learn/],
];

describe('strangers', () => {
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

  it('takes a new thread for what cannot be stopped from inside, and for nothing else', () => {
    expect(threads).toBe(1 + bad.filter(([, , , code]) => code === 'timeout').length);
  });

  const fine: [string, Partial<TokenizerFiles>, (info: Record<string, unknown>) => void][] = [
    ['gaps among the ids', vocabulary({ zzz: 5000 }), (info) => expect(info.vocabSize).toBe(5001)],
    [
      'added tokens past the embedding that no text has',
      { ...addedToken('<image>', 2048), embeddings: 2048 },
      () => {},
    ],
    [
      'no end and no padding',
      special({ eos_token: null, pad_token: null, bos_token: null, chat_template: undefined }),
      (info) => expect(info.padTokenId).toBeGreaterThanOrEqual(0),
    ],
    [
      'several ends',
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
