// GGUF exports of every family in llama.cpp: a base with an adapter, and merged models, must give the logits of transformers and PEFT;
// texts must become our tokens; and whatever key llama.cpp needs must be in the files.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { makeBases } from './bases.mjs';
import { withModule } from './engine.mjs';
import { otherwise } from './gguf-tokenizers.mjs';
import { judged } from './judged.mjs';

/** By base: the tokenizer, which decides what texts llama.cpp splits otherwise. */
const BASES = {
  ...{ 'llama-2': 'sentencepiece', 'llama-3': 'llama3', mistral: 'sentencepiece', qwen2: 'qwen2', qwen3: 'qwen3' },
  ...{ gemma2: 'sentencepiece', gemma3: 'sentencepiece', phi3: 'sentencepiece', smollm3: 'smollm3' },
  ...{ gpt2: 'gpt2', gpt_neox: 'gpt2' },
};
/** A linear layer of its own rank and alpha, by the base's names. */
const SPECIAL = { gpt2: 'h.0.attn.c_proj', gpt_neox: 'layers.0.attention.dense' };

const LIMIT = 1e-5;
/** ggml takes GELU from a table of half-precision values. */
const LIMIT_GELU = 1e-3;
const GELU = ['gemma2', 'gemma3', 'gpt2', 'gpt_neox'];

/** Longer than the windows of Gemma 2 and 3 here. */
const IDS = Array.from({ length: 24 }, (_, i) => (i * 97 + 13) % 384);
const OF = Array.from({ length: 384 }, (_, i) => i);

const plain = { type: 'lora', r: 4, lora_alpha: 8 };
const methods = (base) => {
  const key = SPECIAL[base] ?? 'layers.0.self_attn.o_proj';
  return {
    LoRA: plain,
    'rsLoRA with a rank and an alpha of its own': {
      ...plain,
      ...{ use_rslora: true, rank_pattern: { [key]: 2 }, alpha_pattern: { [key]: 3 } },
    },
  };
};

/** Without these llama.cpp loads no model; `*` is the architecture. Those behind them only some architectures have. */
const NEEDED = [
  ...['general.architecture', 'tokenizer.ggml.model', 'tokenizer.ggml.tokens', 'tokenizer.ggml.merges'],
  ...['*.block_count', '*.context_length', '*.embedding_length', '*.feed_forward_length', '*.attention.head_count'],
  ...['*.attention.head_count_kv', '*.attention.layer_norm_rms_epsilon', '*.attention.layer_norm_epsilon'],
  '*.use_parallel_residual',
];
/** By the base whose file is tried, one of each architecture: what else is needed, and without what the logits are others. */
const WITHOUT = {
  'llama-2': {},
  qwen2: { changes: ['*.rope.freq_base'] },
  // Heads wider than their share of the hidden values.
  qwen3: { needs: ['*.attention.key_length', '*.attention.value_length'], changes: ['*.rope.freq_base'] },
  gemma2: { needs: ['*.attention.key_length', '*.attention.value_length'], changes: ['*.attention.sliding_window'] },
  gemma3: { changes: ['*.rope.freq_base', '*.attention.sliding_window'] },
  phi3: {},
  smollm3: { changes: ['*.rope.freq_base'] },
  gpt2: {},
  gpt_neox: { changes: ['*.rope.dimension_count'] },
};
/** The same for an adapter. */
const ADAPTER_WITHOUT = {
  needs: ['general.architecture', 'general.type', 'adapter.type'],
  changes: ['adapter.lora.alpha'],
};

/** llama.cpp's answers by name. A job that ends its process has `{ ended: true }`, and the next begins a new one. */
async function ask(jobs, folder) {
  const [file, out] = [path.join(folder, 'jobs.json'), path.join(folder, 'answers.jsonl')];
  const answers = new Map();
  for (let at = 0; at < jobs.length; ) {
    rmSync(out, { force: true });
    writeFileSync(file, JSON.stringify(jobs.slice(at)));
    const script = path.join(root, 'scripts/interop/llama-cpp-job.mjs');
    const stdio = ['ignore', 'ignore', process.env.TABTUNE_DEBUG ? 'inherit' : 'ignore'];
    const code = await run(process.execPath, [script, file, out], { stdio, timeoutMs: 600_000 });
    const lines = existsSync(out) ? readFileSync(out, 'utf8').split('\n').filter(Boolean) : [];
    for (const line of lines) {
      const answer = JSON.parse(line);
      answers.set(answer.name, answer);
    }
    // A process that ends before its first job would do so with any file.
    if (lines.length === 0 && at === 0) throw new Error(`llama.cpp did not start (exit code ${code}).`);
    at += lines.length;
    if (at < jobs.length) answers.set(jobs[at++].name, { ended: true });
  }
  return answers;
}

/** The largest difference as a share of the largest logit. */
function apart(one, other) {
  let [difference, largest] = [0, 0];
  for (const [i, row] of one.entries()) {
    for (const [k, value] of row.entries()) {
      difference = Math.max(difference, Math.abs(value - other[i][k]));
      largest = Math.max(largest, Math.abs(value));
    }
  }
  return difference / largest;
}

export async function gguf({ python, folder, report }) {
  const names = Object.keys(BASES);
  const bases = await makeBases({ python, folder }, names, { reduced: true });
  const out = path.join(folder, 'gguf');
  mkdirSync(out, { recursive: true });
  const texts = JSON.parse(readFileSync(path.join(root, 'tests/fixtures/tokenizers/strings.json'), 'utf8'))
    .map(({ text }) => text.toWellFormed())
    .filter((text) => text !== '');
  const jobs = [];
  const cases = [];
  const made = new Map();
  await withModule('/tests/interop/make.ts', async ({ make }) => {
    for (const base of names) {
      const one = { base: path.join(bases, base), out, objective: { type: 'sft' }, ids: [IDS] };
      const add = (name, model, adapter, peft, strings = []) => {
        jobs.push({ name, model, adapter, ids: IDS, of: OF, strings });
        const limit = GELU.includes(base) ? LIMIT_GELU : LIMIT;
        cases.push({ name, base: one.base, adapter: peft, ids: IDS, of: OF, limit });
      };
      const file = ({ exports }, id) => exports[id].files[0];
      const untrained = { ...one, name: `${base}-base`, method: plain, untrained: true };
      const model = file(await make({ ...untrained, exports: ['gguf-f32'] }), 'gguf-f32');
      add(`${base}: the base`, model, null, null, texts);
      for (const [title, method] of Object.entries(methods(base))) {
        const name = method === plain ? base : `${base}-scaled`;
        const trained = await make({ ...one, name, method, exports: ['gguf-adapter', 'gguf-f32'] });
        const adapter = file(trained, 'gguf-adapter');
        if (method === plain) made.set(base, { model, adapter });
        add(`${base}: the base with its adapter, ${title}`, model, adapter, trained.adapter);
        add(`${base}: merged, ${title}`, file(trained, 'gguf-f32'), null, trained.adapter);
      }
    }
  });
  await withModule('/tests/interop/gguf.ts', async ({ tokensOf, withoutKeys }) => {
    const left = [];
    const leave = async (name, file, job) => {
      const into = path.join(out, `without-${left.length}`);
      mkdirSync(into);
      const files = await withoutKeys(file, into);
      left.push({ name, ...job, keys: files.map(({ key }) => key) });
      jobs.push({ name, ...job.of(file), ids: IDS, of: OF });
      for (const { key, file: other } of files)
        jobs.push({ name: `${name} without ${key}`, ...job.of(other), ids: IDS, of: OF });
    };
    for (const [base, { needs = [], changes = [] }] of Object.entries(WITHOUT)) {
      await leave(`${base}: a model`, made.get(base).model, {
        ...{ needs: [...NEEDED, ...needs], changes, of: (model) => ({ model }) },
      });
    }
    const { model } = made.get('llama-2');
    await leave('an adapter', made.get('llama-2').adapter, {
      ...{ ...ADAPTER_WITHOUT, of: (adapter) => ({ model, adapter }) },
    });
    const answers = await ask(jobs, out);
    for (const one of cases) one.logits = answers.get(one.name).logits ?? [];
    const file = path.join(out, 'cases.json');
    writeFileSync(file, JSON.stringify(cases));
    const script = path.join(root, 'scripts/interop/check_gguf.py');
    await judged(report, python, [script, file], { cases: cases.map(({ name }) => name), folder: out });
    for (const base of names) compareTokens(report, base, texts, tokensOf(path.join(bases, base), texts), answers);
    for (const one of left) judgeKeys(report, one, answers);
  });
}

function compareTokens(report, base, texts, ours, answers) {
  const theirs = answers.get(`${base}: the base`).strings ?? [];
  const wrong = texts.filter((_, i) => theirs[i]?.join() !== ours[i].join());
  const unexplained = wrong.filter((text) => !otherwise(BASES[base], text));
  const shown = unexplained.slice(0, 3).map((text) => JSON.stringify(text.slice(0, 60)));
  const detail = `${texts.length - wrong.length} of ${texts.length} strings, ${wrong.length} by its own rules`;
  const ok = theirs.length === texts.length && unexplained.length === 0;
  report.check(`${base}: llama.cpp tokenises as we do`, ok, shown.length > 0 ? shown.join(', ') : detail);
}

/** Each key is needed, changes the logits, or neither; a list that has become too short or too long fails. */
function judgeKeys(report, { name, keys, needs, changes }, answers) {
  const whole = answers.get(name).logits;
  const answerTo = (key) => answers.get(`${name} without ${key}`);
  const refused = keys.filter((key) => !answerTo(key).logits);
  const loaded = keys.filter((key) => answerTo(key).logits);
  const changed = loaded.filter((key) => apart(whole, answerTo(key).logits) > LIMIT);
  const among = (list) => keys.filter((key) => list.includes(key.replace(/^[a-z]+\d*\./, '*.')) || list.includes(key));
  const compare = (found, wanted, title, rest) => {
    const other = [...found.filter((key) => !wanted.includes(key)), ...wanted.filter((key) => !found.includes(key))];
    report.check(title, other.length === 0, other.length > 0 ? `not as expected: ${other.join(', ')}` : rest);
  };
  const ended = refused.filter((key) => answerTo(key).ended).length;
  const figures = `${refused.length} of ${keys.length} keys${ended > 0 ? `, ${ended} of which end its process` : ''}`;
  compare(refused, among(needs), `${name} is not loaded without a key that llama.cpp needs`, figures);
  const others = changed.length > 0 ? changed.join(', ') : 'none here';
  compare(changed, among(changes), `${name} has other logits without a key whose default is not its own`, others);
}
