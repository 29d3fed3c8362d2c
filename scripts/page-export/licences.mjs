// The licences of everything in an exported page's code, as one text: most of them ask to be passed on.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The packages of these modules, by name. */
function packagesOf(modules) {
  const found = new Map();
  for (const id of modules) {
    const match = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(id.replace(/^\0/, '').split(path.sep).join('/'));
    if (match) found.set(match[2], match[1]);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

function read([name, folder]) {
  const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((each) => /^licen[cs]e(\.(md|txt))?$/i.test(each));
  return { name, version, license, text: file ? readFileSync(path.join(folder, file), 'utf8').trim() : null };
}

/** Throws if a package has no licence that could be passed on. */
export function licences(root, modules) {
  const packages = packagesOf(modules).map(read);
  const texts = new Map();
  for (const { name, version, license, text } of packages) {
    // TensorFlow.js comes without the text of its licence, which is that of others here.
    const own = text ?? packages.find((other) => other.license === license && other.text)?.text;
    if (!own) throw new Error(`The package ${name} has no text of its licence (${license}).`);
    texts.set(own, [...(texts.get(own) ?? []), `${name} ${version}`]);
  }
  const notice = path.join(root, 'LICENSE');
  if (!existsSync(notice)) throw new Error(`${notice} is missing.`);
  const parts = [
    ['Tabtune, which made this page', readFileSync(notice, 'utf8').trim()],
    ...[...texts].map(([text, names]) => [names.join(', '), text]),
  ];
  const intro =
    'The code of this page contains the following software. The model has a licence of its own: see README.md.';
  return `${[intro, ...parts.map(([names, text]) => `${'='.repeat(80)}\n${names}\n\n${text}`)].join('\n\n')}\n`;
}
