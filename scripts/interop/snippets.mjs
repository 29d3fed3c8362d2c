// Runs every variant of the Python that the screen and the model cards show, on real exports, in PEFT, transformers and adapters.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { makeBases } from './bases.mjs';
import { withModule } from './engine.mjs';
import { judged } from './judged.mjs';
import { transformers4 } from './packages.mjs';

/** A decoder that AdapterHub has code for, one that it reaches through an interface, and an encoder. */
const BASES = ['llama-2', 'gpt_neox', 'bert'];
const LABELS = ['red', 'green "x"', 'blue'];
const METHODS = ['lora', 'ia3', 'bottleneck', 'prefix_tuning', 'prompt_tuning', 'p_tuning', 'full'];

/** Objectives with the tasks that they have. */
const goals = (base) => [
  ...(base === 'bert' ? [{ type: 'masked_lm' }] : [{ type: 'sft' }, { type: 'pretraining' }]),
  { type: 'sequence_classification', task: { problemType: 'single_label_classification', labels: LABELS } },
  { type: 'sequence_classification', task: { problemType: 'regression', labels: ['score'] } },
  { type: 'reward', task: { problemType: 'regression', labels: ['reward'] } },
  { type: 'token_classification', task: { problemType: 'token_classification', labels: LABELS } },
];

const settings = {
  lora: { r: 4, use_rslora: true },
  prefix_tuning: { num_virtual_tokens: 3 },
  prompt_tuning: { num_virtual_tokens: 3 },
  p_tuning: { num_virtual_tokens: 3, encoder_hidden_size: 16 },
};

export async function snippets({ python, folder, report }) {
  const bases = await makeBases({ python, folder }, BASES);
  const cases = { peft: [], adapters: [] };
  await withModule('/tests/interop/make.ts', async ({ make, impossible }) => {
    for (const base of BASES) {
      for (const [i, { type, task = null }] of goals(base).entries()) {
        for (const method of METHODS) {
          const wanted = {
            ...{
              name: `${base} ${method} ${type} ${i}`,
              base: path.join(bases, base),
              out: path.join(folder, 'snippets'),
              task,
            },
            ...{
              method: { type: method, ...settings[method] },
              objective: { type },
              merge: method === 'lora' || method === 'full',
            },
            ids: [
              [3, 9, 24, 17, 31, 4],
              [3, 22, 12],
            ],
          };
          if (await impossible(wanted)) continue;
          const { snippets: codes, ids, logits } = await make(wanted);
          for (const { name, code } of codes) {
            const own = /^import adapters$/m.test(code) ? cases.adapters : cases.peft;
            own.push({ name: `${wanted.name}: ${name}`, code, ids, logits });
          }
        }
      }
    }
  });
  const script = path.join(root, 'scripts/interop/check_snippets.py');
  for (const [name, list] of Object.entries(cases)) {
    const file = path.join(folder, `snippets-${name}.json`);
    writeFileSync(file, JSON.stringify(list));
    const env = name === 'adapters' ? { PYTHONPATH: await transformers4(python) } : {};
    await judged(report, python, [script, file], { cases: list.map((one) => one.name), env, folder });
  }
}
