/**
 * Modelfiles for real chat templates, with what the model's own template writes for conversations, for Ollama's own code to read. Run in
 * Node, on the data worker's code.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { TokenizerFiles } from '../../src/data/tokenizer-files';
import type { ChatMessage } from '../../src/data/types';
import { describeChats } from '../../src/exports/ollama/describe';
import { type ModelfileFacts, modelfile } from '../../src/exports/ollama/modelfile';
import { resolveRecipe } from '../../src/recipe/defaults';
import { createDataApi } from '../../src/workers/data/service';

type Message = Pick<ChatMessage, 'role' | 'content'>;

const SECTION = resolveRecipe({ version: 1, dataset: { validation_split: 0 } }).dataset;

export interface OllamaCase {
  name: string;
  modelfile: string;
  facts: ModelfileFacts;
  conversations: Message[][];
  /** What the model's template writes for each; null where there is nothing to compare. */
  written: (string | null)[];
  notes: string[];
}

const turns = (...contents: string[]): Message[] =>
  contents.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));

/** None of these is among the texts that templates are tried with. */
const CONVERSATIONS: Message[][] = [
  turns('How deep is the sea?'),
  turns('One', 'Two', 'Three', 'Four', 'Five'),
  [{ role: 'system', content: 'Speak like a captain.' }, ...turns('Where to?')],
  [
    { role: 'system', content: 'Two\n\nparagraphs with "quotes" and \\ {{ .Role }}' },
    ...turns('a\nb', '{"c": [1]}', 'd?'),
  ],
  turns('{{ if .Prompt }}', '```js\nconst a = `x`;\n```', '你好 🦜 <|end|>'),
];

const fixtures = path.join(import.meta.dirname, '../fixtures');
const read = (...at: string[]) => readFileSync(path.join(fixtures, ...at), 'utf8');

function filesOf(folder: string, changes: Partial<TokenizerFiles> = {}): TokenizerFiles {
  const file = (name: string) =>
    existsSync(path.join(folder, name)) ? readFileSync(path.join(folder, name), 'utf8') : null;
  return {
    tokenizerJson: file('tokenizer.json')!,
    tokenizerConfig: file('tokenizer_config.json'),
    chatTemplate: null,
    specialTokensMap: file('special_tokens_map.json'),
    generationConfig: file('generation_config.json'),
    ...changes,
  };
}

function ofTemplate(name: string): TokenizerFiles {
  const { tokenizer, special } = JSON.parse(read('templates', `${name}.json`)) as {
    tokenizer: string;
    special: object;
  };
  const files = filesOf(path.join(fixtures, 'tokenizers', tokenizer));
  const config = { ...JSON.parse(files.tokenizerConfig!), ...special };
  return { ...files, tokenizerConfig: JSON.stringify(config), chatTemplate: read('templates', `${name}.jinja`) };
}

const stories = (): TokenizerFiles => filesOf(path.join(fixtures, '../../public/models/stories'));

/** The built-in model without its template, as a base model is. */
function bare(): TokenizerFiles {
  const files = stories();
  const { chat_template: _, ...config } = JSON.parse(files.tokenizerConfig!);
  return { ...files, tokenizerConfig: JSON.stringify(config) };
}

async function caseOf(name: string, files: TokenizerFiles, rows: unknown[] = []): Promise<OllamaCase> {
  const api = createDataApi();
  api.openTokenizer(files);
  if (rows.length > 0) {
    const bytes = new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join('\n'));
    api.parse('rows.jsonl', bytes.buffer as ArrayBuffer, { format: 'auto', columns: null });
    api.tokenize(SECTION, { type: 'sft', assistant_only_loss: true } as never, 512, 1);
  }
  const write = async (chats: readonly (readonly ChatMessage[])[]) => api.writeChats(chats);
  const { texts, begin } = await write(CONVERSATIONS);
  // llama.cpp puts it there where the tokenizer does.
  const added = begin !== null && (texts?.[0]?.startsWith(begin) ?? false) ? begin : null;
  const described = await describeChats({ write, system: async () => null }, added, new Date());
  const facts: ModelfileFacts = {
    comments: [name],
    from: './model Q8_0.gguf',
    adapter: './adapter.gguf',
    template: described.template,
    system: null,
    parameters: [...described.stops.map((stop) => ['stop', stop] as const), ['num_ctx', 4096], ['temperature', 0.6]],
    licence: 'Apache License\nVersion 2.0, "as is"',
  };
  const { text, notes } = modelfile(facts);
  const written = CONVERSATIONS.map((_, i) => {
    const own = texts?.[i] ?? null;
    return described.template === null || own === null ? null : own.slice(added?.length ?? 0);
  });
  return { name, modelfile: text, facts, conversations: CONVERSATIONS, written, notes: [...described.notes, ...notes] };
}

export async function ollamaCases(): Promise<OllamaCase[]> {
  const names = readdirSync(path.join(fixtures, 'templates')).flatMap((file) =>
    file.endsWith('.jinja') ? [file.slice(0, -'.jinja'.length)] : [],
  );
  const chat = { messages: turns('Hello', 'Ahoy') };
  return [
    ...(await Promise.all(names.map((name) => caseOf(name, ofTemplate(name))))),
    await caseOf('the built-in model', stories()),
    await caseOf('no template, trained on conversations', bare(), [chat, chat]),
    await caseOf('no template, trained on prompts', bare(), [{ prompt: 'Hello', completion: ' Ahoy' }]),
  ];
}

/** Values that a Modelfile must hold, and what it must leave out with a word. */
export function modelfileCases(): { name: string; facts: ModelfileFacts; text: string; notes: string[] }[] {
  const facts = { comments: [], from: './a.gguf', adapter: null, template: null, parameters: [], licence: null };
  const systems: Record<string, string> = {
    'one line': 'You are a pirate.',
    quotes: '"Arr", he said. """Triple""" too, and a " at the end"',
    'line breaks at both ends': '\n\nBe brief.\n',
    'three marks at the end of a line': 'He said """\nand left.',
    'spaces at both ends': '  x\t ',
    'words of the grammar': 'FROM x\nPARAMETER stop "y"\n# no comment',
    'other scripts': 'Größe 東京 🦜 ½ €',
    'what Go does not print': 'zero\u200bwidth',
  };
  return Object.entries(systems).map(([name, system]) => ({
    name,
    facts: { ...facts, system },
    ...modelfile({ ...facts, system }),
  }));
}
