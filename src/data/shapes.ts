/**
 * Which columns make up an example, one function for each format. The formats are those of common trainers: TRL's messages
 * and prompt/completion, ShareGPT, Alpaca, labelled text and plain text (https://huggingface.co/docs/trl/dataset_formats),
 * under the names in parts.ts.
 */
import { TabtuneError } from '../base/errors';
import { type ColumnSet, holdsText, isClassLike, isText, longest, type Mapping } from './column-set';
import { type ColumnProfile, isId } from './columns';
import { comparisons } from './compare-answers';
import { oneHotColumns } from './label-columns';
import { type Format, parts } from './parts';
import { PROMPTS, promptOnly } from './preference-shapes';
import { nameList } from './problems';

/** The mapping for a format, or null. `asked` is set if a person chose the format, and relaxes the names. */
export function findShape(format: Format, columns: ColumnSet, asked: boolean): Mapping | null {
  switch (format) {
    case 'messages':
    case 'sharegpt':
      return conversation(format, columns, asked);
    case 'alpaca':
      return alpaca(columns, asked);
    case 'prompt_completion':
      return promptCompletion(columns, asked);
    case 'labelled':
      return labelled(columns, asked);
    case 'tagged':
      return tagged(columns, asked);
    case 'text':
      return text(columns, asked);
    case 'prompt_only':
      return promptOnly(columns, asked);
    case 'unpaired_preference':
      return answered(columns);
    // Found before any of the others: see search in detect.ts.
    case 'preference':
      return null;
  }
  format satisfies never;
}

/** Prompts with answers, or conversations, of which another column says whether they are good. */
function answered(columns: ColumnSet): Mapping | null {
  for (const format of ['messages', 'sharegpt', 'alpaca', 'prompt_completion'] as const) {
    const found = findShape(format, columns, false);
    if (found) return found;
  }
  return promptCompletion(columns, true);
}

const isChat = (p: ColumnProfile) => p.turns > 0.5 || p.transcripts >= 0.9;

/** Answers as text, as numbers, as lists of texts of which the first counts, as objects, or as messages. */
const isAnswer = (p: ColumnProfile) => holdsText(p) || p.lists > 0.5 || p.nested || (p.turns > 0.5 && p.answers > 0.5);

function conversation(format: 'messages' | 'sharegpt', columns: ColumnSet, asked: boolean): Mapping | null {
  const part = format === 'messages' ? 'messages' : 'conversations';
  let chats = columns.free.filter(isChat);
  // Earlier turns beside a question and its answer.
  if (chats.every((p) => parts.history.names.includes(p.key)) && promptAndAnswer(columns)) chats = [];
  const whole = (p: ColumnProfile) => p.transcripts >= 0.9 || (p.open <= 0.5 && p.answers <= 0.5);
  const named = parts[part].names.flatMap((name) => chats.filter((p) => p.key === name));
  const ordered = [...named, ...chats.filter((p) => !named.includes(p) && !answersOnly(p))];
  const better = parts.chosen.names.flatMap((name) => chats.filter((p) => p.key === name));
  const chat =
    part in columns.given
      ? columns.column(columns.given[part])
      : (better.find(whole) ?? ordered.find(whole) ?? ordered[0]);
  if (!chat || (!asked && !(part in columns.given) && chat.sharegpt !== (format === 'sharegpt'))) return null;
  // TRL's conversational prompt-completion and preference data have two columns that belong together.
  const open = chat.open > 0.5 && chat.transcripts < 0.9;
  const answer = open || 'completion' in columns.given ? answerColumn(columns, [chat.name]) : undefined;
  if (answersOnly(chat) && !(part in columns.given)) return null;
  // Prompts without answers are a format of their own.
  if (!asked && !answer && !(part in columns.given) && chat.open > 0.9 && PROMPTS.includes(chat.key)) return null;
  return { [part]: chat.name, ...(answer && { completion: answer.name }) };
}

const answersOnly = (p: ColumnProfile) => p.turns > 0.5 && p.answers > 0.5;

/** Better answers come first, whatever the order of the columns. */
function answerColumn(columns: ColumnSet, taken: readonly string[]): ColumnProfile | undefined {
  return columns.pick('completion', {
    names: [...parts.chosen.names.slice(0, 8), ...parts.completion.names, ...parts.chosen.names],
    // A number under “chosen” is the place of the answer in a list.
    where: (p) => isAnswer(p) && !(p.numeric && parts.chosen.names.includes(p.key)),
    taken,
  });
}

function promptAndAnswer(columns: ColumnSet): { prompt: ColumnProfile; answer: ColumnProfile } | null {
  const prompt = columns.pick('prompt', { where: holdsText });
  if (!prompt) return null;
  const answer = answerColumn(columns, [prompt.name]);
  if (answer && (isAnswer(answer) || 'completion' in columns.given)) return { prompt, answer };
  // Prompts whose answers are all missing are not texts to imitate: each row says what it lacks.
  const blank = columns.blank('completion');
  return blank && !columns.pick('label', { where: holdsText, taken: [prompt.name] }) ? { prompt, answer: blank } : null;
}

/** Names that only a text to go with the question has; "input" may be the question itself. */
const CONTEXT = parts.input.names.filter((name) => name !== 'input' && name !== 'inputs');

const isContext = (p: ColumnProfile) => p.turns === 0 && (p.textual || p.lists > 0.5);

function alpaca(columns: ColumnSet, asked: boolean): Mapping | null {
  const where = holdsText;
  const named = columns.pick('instruction', { names: ['instruction', 'instructions'], where });
  // A question under another name, beside something that is its context.
  const names = parts.prompt.names.filter((name) => !CONTEXT.includes(name));
  const instruction = named ?? columns.pick('instruction', { names, where });
  if (!instruction) return null;
  const context = columns.pick('input', { where: isContext, taken: [instruction.name] });
  const output =
    'output' in columns.given
      ? columns.column(columns.given.output)
      : columns.pick('output', {
          names: [...parts.chosen.names.slice(0, 8), ...parts.output.names],
          where: (p) => isAnswer(p) && p.turns === 0,
          taken: [instruction.name, context?.name],
        });
  if (!output) return null;
  if (!instruction.textual && !('instruction' in columns.given)) return null;
  if (!context && !asked && !(named && output.key === 'output') && !columns.isGiven('instruction')) return null;
  return { instruction: instruction.name, ...(context && { input: context.name }), output: output.name };
}

/** Names that only an answer has, so that a text beside it is what it answers. */
const ANSWER_TO_TEXT = parts.completion.names.filter(
  (name) => !['target', 'a', 'bot', 'final', 'assistant'].includes(name),
);

function promptCompletion(columns: ColumnSet, asked: boolean): Mapping | null {
  const both = promptAndAnswer(columns);
  if (both) return { prompt: both.prompt.name, completion: both.answer.name };
  const given = columns.isGiven('prompt') || columns.isGiven('completion');
  const textual = columns.pick('prompt', { names: parts.text.names, where: isText });
  const answer =
    textual &&
    (columns.pick('completion', { names: ANSWER_TO_TEXT, where: isText, taken: [textual.name] }) ??
      // A target is a class, unless every row has a sentence of its own.
      columns.pick('completion', { where: (p) => isText(p) && p.unique && p.meanLength > 15, taken: [textual.name] }));
  if (textual && answer && (given || !isClassLike(answer) || !parts.label.names.includes(answer.key))) {
    return { prompt: textual.name, completion: answer.name };
  }
  return asked && !given ? twoTexts(columns) : null;
}

const PAIRS: readonly (readonly [string, string])[] = [
  ['premise', 'hypothesis'],
  ['sentence1', 'sentence2'],
  ['sentencea', 'sentenceb'],
  ['question1', 'question2'],
  ['text1', 'text2'],
  ['texta', 'textb'],
  ['text', 'textpair'],
  ['firstsentence', 'secondsentence'],
  ['question', 'sentence'],
  ['query', 'passage'],
  ['query', 'document'],
  ['question', 'passage'],
  ['claim', 'evidence'],
  ['source', 'target'],
];

const SCORES = ['score', 'grade', 'note', 'nota', 'bewertung', 'value', 'y', 'polarity', 'points', 'overall'];

function labelled(columns: ColumnSet, asked: boolean): Mapping | null {
  const given = columns.isGiven('label');
  const label =
    columns.pick('label', { where: (p) => p.turns === 0 }) ??
    // Names that are labels only if they hold classes or numbers.
    (given ? undefined : columns.pick('label', { names: SCORES, where: (p) => p.numeric || isClassLike(p) }));
  const labelName = label?.name ?? '';
  if (!label && !given) return spreadLabels(columns) ?? (asked ? classColumns(columns) : null);
  if (!columns.isGiven('text') && !columns.isGiven('text_pair')) {
    const free = columns.free.filter((p) => isText(p) && p.name !== labelName);
    for (const [first, second] of PAIRS) {
      const a = free.find((p) => p.key === first);
      const b = free.find((p) => p.key === second);
      if (a && b) return { text: a.name, text_pair: b.name, ...(label && { label: labelName }) };
    }
  }
  const text = columns.pick('text', { where: holdsText, taken: [labelName] });
  if (!text || (label && label.turns > 0)) return asked ? classColumns(columns) : null;
  return { text: text.name, ...(label && { label: labelName }) };
}

/** A text beside a column of 0 and 1 for each label. */
function spreadLabels(columns: ColumnSet): Mapping | null {
  const text = columns.pick('text', { where: isText });
  const rows = Math.max(...columns.all.map((p) => p.filled));
  const labels = text ? oneHotColumns(columns, rows, [text.name]) : {};
  return text && Object.keys(labels).length > 0 ? { text: text.name, ...labels } : null;
}

const WORD_LISTS = ['tokens', 'words', 'tokenlist', 'wordlist'];

function tagged(columns: ColumnSet, asked: boolean): Mapping | null {
  const where = (p: ColumnProfile) => p.lists > 0.5;
  const tokens = columns.pick('tokens', { where }) ?? columns.pick('tokens', { names: WORD_LISTS, where: isText });
  // Words with blanks between them go with tags written in the same way.
  const tags = columns.pick('tags', {
    where: tokens && tokens.lists <= 0.5 ? (p) => isText(p) && /tag|ner|pos$/.test(p.key) : where,
    taken: [tokens?.name],
  });
  if (!tokens || !tags) return null;
  // A text with a single label, whose words are listed as well.
  const label = columns.pick('label', { where: (p) => p.lists === 0 });
  if (!asked && !columns.isGiven('tokens') && label && columns.free.some((p) => /^(text|sentence)$/.test(p.key)))
    return null;
  return { tokens: tokens.name, tags: tags.name };
}

function text(columns: ColumnSet, asked: boolean): Mapping | null {
  if ('text' in columns.given) return columns.column(columns.given.text) ? { text: columns.given.text! } : null;
  const named = columns.pick('text', { where: (p) => p.textual });
  // Objects written out as text are no text.
  const texts = columns.all.filter((p) => p.filled > 0 && p.textual && p.turns === 0 && p.objects < 0.9 && !isId(p));
  if (!asked && named && named.objects >= 0.9) return null;
  // A single column counts as text only if nothing else in the rows could matter: an "instruction" next to a list
  // of instances is only half of an example.
  const alone = texts.length === 1 && !columns.nested && !columns.all.some((p) => p.nested || p.turns > 0);
  if (named && (asked || named.key === 'text' || alone)) return { text: named.name };
  return alone || (asked && texts.length > 0) ? { text: longest(texts).name } : null;
}

/** For columns with unknown names: a few short values next to a text are classes; two texts are prompt and answer. */
export function guessShape(name: string, columns: ColumnSet): { format: Format; mapping: Mapping } | null {
  // Lists or objects next to the texts may be what matters, so nothing is guessed.
  if (columns.all.some((p) => p.nested || p.objects >= 0.9)) return null;
  const classes = columns.isGiven('label') || columns.isGiven('unwanted') ? null : classColumns(columns);
  if (classes) return { format: 'labelled', mapping: classes };
  const pair = fuzzyPair(name, columns) ?? twoTexts(columns);
  return pair ? { format: 'prompt_completion', mapping: pair } : null;
}

function classColumns(columns: ColumnSet): Mapping | null {
  const texts = columns.free.filter((p) => p.textual && p.meanLength > 15 && !isId(p));
  const label = columns.free.find(
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
function fuzzyPair(name: string, columns: ColumnSet): Mapping | null {
  const texts = columns.free.filter((p) => p.textual && p.turns === 0);
  const [completion, ...others] = texts.filter((p) =>
    /answer|repl(y|ies)|response|output|completion|solution|summary|antwort|réponse|respuesta|risposta|resposta|ответ|回答|答/.test(
      p.name.toLowerCase(),
    ),
  );
  const prompt = texts.find(
    (p) =>
      p !== completion &&
      /question|prompt|input|request|query|customer|message|instruction|email|frage|pregunta|domanda|pergunta|вопрос|问|質問/.test(
        p.name.toLowerCase(),
      ),
  );
  if (!prompt || !completion) return null;
  const answers = [completion, ...others].filter((p) => p !== prompt);
  if (answers.length > 1) throw whichAnswer(name, prompt.name, answers);
  return { prompt: prompt.name, completion: completion.name };
}

/** Of several answers, one may be the worse. */
function whichAnswer(name: string, prompt: string, answers: readonly ColumnProfile[]): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: `Each row has several answers, ${nameList(answers.map((p) => p.name))}, and no name says which is to be learned.`,
    where: name,
    action:
      answers.length === 2 ? 'Choose the answer to learn, or say which is better.' : 'Choose the answer to learn.',
    choices: [
      ...answers.map((p) => ({
        label: `Learn “${p.name}”`,
        set: { 'dataset.columns': { prompt, completion: p.name } },
      })),
      ...(answers.length === 2 ? comparisons({ prompt }, answers[0]!.name, answers[1]!.name) : []),
    ],
  });
}

function twoTexts(columns: ColumnSet): Mapping | null {
  const texts = columns.free.filter((p) => p.textual && p.turns === 0 && !isId(p));
  // The worse of two answers is no text to guess with, but it says that the other columns are no simple pair.
  const all = columns.all.filter((p) => p.filled > 0 && p.textual && p.turns === 0 && !isId(p));
  return texts.length === 2 && all.length === 2 ? { prompt: texts[0]!.name, completion: texts[1]!.name } : null;
}
