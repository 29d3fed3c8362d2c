// npm run inspect -- FILE: what Tabtune makes of a dataset file, as JSON. In Node, without a browser.
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureNodeModule, root } from './build.mjs';
import { diskFolder } from './disk-folder.mjs';

class UsageError extends Error {}

const { inspect, flags } = await import(pathToFileURL(await ensureNodeModule('src/inspect/index.ts')).href);

const usage = () => `Usage: npm run inspect -- FILE [--model builtin:NAME|FOLDER|FILE.gguf] [--rows N] [FIELDS]

Prints as JSON how FILE is read: its shape, the columns used and not used, rows lost, encoding, problems, the split, and the first
examples with what is learned marked. With --model, examples are written in the model's chat template and tokenised. Ends with
exit code 1 if the file is refused or a question must be answered first: "error" then says why, with the fields that answer it.

--rows N               examples to show (default 3)
${flags.map(({ name, field }) => `--${name.padEnd(20)} ${field.help}`).join('\n')}

Fields are those of a recipe, with its defaults; --columns takes JSON or prompt=question,completion=answer.`;

/** `--max-length` is `--max_length`, the recipe's own name. */
const underscored = (argument) =>
  argument.startsWith('--')
    ? argument.replace(/^--[^=]+/, (flag) => `--${flag.slice(2).replaceAll('-', '_')}`)
    : argument;

function readArguments() {
  const options = Object.fromEntries(
    [...flags.map(({ name }) => name), 'model', 'rows'].map((name) => [name, { type: 'string' }]),
  );
  let parsed;
  try {
    const args = process.argv.slice(2).map(underscored);
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { help, model, rows = '3', ...given } = parsed.values;
  if (help) return null;
  if (parsed.positionals.length !== 1) throw new UsageError('Give exactly one dataset file.');
  if (!/^\d{1,6}$/.test(rows)) throw new UsageError(`--rows must be a number of examples, not ${rows}.`);
  return { file: parsed.positionals[0], model, rows: Number(rows), given };
}

function readDataset(file) {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats) throw new UsageError(`${file} does not exist.`);
  if (!stats.isFile()) throw new UsageError(`${file} is not a file.`);
  const { buffer, byteOffset, byteLength } = readFileSync(file);
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
}

/** The folder of a built-in model, of a path, or of one GGUF file; null without a model. */
function openModel(source) {
  if (source === undefined) return null;
  if (source.startsWith('builtin:')) {
    const name = source.slice('builtin:'.length);
    const list = JSON.parse(readFileSync(path.join(root, 'public/models/index.json'), 'utf8'));
    const known = list.find((model) => model.name === name);
    if (!known)
      throw new UsageError(`There is no built-in model ${name}; there is ${list.map((m) => m.name).join(', ')}.`);
    return { ...diskFolder(path.join(root, 'public/models', name), source), title: known.title };
  }
  const place = source.replace(/^file:/, '');
  if (!existsSync(place)) throw new UsageError(`--model: ${place} does not exist.`);
  return diskFolder(place, `file:${path.basename(place)}`);
}

try {
  const asked = readArguments();
  if (asked === null) console.log(usage());
  else {
    const { file, model, rows, given } = asked;
    const input = { name: path.basename(file), bytes: readDataset(file), model: openModel(model), given, rows };
    const { report, refused } = await inspect(input);
    console.log(JSON.stringify(report, null, 2));
    if (refused) {
      console.error(refused.toLine());
      process.exitCode = 1;
    }
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${usage()}`);
  process.exitCode = 2;
}
