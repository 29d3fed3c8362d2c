// node scripts/experiments/choices.mjs [NAME…] [--out FOLDER] [--again] [--device auto|hardware|software] [--write]
// Learns from choices, as examples/ has it: a start that talks like a pirate now and then, and from there DPO, KTO, GRPO and their
// kin, each judged on questions that were not learned from. Prints what each came to; fails if one fell short. --again takes the
// runs that FOLDER holds; --write puts the table into docs/CHOICES.md, which says how the figures are made.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../build.mjs';
import { writeTable } from '../doc-table.mjs';
import { runRecipe } from '../headless-run.mjs';
import { answersOf, hasVoice } from './held-out.mjs';

const page = path.join(root, 'docs/CHOICES.md');
const self = 'scripts/experiments/choices.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: path.join(tmpdir(), 'tabtune-choices') },
    device: { type: 'string', default: process.env.TABTUNE_GPU ?? 'auto' },
    again: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

const folder = (name) => path.join(values.out, name);
const metricsOf = (name) =>
  readFileSync(path.join(folder(name), 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const evaluations = (name) => metricsOf(name).filter(({ eval_loss: loss }) => loss !== undefined);
const secondsOf = (name) => JSON.parse(readFileSync(path.join(folder(name), 'summary.json'), 'utf8')).seconds;

/** Trains examples/NAME.json, on what the start left behind where `start` says so; `change` fills in what only this machine knows. */
async function train(name, { start = true, change = (recipe) => recipe } = {}) {
  if (values.again && existsSync(path.join(folder(name), 'summary.json'))) return;
  const recipe = change(JSON.parse(readFileSync(path.join(root, 'examples', `${name}.json`), 'utf8')));
  if (start) recipe.method.init_adapter = `file:${path.join(folder('pirate-start'), 'adapter')}`;
  const recipeFile = path.join(values.out, `${name}.json`);
  writeFileSync(recipeFile, JSON.stringify(recipe, null, 2));
  let last = 0;
  await runRecipe({
    recipeFile,
    out: folder(name),
    device: values.device,
    exports: ['merged-f32'],
    note: (text) => console.error(text),
    progress: (text) => {
      if (Date.now() - last < 15_000) return;
      last = Date.now();
      console.error(`  ${name}: ${text}`);
    },
  });
}

/** Share of the greedy answers to the held-out questions that end with the pirate's words, and the first of them. */
async function voiceOf(model) {
  const answers = await answersOf(model);
  console.error(
    answers
      .slice(0, 4)
      .map((answer) => `    ${answer}`)
      .join('\n'),
  );
  return answers.filter(hasVoice).length / answers.length;
}

const percent = (share) => `${Math.round(share * 100)} %`;
const table = [];
const missed = [];
const row = (name, what, before, after, wanted, good) => {
  table.push([`\`${name}.json\``, what, before, after, wanted, `${Math.round(secondsOf(name))} s`]);
  console.log(`${name}: ${what}: ${before} -> ${after} (wanted: ${wanted})`);
  if (!good) missed.push(name);
};

let startShare = null;
async function start() {
  await train('pirate-start', { start: false });
  startShare ??= await voiceOf(path.join(folder('pirate-start'), 'model'));
  return startShare;
}

/** The mean reward on held-out prompts before the first step and at the best evaluation. */
function rewardsOf(name, metric) {
  const found = evaluations(name).flatMap(({ metrics }) => metrics?.[metric] ?? []);
  return [found[0], Math.max(...found)];
}

const judges = {
  'pirate-dpo': voice,
  'pirate-kto': voice,
  'pirate-orpo': voice,
  'pirate-cpo': voice,
  async 'pirate-reward'(name) {
    await train(name, { start: false });
    const found = evaluations(name).map(({ metrics }) => metrics.accuracy);
    const last = Math.max(...found);
    row(name, 'accuracy on held-out pairs', percent(found[0]), percent(last), '90 %', last >= 0.9);
  },
  'quiz-grpo': (name) => earned(name, 2),
  'quiz-rloo': (name) => earned(name, 2),
  'quiz-online-dpo': (name) => earned(name, 2),
  'quiz-rejection-sampling': (name) => earned(name, 2),
  async 'quiz-ppo'(name) {
    await start();
    await train('pirate-reward', { start: false });
    await train(name, {
      change(recipe) {
        recipe.objective.rewards[0].source = `file:${path.join(folder('pirate-reward'), 'adapter')}`;
        return recipe;
      },
    });
    const [before, after] = rewardsOf(name, 'reward');
    const divergence = Math.max(...metricsOf(name).flatMap((row) => row['objective/kl'] ?? []));
    const shown = [before.toFixed(2), `${after.toFixed(2)}, KL ${divergence.toFixed(1)}`];
    row(name, 'mean score by the reward model', ...shown, 'more, KL below 10', after > before && divergence < 10);
  },
};

async function voice(name) {
  const before = await start();
  await train(name);
  const after = await voiceOf(path.join(folder(name), 'model'));
  row(
    name,
    'answers in the preferred style, of 50',
    percent(before),
    percent(after),
    '30 points more',
    after >= before + 0.3,
  );
}

async function earned(name, range) {
  await start();
  await train(name);
  const [before, after] = rewardsOf(name, 'reward');
  const wanted = 0.3 * range;
  row(
    name,
    `mean reward on held-out prompts, 0 to ${range}`,
    before.toFixed(2),
    after.toFixed(2),
    `${wanted} more`,
    after >= before + wanted,
  );
}

mkdirSync(values.out, { recursive: true });
for (const name of positionals.length > 0 ? positionals : Object.keys(judges)) await judges[name](name);
if (values.write) {
  const head = ['Recipe', 'Measured', 'Start', 'After', 'Wanted', 'Training'];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  writeTable(page, self, [line(head), line(['---', '---', '--:', '--:', '--:', '--:']), ...table.map(line)].join('\n'));
}
if (missed.length > 0) {
  console.error(`Fell short: ${missed.join(', ')}.`);
  process.exit(1);
}
