// What cards say of vLLM, against vLLM's own code: which adapters it takes, with which --max-lora-rank, and which models have adapters.
// Its engine is not run.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { withModule } from './engine.mjs';
import { judged } from './judged.mjs';
import { vllmSources } from './packages.mjs';

const BASE = 'llama-2';
const lora = (r, more = {}) => ({ type: 'lora', r, lora_alpha: 2 * r, ...more });

/** By the rank that the card must give; null: it must say that vLLM refuses the adapter. */
const CASES = {
  'rank 1': [1, lora(1)],
  'rank 5': [8, lora(5)],
  'rank 8': [8, lora(8)],
  'rank 24 in rsLoRA’s scale': [32, lora(24, { use_rslora: true })],
  'a rank and an alpha of its own': [32, lora(4, { rank_pattern: { down_proj: 20 }, alpha_pattern: { q_proj: 3 } })],
  'PiSSA of rank 12': [32, lora(12, { init_lora_weights: 'pissa' })],
  DoRA: [null, lora(4, { use_dora: true })],
  'a module in full': [null, lora(4, { modules_to_save: ['lm_head'] })],
  '(IA)³': [null, { type: 'ia3' }],
  'prompt tuning': [null, { type: 'prompt_tuning', num_virtual_tokens: 3 }],
};

export async function vllm({ python, folder, report }) {
  const bases = path.join(folder, 'vllm-bases');
  const maker = path.join(root, 'scripts/interop/make_bases.py');
  if ((await run(python, [maker, bases, '--rows', '320', BASE], { timeoutMs: 900_000 })) !== 0)
    throw new Error('The base model could not be made.');
  const adapters = [];
  let families = [];
  await withModule('/tests/interop/make.ts', async ({ make, vllmFamilies }) => {
    families = vllmFamilies();
    for (const [name, [rank, method]] of Object.entries(CASES)) {
      const base = path.join(bases, BASE);
      const out = path.join(folder, 'vllm');
      const made = await make({ name, base, out, method, objective: { type: 'sft' }, ids: [[3, 9, 24]] });
      report.check(`${name}: the card gives rank ${rank}`, made.maxRank === rank, made.readers.join(' '));
      adapters.push({
        name: `${name}: ${rank === null ? 'refused' : 'taken'}`,
        base,
        adapter: made.adapter,
        maxRank: rank,
      });
    }
  });
  const file = path.join(folder, 'vllm.json');
  writeFileSync(file, JSON.stringify({ adapters, families }));
  const script = path.join(root, 'scripts/interop/check_vllm.py');
  const env = { PYTHONPATH: await vllmSources(python), VLLM_NO_USAGE_STATS: '1', VLLM_LOGGING_LEVEL: 'ERROR' };
  const cases = [...adapters, ...families].map(({ name }) => name);
  await judged(report, python, [script, file], { cases, env, folder });
}
