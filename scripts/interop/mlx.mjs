// Adapters and merged models in mlx-lm, beside PEFT, for every family; and an adapter that mlx-lm trained, opened here.
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { withModule } from './engine.mjs';
import { judged } from './judged.mjs';
import { mlxLm } from './packages.mjs';

const BASES = ['llama-2', 'llama-3', 'mistral', 'qwen2', 'qwen3', 'gemma2', 'gemma3', 'phi3', 'smollm3'];
/** mlx-lm has such models, and its names for their layers are others. */
const REFUSED = ['gpt2', 'gpt_neox'];
const TRAINED = 'qwen3';

/** One linear layer that is in no other block. */
const LAST = { gemma3: 'layers.5.self_attn.o_proj' };

const plain = { type: 'lora', r: 4, lora_alpha: 8 };
const methods = (base) => {
  const one = LAST[base] ?? 'layers.1.self_attn.o_proj';
  return {
    plain,
    scaled: { ...plain, use_rslora: true, rank_pattern: { [one]: 2 }, alpha_pattern: { [one]: 3 } },
    dora: { ...plain, use_dora: true, target_modules: ['o_proj', 'down_proj'] },
    uneven: { ...plain, r: 3, target_modules: ['layers.0.mlp.down_proj', one] },
  };
};

const IDS = [
  [3, 9, 24, 17, 31, 4, 100],
  [3, 22, 12],
];
/** Longer than the window of Gemma 2 and 3 here. mlx-lm's Gemma 2 has none, and must differ. */
const LONG = [7, 3, 9, 24, 17, 31, 4, 100, 101, 102, 11, 12];
const LONGER = { gemma3: [...IDS, LONG] };

export async function mlx({ python, folder, report }) {
  const bases = path.join(folder, 'mlx-bases');
  const maker = path.join(root, 'scripts/interop/make_bases.py');
  const small = [...BASES, ...REFUSED].filter((name) => name !== TRAINED);
  for (const args of [['--rows', '320', ...small], [TRAINED]]) {
    if ((await run(python, [maker, bases, ...args], { timeoutMs: 1_800_000 })) !== 0)
      throw new Error('The base models could not be made.');
  }
  const script = path.join(root, 'scripts/interop/check_mlx.py');
  const env = { PYTHONPATH: await mlxLm(python), HF_HUB_OFFLINE: '1' };
  const cases = [];
  await withModule('/tests/interop/make.ts', async ({ make, openedLogits, convertedMlx }) => {
    for (const base of [...BASES, ...REFUSED]) {
      const ids = LONGER[base] ?? IDS;
      const one = { base: path.join(bases, base), out: path.join(folder, 'mlx'), objective: { type: 'sft' }, ids };
      const refused = REFUSED.includes(base);
      let config = '';
      for (const [kind, method] of Object.entries(refused ? { plain } : methods(base))) {
        const name = `${base}-${kind}`;
        const made = await make({ ...one, name, method, mlx: !refused, merge: kind === 'plain' });
        config ||= path.join(made.merged, 'config.json');
        const of = { base: one.base, config, ids, adapter: made.adapter };
        if (refused) {
          report.check(`${base}: the export is refused`, /otherwise/.test(made.mlxRefusal ?? ''), made.mlxRefusal);
          const converted = await convertedMlx(made.adapter, 2);
          cases.push({ ...of, kind: 'refused', name: `${base}: mlx-lm knows no such layers`, mlx: converted });
          continue;
        }
        cases.push({ ...of, kind: 'adapter', name: `${base}: ${kind} adapter`, mlx: made.mlx });
        if (kind === 'plain' && base === TRAINED) {
          cases.push({ ...of, kind: 'refused', name: 'mlx-lm does not read PEFT’s folder', mlx: made.adapter });
          cases.push({ kind: 'shown', name: 'what the card of an adapter shows runs', mlx: made.mlx });
          cases.push({ kind: 'shown', name: 'what the card of a merged model shows runs', merged: made.merged });
        }
        if (kind === 'plain' && base === 'gemma2') {
          report.check('gemma2: the missing window is said', /no sliding window.*8 tokens/.test(made.notes.join(' ')));
          cases.push({ ...of, kind: 'differs', name: 'gemma2: beyond its window', mlx: made.mlx, ids: [LONG] });
        }
        if (made.merged) cases.push({ ...of, kind: 'merged', name: `${base}: merged model`, merged: made.merged });
        if (kind === 'scaled')
          report.check(
            `${base}: what is folded is said`,
            /filled up with zeros.*multiplied into B/.test(made.notes.join(' ')),
            made.notes.join(' '),
          );
      }
      if (base !== TRAINED) continue;
      const trained = path.join(folder, 'mlx-trained');
      const code = await run(python, [script, 'train', one.base, config, trained], { env, timeoutMs: 600_000 });
      if (
        !report.check('mlx-lm trains an adapter', code === 0 && readdirSync(trained).includes('adapters.safetensors'))
      )
        continue;
      const logits = await openedLogits(one.base, trained, ids);
      const of = { base: one.base, config, ids, mlx: trained, logits };
      cases.push({ ...of, kind: 'opened', name: 'an adapter that mlx-lm trained, opened in Tabtune' });
    }
  });
  const file = path.join(folder, 'mlx.json');
  writeFileSync(file, JSON.stringify(cases));
  await judged(report, python, [script, 'check', file], { cases: cases.map(({ name }) => name), env, folder });
}
