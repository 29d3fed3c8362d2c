/**
 * Infers the role of each column. The formats are those of common trainers: TRL's messages and prompt/completion,
 * ShareGPT, Alpaca, labelled text and plain text (https://huggingface.co/docs/trl/dataset_formats), under the column
 * names that people use. If the format is unclear, the error lists the columns. A guess is described as a guess.
 */
import { TabtuneError } from '../base/errors';
import type { DatasetFormat, ReadingSection } from '../recipe/sections';
import { type ColumnProfile, isId, NAMES, profile } from './columns';
import { nameList } from './problems';
import { field, type RawTable } from './raw-table';

export type Format = Exclude<DatasetFormat, 'auto'>;

export interface Shape {
  format: Format;
  /** part -> column */
  mapping: Record<string, string>;
  /** One sentence shown to people. */
  detected: string;
}

/**
 * Parts of each format. With an answer, a boolean `label` says whether the answer is wanted (KTO). With messages,
 * `completion` is the answer to them in a separate column (preference pairs, TRL's prompts).
 */
const PARTS: Record<Format, { required: string[]; optional: string[] }> = {
  messages: { required: ['messages'], optional: ['completion', 'label', 'system'] },
  sharegpt: { required: ['conversations'], optional: ['completion', 'label', 'system'] },
  alpaca: { required: ['instruction', 'output'], optional: ['input', 'system'] },
  prompt_completion: { required: ['prompt', 'completion'], optional: ['system', 'label'] },
  labelled: { required: ['text', 'label'], optional: [] },
  tagged: { required: ['tokens', 'tags'], optional: [] },
  text: { required: ['text'], optional: [] },
};

/** The order in which formats are tried. */
const ORDER: readonly Format[] = ['messages', 'sharegpt', 'tagged', 'alpaca', 'prompt_completion', 'labelled', 'text'];

const FORMAT_WORDS: Record<Format, string> = {
  messages: 'Chat messages',
  sharegpt: 'ShareGPT conversations',
  alpaca: 'Instructions with answers (Alpaca)',
  prompt_completion: 'Prompts with answers',
  labelled: 'Texts with labels',
  tagged: 'Words with tags',
  text: 'Plain text',
};

export function detectShape(name: string, table: RawTable, section: ReadingSection): Shape {
  if (section.columns && Object.keys(section.columns).length > 0) return byHand(name, table, section);
  // The rejected answer of a preference pair must never be learned.
  const profiles = table.columns.map((column) => profile(table, column)).filter((p) => p.key !== 'rejected');
  const order = section.format === 'auto' ? ORDER : [section.format];
  for (const format of order) {
    const mapping = find(format, profiles, section.format !== 'auto');
    if (mapping) return { format, mapping, detected: sentence(format, mapping, table) };
  }
  if (section.format === 'auto') {
    const guess = guessShape(profiles);
    if (guess)
      return { ...guess, detected: `${sentence(guess.format, guess.mapping, table)} This is a guess, so check it.` };
  }
  throw noShape(name, table, section.format);
}

function byHand(name: string, table: RawTable, section: ReadingSection): Shape {
  const columns = section.columns ?? {};
  const wanted = Object.entries(columns).filter(([, column]) => column !== '');
  for (const [part, column] of wanted) {
    if (!table.columns.includes(column)) {
      throw new TabtuneError({
        code: 'bad_data',
        message: `There is no column “${column}” to use as the ${part}.`,
        where: name,
        action: `Choose one of these columns: ${nameList(table.columns)}.`,
      });
    }
  }
  const parts = new Set(wanted.map(([part]) => part));
  const candidates = section.format === 'auto' ? ORDER : [section.format];
  const format = candidates.find((f) => PARTS[f].required.every((part) => parts.has(part)));
  if (!format) {
    const needs = candidates.map((f) => PARTS[f].required.join(' and ')).join('; or ');
    throw new TabtuneError({
      code: 'bad_data',
      message: `The columns mapped by hand (${[...parts].join(', ') || 'none'}) do not make up a complete example.`,
      where: name,
      action: `Map ${needs}.`,
    });
  }
  const known = [...PARTS[format].required, ...PARTS[format].optional];
  const mapping = Object.fromEntries(wanted.filter(([part]) => known.includes(part)));
  return { format, mapping, detected: `${sentence(format, mapping, table)} The columns were mapped by hand.` };
}

function byName(profiles: readonly ColumnProfile[], names: readonly string[], taken: readonly string[] = []) {
  for (const name of names) {
    const hit = profiles.find((p) => p.key === name && p.filled > 0 && !taken.includes(p.name));
    if (hit) return hit;
  }
  return undefined;
}

/** The mapping for a format, or null. `asked` is set if a person chose the format, and relaxes the names. */
function find(format: Format, profiles: ColumnProfile[], asked: boolean): Record<string, string> | null {
  const system = byName(profiles, NAMES.system);
  const withSystem = (mapping: Record<string, string>) =>
    system?.textual && !Object.values(mapping).includes(system.name) ? { ...mapping, system: system.name } : mapping;
  switch (format) {
    case 'messages':
    case 'sharegpt': {
      const part = format === 'messages' ? 'messages' : 'conversations';
      const chats = profiles.filter((p) => p.turns > 0.5);
      // TRL's conversational prompt-completion and preference data have two lists that belong together.
      const prompt = chats.find((p) => p.key === 'prompt');
      const answer = chats.find((p) => p.key === 'completion' || p.key === 'chosen');
      if (format === 'messages' && prompt && answer) return { messages: prompt.name, completion: answer.name };
      const named = NAMES.messages.flatMap((name) => chats.filter((p) => p.key === name));
      const chat = named[0] ?? chats[0];
      if (!chat || (!asked && chat.sharegpt !== (format === 'sharegpt'))) return null;
      const chosen = profiles.find((p) => p.key === 'chosen' && p.name !== chat.name);
      const label = profiles.find((p) => p.key === 'label' && p.boolean);
      return withSystem({
        [part]: chat.name,
        ...(chosen ? { completion: chosen.name } : {}),
        ...(label ? { label: label.name } : {}),
      });
    }
    case 'alpaca': {
      const instruction =
        byName(profiles, NAMES.instruction) ??
        (byName(profiles, ['context']) ? byName(profiles, ['question']) : undefined);
      const context = byName(profiles, NAMES.context, instruction ? [instruction.name] : []);
      const output = byName(profiles, NAMES.completion, [instruction?.name ?? '', context?.name ?? '']);
      if (!instruction?.textual || !output || output.turns > 0 || output.meanLength === 0) return null;
      if (!context && !asked && output.key !== 'output') return null;
      return withSystem({
        instruction: instruction.name,
        ...(context?.textual ? { input: context.name } : {}),
        output: output.name,
      });
    }
    case 'prompt_completion': {
      const prompt = byName(
        profiles.filter((p) => p.turns === 0),
        NAMES.prompt,
      );
      const completion = byName(
        profiles.filter((p) => p.turns === 0),
        NAMES.completion,
        prompt ? [prompt.name] : [],
      );
      if (prompt && completion && holdsText(prompt) && holdsText(completion)) {
        const label = profiles.find((p) => p.key === 'label' && p.boolean);
        return withSystem({
          prompt: prompt.name,
          completion: completion.name,
          ...(label ? { label: label.name } : {}),
        });
      }
      return asked ? twoTexts(profiles, 'prompt', 'completion') : null;
    }
    case 'labelled': {
      const label = byName(profiles, NAMES.label);
      const text = byName(profiles, NAMES.text, label ? [label.name] : []);
      if (text && label && holdsText(text) && label.turns === 0) return { text: text.name, label: label.name };
      return asked ? classColumns(profiles) : null;
    }
    case 'tagged': {
      const lists = profiles.filter((p) => p.lists > 0.5);
      const tokens = byName(lists, NAMES.tokens);
      const tags = byName(lists, NAMES.tags, tokens ? [tokens.name] : []);
      if (!tokens || !tags) return null;
      // A text with a single label, whose words are listed as well.
      const label = byName(
        profiles.filter((p) => p.lists === 0),
        NAMES.label,
      );
      if (!asked && label && byName(profiles, ['text', 'sentence'])) return null;
      return { tokens: tokens.name, tags: tags.name };
    }
    case 'text': {
      const text = byName(
        profiles.filter((p) => p.textual),
        NAMES.text,
      );
      const texts = profiles.filter((p) => p.textual && p.turns === 0 && !isId(p));
      // A single column counts as text only if nothing else in the rows could matter: an "instruction" next to a list
      // of instances is only half of an example.
      const alone = texts.length === 1 && !profiles.some((p) => p.nested || p.turns > 0);
      if (text && (asked || text.key === 'text' || alone)) return { text: text.name };
      return alone || (asked && texts.length > 0) ? { text: longest(texts).name } : null;
    }
  }
  format satisfies never;
}

function holdsText(p: ColumnProfile): boolean {
  return p.turns === 0 && (p.textual || p.numeric || p.boolean);
}

function longest(profiles: readonly ColumnProfile[]): ColumnProfile {
  return profiles.reduce((a, b) => (b.meanLength > a.meanLength ? b : a));
}

/** For columns with unknown names: a few short values next to a text are classes; two texts are prompt and answer. */
function guessShape(profiles: ColumnProfile[]): Pick<Shape, 'format' | 'mapping'> | null {
  // Lists or objects next to the texts may be what matters, so nothing is guessed.
  if (profiles.some((p) => p.nested)) return null;
  const classes = classColumns(profiles);
  if (classes) return { format: 'labelled', mapping: classes };
  const fuzzy = fuzzyPair(profiles) ?? twoTexts(profiles, 'prompt', 'completion');
  return fuzzy ? { format: 'prompt_completion', mapping: fuzzy } : null;
}

function classColumns(profiles: ColumnProfile[]): Record<string, string> | null {
  const texts = profiles.filter((p) => p.textual && p.meanLength > 15 && !isId(p));
  const label = profiles.find(
    (p) =>
      !isId(p) &&
      p.turns === 0 &&
      p.distinct >= 2 &&
      p.meanLength <= 30 &&
      p.filled >= 8 &&
      // Few distinct values, each of them frequent.
      p.distinct <= Math.min(50, p.filled / 3),
  );
  if (!label) return null;
  const others = texts.filter((p) => p.name !== label.name);
  return others.length > 0 ? { text: longest(others).name, label: label.name } : null;
}

/** Matches names that contain a word for either side: “Customer question”, “Our answer”. */
function fuzzyPair(profiles: ColumnProfile[]): Record<string, string> | null {
  const texts = profiles.filter((p) => p.textual && p.turns === 0);
  const completion = texts.find((p) =>
    /answer|repl(y|ies)|response|output|completion|solution|antwort|réponse|respuesta/.test(p.name.toLowerCase()),
  );
  const prompt = texts.find(
    (p) =>
      p !== completion &&
      /question|prompt|input|request|query|customer|message|instruction|email|frage|pregunta/.test(
        p.name.toLowerCase(),
      ),
  );
  return prompt && completion ? { prompt: prompt.name, completion: completion.name } : null;
}

function twoTexts(profiles: ColumnProfile[], first: string, second: string): Record<string, string> | null {
  const texts = profiles.filter((p) => p.textual && p.turns === 0 && !isId(p));
  return texts.length === 2 ? { [first]: texts[0]!.name, [second]: texts[1]!.name } : null;
}

function sentence(format: Format, mapping: Record<string, string>, table: RawTable): string {
  if (format === 'text' && table.fileType === 'text') return 'Plain text, split into passages at blank lines.';
  if (format === 'tagged' && table.fileType === 'text') {
    return 'Words with tags (CoNLL): one word per line, blank lines between sentences.';
  }
  const columns = [...new Set(Object.values(mapping))];
  return `${FORMAT_WORDS[format]}, from the column${columns.length === 1 ? '' : 's'} ${nameList(columns)}.`;
}

function noShape(name: string, table: RawTable, format: DatasetFormat): TabtuneError {
  const nested = table.columns.filter((c) =>
    table.rows.slice(0, 20).some(({ value }) => typeof (field(value, c) ?? '') === 'object'),
  );
  const wanted =
    format === 'auto'
      ? 'which column is the prompt and which is the completion, or which is the text and which is the label'
      : `which column is the ${PARTS[format].required.join(' and which is the ')}`;
  return new TabtuneError({
    code: 'bad_data',
    message:
      table.columns.length === 0
        ? 'The rows of this file are not objects with named columns.'
        : `It is not clear which columns of this file to learn from. It has ${nameList(table.columns)}.`,
    where: name,
    action:
      table.columns.length === 0
        ? 'Write each example as an object, such as {"prompt": "…", "completion": "…"}.'
        : `Choose ${wanted}, or rename the columns.`,
    details: [
      `Looked for: messages; conversations; instruction, input and output; prompt and completion; text and label; tokens and tags; text.`,
      nested.length > 0 ? `Columns with lists or objects: ${nested.join(', ')}.` : '',
    ]
      .filter(Boolean)
      .join(' '),
  });
}
