/** A row -> a pair of answers, a judged answer, or a prompt alone. */
import { answerOf } from './answer';
import { choicesOf, writeChoices } from './choices';
import { betterOf } from './compare-answers';
import type { Shape } from './detect';
import { behindPrompt, commonText, commonTurns, isOfBoth, startsAsked, withoutPrompt } from './implicit-prompt';
import { excerpt } from './problems';
import { bestAndWorst } from './ranked';
import { field, isRecord, numberIn } from './raw-table';
import { brokenConversation, historyOf, inputOf, systemOf } from './row-parts';
import { empty, type Outcome, textOf } from './row-text';
import { type Note, toMessages } from './to-messages';
import { asTurns } from './turns';
import type { ChatMessage, Example, Turns } from './types';
import { verdictOf } from './verdicts';

type Row = Record<string, unknown>;
type Read<T> = { value: T } | { failure: Note };

const failed = (failure: Note, notes: Note[] = []): Outcome => ({ example: null, failure, notes });

/** A list of messages, a single one, or a conversation written as text; null if the value is something else. */
function messagesIn(value: unknown, transcripts: boolean, notes: Note[]): Read<ChatMessage[]> | null {
  const single = isRecord(value) && asTurns(value) === null && ('role' in value || 'from' in value);
  if (!single && asTurns(value) === null && !(transcripts && typeof value === 'string')) return null;
  const read = toMessages(single ? [value] : value, transcripts);
  notes.push(...read.notes);
  return read.failure ? { failure: read.failure } : { value: read.messages };
}

/** What stands before the answers: text, messages, or nothing if no column holds it. */
function promptIn(value: Row, { mapping, reading }: Shape, notes: Note[]): Read<Turns | null> {
  const column = mapping.messages ?? mapping.prompt;
  if (column === undefined) return { value: null };
  const found = field(value, column);
  const said = messagesIn(found, mapping.messages !== undefined && reading.transcripts, notes);
  const earlier = historyOf(value, mapping.history, notes);
  if (earlier.failure) return { failure: earlier.failure };
  const system = systemOf(value, mapping.system);
  const before: ChatMessage[] = [...(system === '' ? [] : [{ role: 'system' as const, content: system }])];
  if (said) {
    if ('failure' in said) return said;
    const own = said.value[0]?.role === 'system' ? said.value : [...before, ...said.value];
    return { value: [...earlier.messages, ...own] };
  }
  const broken = brokenConversation(value, [column]);
  if (broken) return { failure: broken };
  const text = textOf(value, column, false, notes);
  const input = inputOf(value, mapping.input, notes);
  const failure = text.failure ?? input.failure;
  if (failure) return { failure };
  const choices = choicesOf(value, mapping);
  const question = [text.text, input.text, choices ? writeChoices(choices) : '']
    .filter((part) => part.trim() !== '')
    .join('\n\n');
  if (question === '') return { failure: { code: 'empty_prompt', message: `has nothing in “${excerpt(column, 40)}”` } };
  before.push(...earlier.messages);
  return { value: before.length === 0 ? question : [...before, { role: 'user', content: question }] };
}

interface Answers {
  /** Each under its column, or as an item of the list in one. */
  chosen: { value: Row; column: string };
  rejected: { value: Row; column: string };
}

/** Which of a row's answers is the better one, and which the worse. */
function answersIn(value: Row, { mapping }: Shape): Read<Answers> {
  const under = (column: string, row = value) => ({ value: row, column });
  if (mapping['answers.a'] !== undefined) {
    const better = betterOf(value, mapping);
    if (better === null) return { failure: TIE };
    const worse = mapping['answers.a'] === better ? mapping['answers.b']! : mapping['answers.a'];
    return { value: { chosen: under(better), rejected: under(worse) } };
  }
  if (mapping.answers === undefined) {
    return { value: { chosen: under(mapping.chosen!), rejected: under(mapping.rejected!) } };
  }
  const { answers: column } = mapping;
  const list = field(value, column);
  const scores = mapping.score === undefined ? undefined : field(value, mapping.score);
  const given = Array.isArray(scores) ? scores : undefined;
  const places = Array.isArray(list)
    ? bestAndWorst(list, mapping.score === undefined ? undefined : (given ?? []))
    : null;
  if (places === 'tie') return { failure: TIE };
  if (places === null || !Array.isArray(list)) {
    const what = Array.isArray(list) && list.length < 2 ? 'has no two answers' : 'does not judge each of its answers';
    return { failure: { code: 'not_compared', message: `${what} in “${excerpt(column, 40)}”` } };
  }
  const [best, worst] = places;
  return {
    value: {
      chosen: under(column, { ...value, [column]: list[best] }),
      rejected: under(column, { ...value, [column]: list[worst] }),
    },
  };
}

const TIE: Note = { code: 'tie', message: 'does not say which of its answers is better' };

/** An answer as it is written: text, or messages. */
function answerIn({ value, column }: Answers['chosen'], shape: Shape, notes: Note[]): Read<Turns> {
  const found = field(value, column);
  const said = messagesIn(found, shape.reading.transcripts, notes);
  if (said && !('failure' in said)) return said;
  if (said && (typeof found !== 'string' || !shape.reading.transcripts)) return said;
  const broken = brokenConversation(value, [column]);
  if (broken) return { failure: broken };
  const { text, failure } = answerOf(value, column, null, 'none', notes);
  return failure ? { failure } : { value: text };
}

const asMessages = (turns: Turns, role: 'user' | 'assistant'): ChatMessage[] =>
  typeof turns === 'string' ? [{ role, content: turns }] : turns;

export function pairRow(row: number, value: Row, shape: Shape): Outcome {
  const notes: Note[] = [];
  const { mapping } = shape;
  const answers = answersIn(value, shape);
  if ('failure' in answers) return failed(answers.failure);
  const prompt = promptIn(value, shape, notes);
  if ('failure' in prompt) return failed(prompt.failure, notes);
  const chosen = answerIn(answers.value.chosen, shape, notes);
  if ('failure' in chosen) return failed(chosen.failure, notes);
  const rejected = answerIn(answers.value.rejected, shape, notes);
  if ('failure' in rejected) return failed(rejected.failure, notes);
  for (const [which, turns] of [
    ['chosen', chosen.value],
    ['rejected', rejected.value],
  ] as const) {
    if (isEmpty(turns)) return empty('empty_answer', answers.value[which].column, notes);
  }
  if (isOfBoth(chosen.value, rejected.value)) {
    return failed({ code: 'equal_answers', message: 'has two answers that are the same' }, notes);
  }
  const parted = partsOf(prompt.value, chosen.value, rejected.value, systemOf(value, mapping.system), notes);
  if ('failure' in parted) return failed(parted.failure, notes);
  const pair = parted.value;
  for (const which of ['chosen', 'rejected'] as const) {
    const { column } = answers.value[which];
    if (isEmpty(pair[which]) || isOfBoth(asMessages(pair[which], 'user'), asMessages(pair.prompt, 'user'))) {
      return failed(
        { code: 'answer_is_prompt', message: `has the prompt as its answer in “${excerpt(column, 40)}”` },
        notes,
      );
    }
    const turns = pair[which];
    if (typeof turns === 'string') continue;
    if (!turns.some(({ role }) => role === 'assistant')) {
      return failed({ code: 'no_assistant', message: `has no assistant message in “${excerpt(column, 40)}”` }, notes);
    }
    if (turns.some(({ role }) => role === 'user')) {
      notes.push({ code: 'asks_in_answer', message: `has user messages in its answer in “${excerpt(column, 40)}”` });
    }
  }
  const margin = numberIn(value, mapping.margin);
  if (mapping.margin !== undefined && !Number.isFinite(margin)) {
    notes.push({ code: 'no_margin', message: `has no number in “${excerpt(mapping.margin, 40)}”` });
  }
  const example: Example = { kind: 'pair', row, ...pair, ...(Number.isFinite(margin) && { margin }) };
  return { example, notes };
}

const isEmpty = (turns: Turns) =>
  typeof turns === 'string'
    ? turns.trim() === ''
    : turns.every(({ content, thoughts = '' }) => content.trim() === '' && thoughts.trim() === '');

type Pair = Record<'prompt' | 'chosen' | 'rejected', Turns>;

const NO_PROMPT: Note = { code: 'no_common_prompt', message: 'has two answers that begin differently, and no prompt' };

/** Prompt and answers apart, in the same form, with the prompt taken off answers that repeat it. */
function partsOf(prompt: Turns | null, chosen: Turns, rejected: Turns, system: string, notes: Note[]): Read<Pair> {
  if (typeof chosen === 'string' && typeof rejected === 'string' && (prompt === null || typeof prompt === 'string')) {
    if (prompt !== null) return { value: { prompt, ...withoutPrompt(prompt, chosen, rejected) } };
    const common = commonText(chosen, rejected);
    if (!common) return { failure: NO_PROMPT };
    if (system === '') return { value: common };
    const messages: ChatMessage[] = [
      { role: 'system', content: system },
      { role: 'user', content: common.prompt },
    ];
    return {
      value: {
        prompt: messages,
        chosen: asMessages(common.chosen.trimStart(), 'assistant'),
        rejected: asMessages(common.rejected.trimStart(), 'assistant'),
      },
    };
  }
  const [good, bad] = [asMessages(chosen, 'assistant'), asMessages(rejected, 'assistant')];
  const own = good[0]?.role === 'system' ? good[0].content : system;
  const before = prompt === null ? null : asMessages(prompt, 'user');
  if (before) {
    const [better, worse] = [behindPrompt(good, before), behindPrompt(bad, before)];
    if (!startsAsked(better) && !startsAsked(worse)) {
      return { value: { prompt: withSystem(before, own), chosen: better, rejected: worse } };
    }
  }
  const common = commonTurns(good, bad);
  if (!common) return { failure: NO_PROMPT };
  // As in TRL, a text beside whole conversations is not read; messages stand before them.
  const asked = typeof prompt === 'string' || !before ? common.prompt : [...before, ...common.prompt];
  if (typeof prompt === 'string' && !common.prompt.some(({ content }) => content.includes(prompt.trim()))) {
    notes.push({ code: 'prompt_unread', message: 'has a prompt that is not in its conversations' });
  }
  return { value: { ...common, prompt: withSystem(asked, own) } };
}

const withSystem = (messages: ChatMessage[], system: string): ChatMessage[] =>
  system === '' || messages.some(({ role }) => role === 'system')
    ? messages
    : [{ role: 'system', content: system }, ...messages];

/** `read` is the row as a prompt and its answer, whatever the answer is worth. */
export function judgedRow(value: Row, { mapping }: Shape, read: () => Outcome): Outcome {
  const column = (mapping.label ?? mapping.unwanted)!;
  const verdict = verdictOf(field(value, column));
  if (verdict !== 'better' && verdict !== 'worse') {
    const shown = excerpt(String(field(value, column) ?? ''), 20);
    const found = shown === '' ? 'has nothing' : `has “${shown}”, which is neither good nor bad,`;
    return failed({ code: 'no_verdict', message: `${found} in “${excerpt(column, 40)}”` });
  }
  const good = (verdict === 'better') === (mapping.label !== undefined);
  const outcome = read();
  const { example } = outcome;
  if (example?.kind === 'prompt_completion') {
    const { row, prompt, completion } = example;
    if (completion.trim() === prompt.trim()) return failed(sameAsPrompt, outcome.notes);
    return { ...outcome, example: { kind: 'judged', row, prompt, completion, good } };
  }
  if (example?.kind !== 'messages') return outcome;
  const { row, messages } = example;
  const last = messages.findLastIndex(({ role }) => role === 'assistant');
  // The answer is what the assistant says last, in one message or several.
  const asked = messages.slice(0, last).findLastIndex(({ role }) => role !== 'assistant');
  if (asked === -1) return failed({ code: 'no_prompt', message: 'has an answer and nothing before it' }, outcome.notes);
  const prompt = messages.slice(0, asked + 1);
  const completion = messages.slice(asked + 1, last + 1);
  if (isOfBoth(asMessages(completion[0]!.content, 'user'), asMessages(prompt.at(-1)!.content, 'user'))) {
    return failed(sameAsPrompt, outcome.notes);
  }
  return { ...outcome, example: { kind: 'judged', row, prompt, completion, good } };
}

const sameAsPrompt: Note = { code: 'answer_is_prompt', message: 'has the prompt as its answer' };

export function promptRow(row: number, value: Row, shape: Shape): Outcome {
  const notes: Note[] = [];
  const read = promptIn(value, shape, notes);
  if ('failure' in read) return failed(read.failure, notes);
  const { mapping } = shape;
  const columns: Record<string, unknown> = {};
  for (const [key, column] of Object.entries(mapping)) {
    if (!key.startsWith('columns.')) continue;
    const found = field(value, column);
    if (found === undefined) continue;
    const name = key.slice('columns.'.length);
    Object.defineProperty(columns, name, { value: found, enumerable: true, configurable: true, writable: true });
  }
  let prompt = read.value ?? '';
  if (typeof prompt !== 'string') {
    // The last answer of a whole conversation is what is expected.
    const last = prompt.findLastIndex(({ role }) => role === 'assistant');
    const asked = prompt.findLastIndex(({ role }) => role === 'user');
    if (asked === -1) return failed({ code: 'no_prompt', message: 'has no user message to answer' }, notes);
    if (last > asked) {
      if (!('answer' in columns)) columns.answer = prompt[last]!.content;
      prompt = prompt.slice(0, asked + 1);
    }
  }
  if (isEmpty(prompt)) return empty('empty_prompt', (mapping.prompt ?? mapping.messages)!, notes);
  return { example: { kind: 'prompt', row, prompt, columns }, notes };
}
