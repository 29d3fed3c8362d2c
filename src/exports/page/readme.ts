/** README.md of a page: how to publish it, and what may be done with it. On a Space of the Hub, its front matter says what it is. */
import { formatBytes } from '../../base/bytes';
import { noteLines } from '../model-card';
import type { PageManifest } from './manifest';

/** GitHub Pages serve sites up to 1 GB. */
const GITHUB_LIMIT = 1e9;
const HUB_NAME = /^[\w.-]+\/[\w.-]+$/;

const yaml = (value: string) => JSON.stringify(value);

/** What a person should know before the page is published, a sentence each. */
export function publishingNotes({ model, files }: PageManifest): string[] {
  const notes: string[] = [];
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > GITHUB_LIMIT) {
    notes.push(
      `The model takes ${formatBytes(bytes)}: GitHub Pages serve at most 1 GB. Use another host, or train a smaller or quantised base.`,
    );
  }
  notes.push(
    model.licence === null
      ? `The licence of ${model.base} is not known: whoever publishes the page passes the model on, so find out first whether that is allowed.`
      : `Publishing the page passes ${model.base} on, which its licence (${model.licence}) has to allow; the page names it.`,
  );
  return notes;
}

/** How to see the page on one's own machine, and how to publish it. */
export function pageReadme(manifest: PageManifest, notes: readonly string[]): string {
  const { title, about, model, form, madeWith } = manifest;
  const front = [
    '---',
    `title: ${yaml(title)}`,
    'sdk: static',
    'app_file: index.html',
    'pinned: false',
    ...(model.licence === null ? [] : [`license: ${yaml(model.licence)}`]),
    ...(HUB_NAME.test(model.base) ? ['models:', `- ${yaml(model.base)}`] : []),
    '---',
  ];
  const does = {
    chat: 'a chat with the model',
    texts: 'a form that says which class a text belongs to',
    words: 'a form that labels the words of a text',
    answers: 'a form that scores answers',
  }[form];
  const trained = model.trained ? `${model.trained} (${model.name}) on ${model.base}` : model.base;
  return `${front.join('\n')}

# ${title}
${about ? `\n${about}\n` : ''}
This folder is a website: ${does}. ${trained}, run by the visitor's own browser through WebGPU. There is no server behind it, and
nothing that a visitor writes is sent anywhere.

## See it

Browsers do not let a page that is opened as a file start a model, so serve the folder:

\`\`\`sh
python3 -m http.server 8000   # or: npx serve -l 8000
\`\`\`

and open <http://localhost:8000>. It needs a browser with WebGPU, such as a current Chrome or Edge.

## Publish it

Any host of static files will do, in a folder of its own if you like; every address in the page is relative. No file is larger than
24 MiB. The page has to come over https.

- **GitHub Pages**: put the files of this folder into a repository, then choose its branch under *Settings*, *Pages*.
- **Hugging Face**: create a Space with the SDK *Static*, and upload the files of this folder. This README already says what it is.
- **Netlify, Cloudflare Pages and others**: drop the folder on their upload page.

After the first visit the page opens without a network: a service worker keeps its files, and the page keeps the model. To change
something, export the page again and upload all of its files; visitors get the new version with their next visit.

## What is in it

| | |
| --- | --- |
| \`index.html\`, \`app.js\`, \`style.css\` | the page |
| \`page.json\` | its title, example prompts and settings, and the list of the model’s files |
| \`engine.js\` | the part of Tabtune that runs the model |
| \`model/\`${model.trained ? ', `adapter/`' : ''} | the model${model.trained ? ', and what was trained on top of it' : ''}; large files are in parts |
| \`LICENCES.txt\` | the licences of the software in the page |

## Licence

The software is under the licences in LICENCES.txt. The model is ${model.base}${model.licence === null ? '; its licence is not known' : ` under the licence “${model.licence}”`}${model.trained ? ', with what was trained on top of it, which is yours' : ''}.
${noteLines(notes)}
Made with ${madeWith}.
`;
}
