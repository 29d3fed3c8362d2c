/**
 * Which columns hold answers to compare, answers that are judged, and prompts alone: TRL's preference, unpaired preference and
 * prompt-only formats, and how public datasets write them.
 */
import { type ColumnSet, isClassLike, isText, type Mapping } from './column-set';
import { type ColumnProfile, isId, isWorse } from './columns';
import { findTwoAnswers } from './compare-answers';
import { parts, plainName } from './parts';
import { verdictOf } from './verdicts';

interface Found {
  mapping: Mapping;
  guess?: boolean;
}

/** Answers in one list are paired by what judges each of them. */
const LISTS = [...parts.completion.names, 'candidates', 'generations', 'samples'];

/** Two answers to a prompt, by name, by a column that says which is better, or as a list with a judgement of each. */
export function preference(name: string, columns: ColumnSet): Found | null {
  return named(columns) ?? compared(name, columns) ?? listed(columns);
}

/** Chosen and rejected, under any names. Objects are answers where they hold one: {"from": "gpt", "value": "…"}. */
const isAnswer = (p: ColumnProfile) =>
  !p.numeric && !p.boolean && (p.textual || p.turns > 0.5 || p.nested || p.lists > 0.5) && !isMark(p);

/** “yes” and “no” under “rejected” judge an answer that stands elsewhere. */
const isMark = (p: ColumnProfile) =>
  p.values !== null &&
  p.values.size <= 3 &&
  p.meanLength < 12 &&
  [...p.values.keys()].every((value) => verdictOf(value) !== 'neutral');

function named(columns: ColumnSet): Found | null {
  const taken = Object.values(columns.given);
  const worse = columns.all.filter((p) => p.filled > 0 && isWorse(p) && isAnswer(p) && !taken.includes(p.name));
  const rejected =
    'rejected' in columns.given
      ? columns.column(columns.given.rejected)
      : (parts.rejected.names.flatMap((key) => worse.filter((p) => p.key === key))[0] ?? worse[0]);
  if (!rejected) return null;
  const chosen =
    columns.pick('chosen', {
      names: [...parts.chosen.names.slice(0, 8), ...parts.completion.names, ...parts.chosen.names],
      where: isAnswer,
      taken: [rejected.name],
    }) ?? ('chosen' in columns.given ? undefined : siblingOf(rejected, columns));
  if (!chosen) return null;
  const found = withPrompt({ chosen: chosen.name, rejected: rejected.name }, [chosen, rejected], columns);
  if (Object.keys(found.mapping).length > 2 || columns.nested) return found;
  // Answers alone: what they answer may be inside another column.
  const inside = columns.all.some((p) => p !== chosen && p !== rejected && (p.nested || p.objects >= 0.9));
  return inside || (chosen.turns > 0.5 && chosen.answers > 0.5) ? null : found;
}

/** answer_good beside answer_bad: a name of the same words, but for the one that ranks it. */
function siblingOf(rejected: ColumnProfile, columns: ColumnSet): ColumnProfile | undefined {
  const rest = (p: ColumnProfile) => p.words.filter((word) => !RANKS.test(word)).join(' ');
  return columns.free.find(
    (p) => isAnswer(p) && p.words.some((word) => RANKS.test(word)) && rest(p) === rest(rejected),
  );
}

const RANKS =
  /^(chosen|un|non|not|dis|preferred|better|best|good|win|winner|winning|accepted|positive|selected|right|correct|desired|helpful|liked|rejected?|bad|worse|worst|lose|loser|losing|lost|dispreferred|unpreferred|nonpreferred|negative|wrong|incorrect|undesired|disliked|poor)$/;

/** Adds the column of the prompt; without one, it is what both answers begin with. */
function withPrompt(answers: Mapping, [chosen, rejected]: readonly ColumnProfile[], columns: ColumnSet): Found {
  const taken = [chosen!.name, rejected!.name];
  const chat =
    'messages' in columns.given
      ? columns.column(columns.given.messages)
      : columns.free.find(
          (p) =>
            !taken.includes(p.name) &&
            p.turns > 0.5 &&
            p.open > 0.5 &&
            [...parts.messages.names, ...parts.prompt.names].includes(p.key) &&
            !HISTORY.has(p.key),
        );
  if (chat && !('prompt' in columns.given)) return { mapping: { messages: chat.name, ...answers } };
  const prompt = promptOf(columns, taken);
  if (prompt) {
    const input = columns.pick('input', { where: isContext, taken: [...taken, prompt.name] });
    return { mapping: { prompt: prompt.name, ...(input && { input: input.name }), ...answers } };
  }
  const whole = [chosen!, rejected!].some((p) => p.transcripts >= 0.9 || (p.turns > 0.5 && p.answers <= 0.5));
  if (whole || 'prompt' in columns.given) return { mapping: answers };
  // One more text, under a name that says nothing, is what the answers are to.
  const [other, ...more] = columns.free.filter(
    (p) => !taken.includes(p.name) && isText(p) && !isId(p) && p.values === null,
  );
  return other && more.length === 0
    ? { mapping: { prompt: other.name, ...answers }, guess: true }
    : { mapping: answers };
}

const HISTORY: ReadonlySet<string> = new Set(parts.history.names);

const isContext = (p: ColumnProfile) => p.turns === 0 && (p.textual || p.lists > 0.5);

/** A column called "input" is the question itself if there is no other. */
export const PROMPTS = [
  'prompt',
  'prompts',
  'instruction',
  'instructions',
  ...parts.prompt.names.filter((name) => !parts.input.names.includes(name)),
  'input',
  'inputs',
];

const promptOf = (columns: ColumnSet, taken: readonly string[]) =>
  columns.pick('prompt', { names: PROMPTS, where: isText, taken }) ??
  ('prompt' in columns.given ? undefined : columns.pick('text', { names: TEXTS, where: isText, taken }));

const TEXTS = ['text', 'context', 'document', 'article', 'post', 'body', 'dialogue'];

/** response_a, response_b, and a column that says which is better or scores of both. */
function compared(name: string, columns: ColumnSet): Found | null {
  const two = findTwoAnswers(name, columns);
  const a = columns.column(two?.['answers.a']);
  if (!two || !a) return null;
  if (a.turns > 0.5 && a.answers <= 0.5) return { mapping: two };
  const prompt = columns.pick('prompt', { where: (p) => p.textual && p.turns === 0 });
  return prompt ? { mapping: { prompt: prompt.name, ...two } } : null;
}

/** A list of answers, with a judgement in each, or with a list of as many scores beside it. */
function listed(columns: ColumnSet): Found | null {
  if (columns.isGiven('completion') || columns.isGiven('output')) return null;
  const names = LISTS.map(plainName);
  const ranked = columns.pick('answers', { names, where: (p) => p.ranked >= 0.9 });
  const plain = ranked ? undefined : columns.pick('answers', { names, where: (p) => p.lists > 0.9 });
  const score = plain && columns.pick('score', { where: (p) => p.lists > 0.9, taken: [plain.name] });
  const answers = ranked ?? (score && plain);
  if (!answers) return null;
  const prompt = promptOf(columns, [answers.name]);
  if (!prompt) return null;
  const input = columns.pick('input', { where: isContext, taken: [answers.name, prompt.name] });
  return {
    mapping: {
      prompt: prompt.name,
      ...(input && { input: input.name }),
      answers: answers.name,
      ...(score && { score: score.name }),
    },
  };
}

/** Names that only a prompt has, which is no text to imitate. */
const ALONE =
  `prompt prompts instruction instructions question questions problem problems query queries task userprompt userquery
  userquestion`.split(/\s+/);
/** What an answer is checked against; no answer to imitate. */
const CHECKS = new Set(
  `groundtruth groundtruths goldtruth tests test testcases testlist testcode unittest unittests rewardmodel verificationinfo verifier
  rubric rubrics constraints checker expected keywords mustcontain mustinclude forbidden extrainfo metadata`.split(
    /\s+/,
  ),
);

/** A prompt without an answer. `asked`: a person wants prompts alone, so that an answer beside them is for rewards. */
export function promptOnly(columns: ColumnSet, asked: boolean): Mapping | null {
  const { prompt: given, messages } = columns.given;
  // Mapped by hand, a prompt alone is half of an example, unless a person wants no more.
  if (given !== undefined || messages !== undefined) {
    return !asked ? null : given ? { prompt: given } : messages ? { messages } : null;
  }
  const chats = columns.free.filter((p) => p.turns > 0.5);
  const open = chats.find((p) => p.open > 0.9 && (asked || PROMPTS.includes(p.key)));
  if (open) return { messages: open.name };
  if (asked) {
    const prompt = promptOf(columns, []);
    const chat = chats.find((p) => p.answers <= 0.5);
    if (prompt) return { prompt: prompt.name };
    if (chat) return { messages: chat.name };
    const [text] = columns.free.filter((p) => isText(p) && !isId(p));
    return text ? { prompt: text.name } : null;
  }
  const prompt = columns.pick('prompt', { names: ALONE, where: isText });
  if (!prompt || chats.length > 0 || columns.blank('completion')) return null;
  // Answers may be in lists or objects.
  const deep = (p: ColumnProfile) => p.nested || p.objects >= 0.9 || p.turns > 0.5;
  if (columns.nested || columns.all.some((p) => isWorse(p) || (deep(p) && !CHECKS.has(p.key)))) return null;
  // Another text of unknown meaning may be its answer.
  const others = columns.free.filter((p) => p !== prompt && isText(p) && !isId(p) && !CHECKS.has(p.key));
  const answers = others.some((p) => !isClassLike(p) || parts.label.names.includes(p.key));
  const label = columns.pick('label', { where: (p) => p.turns === 0, taken: [prompt.name] });
  return answers || label ? null : { prompt: prompt.name };
}

/** Columns beside a prompt, which rewards may look at. */
export function furtherColumns(columns: ColumnSet, used: readonly string[]): Mapping {
  const free = columns.all.filter((p) => p.filled > 0 && !used.includes(p.name));
  return Object.fromEntries(free.map((p) => [`columns.${p.name}`, p.name]));
}

/**
 * A prompt with an answer, or a conversation, whose answers a column judges, as the parts of judged answers. Null if nothing judges
 * them or, unless `asked`, if the column calls none of them bad: then all of them are examples to imitate.
 */
export function unpaired(mapping: Mapping, columns: ColumnSet, asked: boolean): Mapping | null {
  const mark = columns.column(mapping.label ?? mapping.unwanted);
  if (!mark || mapping.role !== undefined || Object.keys(mapping).some((key) => key.startsWith('answers.')))
    return null;
  const bad = mapping.label !== undefined ? 'worse' : 'better';
  if (!asked && ![...(mark.values?.keys() ?? [])].some((value) => verdictOf(value) === bad)) return null;
  const { conversations, instruction, output, ...others } = mapping;
  return {
    ...(conversations !== undefined && { messages: conversations }),
    ...(instruction !== undefined && { prompt: instruction }),
    ...(output !== undefined && { completion: output }),
    ...others,
  };
}
