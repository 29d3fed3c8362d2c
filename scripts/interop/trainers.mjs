// Runs written as configs for Axolotl and LLaMA-Factory, opened by their own code: each setting is read back, the rows are read by
// their own readers, and what they tokenise is compared with the tokens and labels here.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { withModule } from './engine.mjs';
import { judged } from './judged.mjs';
import { pypiPackage, pythonPackages } from './packages.mjs';

const AXOLOTL = '0.19.0';
const LLAMA_FACTORY = '0.9.5';

/** What each imports besides torch. LLaMA-Factory pins older libraries than this repository's tests have. */
const forAxolotl = [
  'pillow==12.0.0',
  'addict==2.4.0',
  'fire==0.7.1',
  'colorama==0.4.6',
  'einops==0.8.2',
  'termcolor==3.3.0',
  // What the rewards with a schema need.
  'jsonschema==4.26.0',
  'jsonschema-specifications==2025.9.1',
  'referencing==0.37.0',
  'rpds-py==0.30.0',
  'attrs==25.4.0',
];
const forLlamaFactory = [
  ...['pillow==12.0.0', 'einops==0.8.2', 'omegaconf==2.4.0', 'antlr4-python3-runtime==4.9.3', 'colorama==0.4.6'],
  ...['transformers==5.6.0', 'huggingface-hub==1.10.0', 'tokenizers==0.22.2', 'datasets==4.0.0', 'accelerate==1.11.0'],
  ...['peft==0.18.1', 'trl==0.24.0', 'dill==0.3.8', 'multiprocess==0.70.16', 'fire==0.7.1', 'termcolor==3.3.0'],
  ...['httpx==0.28.1', 'httpcore==1.0.9', 'h11==0.16.0', 'anyio==4.16.0', 'sniffio==1.3.1', 'shellingham==1.5.4'],
];

const programs = {
  axolotl: {
    script: 'check_axolotl.py',
    env: { AXOLOTL_DO_NOT_TRACK: '1' },
    folders: async (python) => [
      await pypiPackage(python, 'axolotl', AXOLOTL),
      await pythonPackages(python, 'axolotl-needs', forAxolotl),
    ],
    /** What is checked of a case. */
    checks: ({ name, tokens, scores, chat }) => ({
      ...(scores && { rewards: `${name}: rewards in Python give answers what they give here` }),
      settings: `${name}: Axolotl’s schema takes axolotl.yml and understands each setting`,
      ...(tokens && { tokens: `${name}: Axolotl’s tokens and labels are ours` }),
      ...(chat && { chat: `${name}: from messages too, but for the template’s own words` }),
    }),
  },
  llamafactory: {
    script: 'check_llamafactory.py',
    env: { DISABLE_VERSION_CHECK: '1' },
    folders: async (python) => [
      await pypiPackage(python, 'llamafactory', LLAMA_FACTORY),
      await pythonPackages(python, 'llamafactory-needs', forLlamaFactory),
    ],
    checks: ({ name, tokens }) => ({
      settings: `${name}: LLaMA-Factory’s parser takes llamafactory.yaml and understands each setting`,
      rows: `${name}: LLaMA-Factory’s converter reads every row`,
      ...(tokens && { tokens: `${name}: LLaMA-Factory’s tokens and labels are ours, but for what the export says` }),
    }),
  },
};

export async function trainers({ python, folder, report }) {
  const out = path.join(folder, 'trainers');
  const made = await withModule('/tests/interop/trainer-configs.ts', ({ makeConfigs }) => makeConfigs(out));
  for (const [trainer, { script, env, folders, checks }] of Object.entries(programs)) {
    const cases = made.filter((one) => one.trainer === trainer).map((one) => ({ ...one, checks: checks(one) }));
    const list = path.join(out, `${trainer}.json`);
    writeFileSync(list, JSON.stringify(cases));
    await judged(report, python, [path.join(root, 'scripts/interop', script), list], {
      ...{ cases: cases.flatMap((one) => Object.values(one.checks)), folder },
      env: { PYTHONPATH: (await folders(python)).join(path.delimiter), HF_HOME: path.join(folder, 'hf'), ...env },
    });
  }
}
