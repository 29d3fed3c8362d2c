// What llama.cpp's converters make of Tabtune's exports, against PEFT: every family, and every claim of the model cards.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { makeBases } from './bases.mjs';
import { withModule } from './engine.mjs';
import { judged } from './judged.mjs';
import { pypiSource, transformers4 } from './packages.mjs';

const BASES = [
  'llama-2',
  'llama-3',
  'mistral',
  'qwen2',
  'qwen3',
  'gemma2',
  'gemma3',
  'phi3',
  'smollm3',
  'gpt2',
  'gpt_neox',
];

/** A linear layer of its own rank and alpha, by the base's names. */
const SPECIAL = { gpt2: 'h.0.attn.c_proj', gpt_neox: 'layers.0.attention.dense' };

const plain = { type: 'lora', r: 4, lora_alpha: 8 };
const scaled = (base) => {
  const key = SPECIAL[base] ?? 'layers.0.self_attn.o_proj';
  return { ...plain, use_rslora: true, rank_pattern: { [key]: 2 }, alpha_pattern: { [key]: 3 } };
};

export async function converters({ python, folder, report }) {
  const llamaCpp = await pypiSource(python, 'llama-cpp-python', '0.3.36', 'vendor/llama.cpp');
  const bases = await makeBases({ python, folder }, BASES);
  const out = path.join(folder, 'converted');
  const cases = [];
  const older = [];
  await withModule('/tests/interop/make.ts', async ({ make }) => {
    for (const base of BASES) {
      const one = { base: path.join(bases, base), out, objective: { type: 'sft' }, ids: [[3, 9, 24]] };
      const made = await make({ ...one, name: base, method: plain, merge: true });
      const { code } = made.snippets.find(({ name }) => name === 'merged model');
      older.push({ name: `${base}: merged model in transformers 4`, code, ids: made.ids, logits: made.logits });
      const other = await make({ ...one, name: `${base}-scaled`, method: scaled(base) });
      const of = { base: one.base, config: path.join(made.merged, 'config.json') };
      // A claim is tried; where there is none, the card must say why.
      const says = /convert_hf_to_gguf\.py` turns it into a GGUF file/.test(made.card);
      report.check(`${base}: the card speaks of convert_hf_to_gguf.py`, says);
      if (says) cases.push({ ...of, name: `${base}: merged model`, adapter: made.adapter, merged: made.merged });
      for (const { name, adapter, readers } of [made, other]) {
        const converts = readers.some((line) => /`convert_lora_to_gguf\.py` converts it/.test(line));
        const wrong = readers.some((line) => /the wrong way round/.test(line));
        report.check(`${name}: the card speaks of convert_lora_to_gguf.py`, converts || wrong);
        if (converts) cases.push({ ...of, name: `${name}: adapter`, adapter });
      }
    }
  });
  const file = path.join(folder, 'converted.json');
  writeFileSync(file, JSON.stringify(cases));
  const script = path.join(root, 'scripts/interop/check_converted.py');
  const args = [script, llamaCpp, file, path.join(folder, 'converting')];
  const env = { PYTHONPATH: await transformers4(python) };
  await judged(report, python, args, { cases: cases.map(({ name }) => name), env, folder });
  // Positions are spelled for readers of older configs too.
  const olderFile = path.join(folder, 'older.json');
  writeFileSync(olderFile, JSON.stringify(older));
  const snippets = path.join(root, 'scripts/interop/check_snippets.py');
  await judged(report, python, [snippets, olderFile], { cases: older.map(({ name }) => name), env, folder });
}
