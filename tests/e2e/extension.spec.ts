/**
 * docs/ADDING.md is true: in a copy of the tree a method (BitFit), an objective (z-loss) and a family (a renamed Llama) are
 * added by two files and a line in each registry, and train. The files are in tests/extension.
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@playwright/test';
import { openSafetensors, type SafetensorsTensor, writeSafetensors } from '../../src/formats/safetensors';

/** What each addition appends to which registry. */
const additions = {
  bitfit: {
    'src/methods/all.ts': "export { bitfit } from './bitfit';\n",
    'src/engine/methods/all.ts': "export { bitfit } from './bitfit';\n",
  },
  'z-loss': {
    'src/objectives/all.ts': "export { zLoss } from './z-loss';\n",
    'src/engine/objectives/all.ts': "export { zLossTwin } from './z-loss';\n",
  },
  'my-llama': {
    'src/families/all.ts': "export { myLlama } from './my-llama';\n",
    'src/families/gguf/all.ts': "export { llamaGguf as my_llama } from './llama';\n",
    'src/engine/models/all.ts': "export { loadMyLlama as my_llama } from './my-llama';\n",
  },
};

let copy: string;
const at = (...names: string[]) => path.join(copy, ...names);
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 240_000 });
const git = (...args: string[]) => run('git', '-c', 'user.name=t', '-c', 'user.email=t@t', ...args);

test.beforeAll(() => {
  copy = mkdtempSync(path.join(tmpdir(), 'tabtune-extension-'));
  for (const name of [
    'src',
    'public',
    'scripts',
    'index.html',
    'headless.html',
    'package.json',
    'package-lock.json',
    'vite.config.ts',
    'LICENSE',
  ]) {
    cpSync(name, at(name), { recursive: true });
  }
  const config = JSON.parse(readFileSync('tsconfig.json', 'utf8'));
  writeFileSync(at('tsconfig.json'), JSON.stringify({ ...config, include: ['src'] }));
  symlinkSync(path.resolve('node_modules'), at('node_modules'), 'dir');
  git('init', '--quiet');
  git('add', 'src');
  git('commit', '--quiet', '--message', 'before');
});
test.afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** A folder of the built-in model; `config` and `tensors` are changed before they are written. */
async function model(name: string, config: object, more: SafetensorsTensor[] = []): Promise<string> {
  const folder = at(name);
  cpSync('public/models/stories', folder, { recursive: true });
  const json = JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8'));
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ ...json, ...config }));
  if (more.length > 0) {
    const kept = await tensorsOf(path.join(folder, 'model.safetensors'));
    writeFileSync(path.join(folder, 'model.safetensors'), writeSafetensors([...kept, ...more]));
  }
  return `file:${folder}`;
}

async function tensorsOf(file: string): Promise<SafetensorsTensor[]> {
  const bytes = new Uint8Array(readFileSync(file));
  const read = async (from: number, to: number) => bytes.slice(from, to).buffer;
  const { tensors } = await openSafetensors(read, bytes.length, { where: file, code: 'bad_model' });
  return [...tensors].map(([name, { dtype, shape, start, end }]) => ({
    name,
    dtype,
    shape,
    data: bytes.slice(start, end),
  })) as SafetensorsTensor[];
}

interface Row {
  step: number;
  loss?: number;
  [metric: string]: unknown;
}

/** Trains a recipe for a few steps in the copy; the rows of its metrics. */
function train(name: string, recipe: object): Row[] {
  const training = { max_steps: 5, gradient_accumulation_steps: 1, eval_steps: 0, lr_scheduler_type: 'constant' };
  const file = at(`${name}.json`);
  const given = { training: {}, ...recipe };
  writeFileSync(file, JSON.stringify({ version: 1, name, ...given, training: { ...training, ...given.training } }));
  run(process.execPath, 'scripts/headless.mjs', file, '--out', at('out', name));
  return readFileSync(at('out', name, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
    .filter(({ loss }) => loss !== undefined);
}

test('a method, an objective and a family are two files and a line in each registry, and train', async () => {
  test.setTimeout(600_000);
  const adding = readFileSync('docs/ADDING.md', 'utf8');
  for (const [name, lines] of Object.entries(additions)) {
    cpSync(path.join('tests/extension', name), copy, { recursive: true });
    for (const [registry, line] of Object.entries(lines)) appendFileSync(at(registry), line);
    git('add', 'src');
    const stat = git('diff', '--cached', '--stat=100').trimEnd();
    expect(stat, name).toMatch(new RegExp(`${2 + Object.keys(lines).length} files changed, \\d+ insertions\\(\\+\\)$`));
    expect(adding, `docs/ADDING.md, ${name}`).toContain(stat);
    for (const registry of Object.keys(lines)) {
      expect(git('diff', '--cached', '--numstat', registry).split('\t').slice(0, 2), registry).toEqual(['1', '0']);
    }
    git('commit', '--quiet', '--message', name);
  }
  run(process.execPath, path.resolve('node_modules/typescript/bin/tsc'), '--noEmit', '-p', '.');

  await test.step('BitFit moves biases only', async () => {
    const config = JSON.parse(readFileSync('public/models/stories/config.json', 'utf8'));
    const biases = Array.from({ length: config.num_hidden_layers }, (_, layer) =>
      ['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((projection): SafetensorsTensor => {
        const heads = /^[kv]/.test(projection) ? config.num_key_value_heads : config.num_attention_heads;
        const width = projection === 'o_proj' ? config.hidden_size : heads * config.head_dim;
        const name = `model.layers.${layer}.self_attn.${projection}.bias`;
        return { name, dtype: 'F32', shape: [width], data: new Float32Array(width) };
      }),
    ).flat();
    const source = await model('biased', { attention_bias: true }, biases);
    const rows = train('bitfit', {
      model: { source },
      method: { type: 'bitfit' },
      training: { learning_rate: 1e-2, max_steps: 12 },
    });
    expect(rows.at(-1)!.loss).toBeLessThan(rows[0]!.loss!);
    const [file] = readdirSync(at('out', 'bitfit', 'model')).filter((name) => name.endsWith('.safetensors'));
    const trained = await tensorsOf(at('out', 'bitfit', 'model', file!));
    const moved = trained.filter(({ name, data }) => {
      const bias = biases.find((one) => one.name === name);
      return bias && new Float32Array((data as Uint8Array).buffer).some((value) => value !== 0);
    });
    expect(moved).toHaveLength(biases.length);
    expect(trained).toHaveLength(biases.length + (await tensorsOf('public/models/stories/model.safetensors')).length);
  });

  await test.step('z-loss is learned and reported', () => {
    const rows = train('z-loss', {
      objective: { type: 'z_loss', z_loss_weight: 0.01 },
      training: { learning_rate: 2e-3 },
    });
    const plain = train('plain', { training: { learning_rate: 2e-3 } });
    for (const [i, row] of rows.entries()) expect(row.z_loss, `step ${i + 1}`).toBeGreaterThan(0);
    expect(rows[0]!.loss! - Number(rows[0]!.z_loss)).toBeCloseTo(plain[0]!.loss!, 4);
    expect(rows.at(-1)!.loss).toBeLessThan(rows[0]!.loss!);
  });

  await test.step('the renamed family trains as Llama does', async () => {
    const source = await model('renamed', { model_type: 'my_llama', architectures: ['MyLlamaForCausalLM'] });
    const losses = (rows: Row[]) => rows.map(({ loss }) => loss);
    const original = await model('original', {});
    expect(losses(train('renamed-run', { model: { source } }))).toEqual(
      losses(train('original-run', { model: { source: original } })),
    );
    expect(readdirSync(at('out', 'renamed-run', 'adapter'))).toContain('adapter_model.safetensors');
  });
});
