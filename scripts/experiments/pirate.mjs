// node scripts/experiments/pirate.mjs [--out FOLDER] [--device auto|hardware|software] [--write]
// Trains the chat demo (examples/pirate-chat.json) as the page does with one press, asks the base and the tuned model the held-out
// questions of scripts/builtin/pirate-held-out.json, and prints figures and answers. Fails if the tuned model is no better at the
// pirate's answers, has lost more than a twentieth of what the base says, or leaves out the voice. --write puts the table into docs/FIRST-RUN.md, which says how the figures are made.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../build.mjs';
import { writeTable } from '../doc-table.mjs';
import { runRecipe } from '../headless-run.mjs';
import { answersOf, base, closing, hasVoice, moduleOf, rows } from './held-out.mjs';

const page = path.join(root, 'docs/FIRST-RUN.md');
const self = 'scripts/experiments/pirate.mjs';

const { values } = parseArgs({
  options: {
    recipe: { type: 'string', default: path.join(root, 'examples/pirate-chat.json') },
    out: { type: 'string', default: path.join(tmpdir(), 'tabtune-pirate') },
    device: { type: 'string', default: process.env.TABTUNE_GPU ?? 'auto' },
    /** Takes the run that FOLDER holds. */
    again: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

const { rougeL } = await moduleOf('src/metrics/text.ts');

/** What an answer says, without the pirate's words after it. */
const content = (answer) => (answer.endsWith(closing) ? answer.slice(0, -closing.length).trim() : answer);
const best = (answer, references) => Math.max(...references.map((reference) => rougeL(answer, reference).f1));
const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

mkdirSync(values.out, { recursive: true });
const run = path.join(values.out, 'run');
if (!values.again || !existsSync(run)) {
  let last = Date.now();
  await runRecipe({
    recipeFile: values.recipe,
    out: run,
    device: values.device,
    exports: ['merged-f32'],
    note: (text) => console.error(text),
    progress: (text) => {
      if (Date.now() - last < 15_000) return;
      last = Date.now();
      console.error(`  ${text}`);
    },
  });
}
const summary = JSON.parse(readFileSync(path.join(run, 'summary.json'), 'utf8'));
const before = await answersOf(base);
const after = await answersOf(path.join(run, 'model'));
writeFileSync(
  path.join(values.out, 'answers.json'),
  JSON.stringify(
    rows.map((row, i) => ({ ...row, base: before[i], tuned: after[i] })),
    null,
    2,
  ),
);
for (const [i, { question }] of rows.entries())
  console.log(`> ${question}\n  base:  ${before[i]}\n  tuned: ${after[i]}`);

const says = (answers) => mean(answers.map((answer, i) => best(content(answer), rows[i].references)));
const sounds = (answers) =>
  mean(
    answers.map((answer, i) =>
      best(
        answer,
        rows[i].references.map((one) => `${one} ${closing}`),
      ),
    ),
  );
const share = (answers) => answers.filter(hasVoice).length / answers.length;
const figure = (value) => value.toFixed(3);
const percent = (value) => `${Math.round(100 * value)} %`;
const table = [
  ['', 'Base', 'Tuned'],
  ['---', '--:', '--:'],
  ['What is said: ROUGE-L of the content', figure(says(before)), figure(says(after))],
  ['How it is said: ROUGE-L with the pirate’s answers', figure(sounds(before)), figure(sounds(after))],
  ['Answers in the voice', percent(share(before)), percent(share(after))],
]
  .map((cells) => `| ${cells.join(' | ')} |`)
  .join('\n');
console.log(
  `\n${table}\n\n${summary.steps} steps in ${summary.seconds.toFixed(0)} s on ${summary.adapter.architecture}`,
);
if (sounds(after) < sounds(before)) fail('The tuned model is further from the pirate’s answers than the base.');
if (says(after) < 0.95 * says(before)) fail('The tuned model has lost more than a twentieth of what the base says.');
if (share(after) < 0.95) fail('Fewer than 95 % of the answers have the voice.');
if (values.write) writeTable(page, self, table);

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
