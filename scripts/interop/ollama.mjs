// Modelfiles, read by the code of Ollama that reads them: its parser, and its templates on Go's text/template. Each template must write
// conversations as the model's own does. Ollama itself is in none of the registries.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { withModule } from './engine.mjs';
import { goProgram } from './packages.mjs';

/** It writes today's date. */
const LEFT_OUT = ['llama3.2'];

/** The commands of a Modelfile, as Ollama's parser names them. */
const commandsOf = ({ from, adapter, template, system, parameters, licence }) => [
  ['model', from],
  ...(adapter === null ? [] : [['adapter', adapter]]),
  ...(template === null ? [] : [['template', template]]),
  ...(system === null ? [] : [['system', system]]),
  ...parameters.map(([name, value]) => [name, String(value)]),
  ...(licence === null ? [] : [['license', licence]]),
];

export async function ollama({ python, folder, report }) {
  const program = path.join(folder, process.platform === 'win32' ? 'ollama-check.exe' : 'ollama-check');
  const { go, env } = await goProgram(python);
  const source = path.join(root, 'scripts/interop/ollama');
  const built = await run(go, ['build', '-C', source, '-o', program, '.'], { env, timeoutMs: 600_000 });
  if (!report.check('Ollama’s parser and templates are built', built === 0)) return;
  const ask = (cases) => {
    const { stdout, stderr } = spawnSync(program, { input: JSON.stringify(cases), encoding: 'utf8' });
    if (!stdout) throw new Error(stderr.slice(0, 500));
    return JSON.parse(stdout);
  };
  const read = (result) => JSON.stringify((result.commands ?? []).map(({ Name, Args }) => [Name, Args]));
  await withModule('/tests/interop/ollama.ts', async ({ ollamaCases, modelfileCases }) => {
    const cases = await ollamaCases();
    const results = ask(cases);
    for (const [i, { name, facts, written, notes, conversations }] of cases.entries()) {
      const result = results[i];
      const same = read(result) === JSON.stringify(commandsOf(facts));
      report.check(`${name}: Ollama reads the Modelfile as it is meant`, same, result.error ?? '');
      if (LEFT_OUT.includes(name)) {
        report.check(
          `${name}: has no TEMPLATE, and says so`,
          facts.template === null && notes.length > 0,
          notes.join(' '),
        );
        continue;
      }
      report.check(`${name}: has a TEMPLATE`, facts.template !== null, notes.join(' '));
      const compared = written.filter((text) => text !== null).length;
      const wrong = written.findIndex((text, k) => text !== null && text !== result.written?.[k]);
      const detail =
        wrong < 0
          ? `${compared} conversations`
          : `${JSON.stringify(written[wrong])} in the model's, ${JSON.stringify(result.written?.[wrong])} in Ollama`;
      const plain = /on prompts/.test(name);
      report.check(
        `${name}: Ollama writes conversations as the model’s template does`,
        wrong < 0 && (plain || compared === conversations.length),
        detail,
      );
      if (plain)
        report.check(
          `${name}: Ollama writes a question as it is`,
          result.written?.[0] === conversations[0][0].content,
          result.written?.[0],
        );
    }
    const values = modelfileCases();
    const answers = ask(values.map(({ text }) => ({ modelfile: text, conversations: [] })));
    for (const [i, { name, facts, notes }] of values.entries()) {
      const left = notes.length > 0;
      const wanted = JSON.stringify(commandsOf(left ? { ...facts, system: null } : facts));
      report.check(
        `a system prompt with ${name} is ${left ? 'left out, with a word' : 'read as it was written'}`,
        read(answers[i]) === wanted,
        notes.join(' '),
      );
    }
  });
}
