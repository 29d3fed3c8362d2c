// Loads adapters trained by the app in PEFT, and a merged model in transformers. Logits must agree.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { runRecipe } from '../headless-run.mjs';

const model = path.join(root, 'public/models/stories');
// No evaluation: it would take most of a short run's time, and other tests cover it.
const dataset = { source: 'builtin:pirate-chat', validation_split: 0 };
const training = {
  max_steps: 4,
  learning_rate: 1e-3,
  warmup_ratio: 0,
  lr_scheduler_type: 'linear',
  eval_steps: 0,
  early_stopping_patience: 0,
};

/** The third case continues from the first one's adapter, and reads model and dataset from files. */
const cases = [
  {
    name: 'all-linear',
    exports: ['merged-f32'],
    recipe: { version: 1, dataset, method: { type: 'lora', r: 8, lora_alpha: 16 }, training },
  },
  {
    name: 'rslora',
    recipe: {
      version: 1,
      dataset,
      method: { type: 'lora', r: 4, lora_alpha: 8, target_modules: ['q_proj', 'v_proj'], use_rslora: true },
      training,
    },
  },
  {
    name: 'continued',
    recipe: {
      version: 1,
      model: { source: `file:${model}` },
      dataset: { ...dataset, source: `file:${path.join(root, 'public/datasets/pirate-chat.jsonl')}` },
      method: { type: 'lora', init_adapter: 'file:all-linear/adapter' },
      training,
    },
  },
  ...methods({
    dora: { type: 'lora', r: 4, lora_alpha: 8, use_dora: true, target_modules: ['q_proj', 'v_proj', 'down_proj'] },
    patterns: {
      ...{ type: 'lora', r: 4, lora_alpha: 8, use_rslora: true, loraplus_lr_ratio: 4 },
      ...{ rank_pattern: { down_proj: 2, 'layers.0.self_attn.q_proj': 6 }, alpha_pattern: { v_proj: 3 } },
    },
    pissa: { type: 'lora', r: 4, lora_alpha: 8, init_lora_weights: 'pissa', target_modules: ['q_proj', 'down_proj'] },
    ia3: { type: 'ia3' },
    'prompt-tuning': { type: 'prompt_tuning', num_virtual_tokens: 5 },
    'prefix-tuning': { type: 'prefix_tuning', num_virtual_tokens: 4 },
    'p-tuning': { type: 'p_tuning', num_virtual_tokens: 4, encoder_hidden_size: 64 },
  }),
];

/** One short run with each of these methods. */
function methods(all) {
  return Object.entries(all).map(([name, method]) => ({ name, recipe: { version: 1, dataset, method, training } }));
}

/** Token ids of short and long texts; arbitrary, but always the same. */
function someIds() {
  const { vocab_size } = JSON.parse(readFileSync(path.join(model, 'config.json'), 'utf8'));
  let state = 12_345;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % vocab_size;
  };
  return [1, 7, 33, 100].map((length) => Array.from({ length }, next));
}

export const peft = (tools) => tryCases(cases, tools);

/** Trains each case without a screen, and has PEFT load what it exports. */
export async function tryCases(all, { python, folder, report }) {
  for (const { name, recipe, exports = [] } of all) {
    const recipeFile = path.join(folder, `${name}.json`);
    const out = path.join(folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(recipeFile, JSON.stringify({ name, ...recipe }));
    await report.part(name, async () => {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(new Error('not finished after 4 minutes')), 240_000);
      const summary = await runRecipe({
        ...{ recipeFile, out, device: process.env.TABTUNE_GPU ?? 'auto', signal: abort.signal },
        ...{ logitsOf: someIds(), exports, note: console.log, progress: () => {} },
      });
      clearTimeout(timer);
      const asked = recipe.training.max_steps;
      report.check(
        `${name}: trained`,
        summary.steps === asked,
        `${summary.steps} steps, ${summary.seconds.toFixed(1)} s`,
      );
      const logits = path.join(out, 'logits.json');
      const script = (file, ...args) =>
        run(python, [path.join(root, 'tests/oracle', file), ...args], { timeoutMs: 240_000 });
      const adapter = await script('check_adapter.py', model, path.join(out, 'adapter'), logits);
      report.check(`${name}: PEFT loads it, and the logits agree`, adapter === 0);
      if (exports.length > 0) {
        const code = await script('check_merged.py', path.join(out, 'model'), logits);
        report.check(`${name}: transformers loads the merged model, and the logits agree`, code === 0);
      }
    });
  }
}
