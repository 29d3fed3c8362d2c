/**
 * Turns rows into examples. Every row becomes an example, or a problem that says why not. A row that was changed (a
 * number read as text, a lone surrogate replaced) gets a warning.
 */

import { TabtuneError } from '../base/errors';
import { convertRow } from './convert-row';
import type { Shape } from './detect';
import { exampleKey } from './example-kinds';
import { labelProblems, mergeLabels, settleLabels } from './labelled';
import { withPreferenceTexts } from './preference-parts';
import { preferenceProblems } from './preference-problems';
import { excerpt, nameList, ProblemList } from './problems';
import { isRecord, type RawTable } from './raw-table';
import { tellReading } from './reading-progress';
import { tagProblems } from './tagged';
import { kind } from './to-messages';
import type { DataProblem, Example } from './types';
import { unusedProblem, WORSE_ANSWERS } from './usage';

export interface Examples {
  examples: Example[];
  problems: DataProblem[];
}

/** Throws bad_data with the first row's reason if no row gives an example. */
export function toExamples(name: string, table: RawTable, shape: Shape, mergesLabels = false): Examples {
  const problems = new ProblemList();
  problems.addAll(aboutTheFile(shape));
  const examples: Example[] = [];
  const seen = new Map<string, number>();
  const unread = new Set<string>();
  const entities = { rows: 0, row: 0, found: '' };
  let firstFailure: string | null = null;
  const failures = new Set<string>();
  for (const [i, { row, value }] of table.rows.entries()) {
    tellReading('examples', i, table.rows.length);
    const outcome = isRecord(value)
      ? convertRow(row, value, shape)
      : { example: null, failure: { code: 'not_an_object', message: `is ${kind(value)}, not an object` }, notes: [] };
    for (const note of outcome.notes) {
      problems.add({
        severity: 'warning',
        code: note.code,
        row,
        message: `Row ${row} ${note.message}.`,
        action: WHAT_WAS_DONE[note.code] ?? 'It was kept as it is.',
        dropped: false,
      });
    }
    for (const name of outcome.unread ?? []) unread.add(name);
    if (!outcome.example) {
      const { code, message } = outcome.failure!;
      const sentence = `Row ${row} ${message}.`;
      failures.add(code);
      firstFailure ??= sentence;
      problems.add({
        severity: LEFT_OUT_ON_PURPOSE.has(code) ? 'warning' : 'error',
        code,
        row,
        message: sentence,
        action: WHAT_TO_DO[code] ?? 'It was left out.',
        dropped: true,
      });
      continue;
    }
    const example = cleaned(outcome.example, row, problems);
    const key = exampleKey(example);
    const entity = key.includes('&') ? ENTITY.exec(key) : null;
    if (entity && entities.rows++ === 0) Object.assign(entities, { row, found: entity[0] });
    const first = seen.get(key);
    if (first === undefined) seen.set(key, row);
    else {
      problems.add({
        severity: 'warning',
        code: 'duplicate',
        row,
        message: `Row ${row} is the same as row ${first}.`,
        action: 'It was kept and counts twice. Copies always stay on the same side of the validation split.',
        dropped: false,
      });
    }
    examples.push(example);
  }
  if (unread.size > 0) {
    problems.add({
      severity: 'warning',
      code: 'unread_fields',
      message: `The messages also have ${nameList([...unread])}.`,
      action: 'These fields are not used: the model does not see them.',
      dropped: false,
    });
  }
  if (examples.length === 0) {
    throw new TabtuneError({
      code: 'bad_data',
      message: `No row of this file can be used. ${firstFailure ?? ''}`.trim(),
      where: name,
      action: 'Check that the right columns are mapped, or choose another file.',
      details: `${shape.detected} ${table.rows.length} rows were read.`,
      // Conversations that all wait for an answer are prompts.
      ...(failures.size === 1 &&
        failures.has('no_assistant') &&
        shape.format !== 'preference' && {
          choices: [{ label: 'Read them as prompts to answer', set: { 'dataset.format': 'prompt_only' } }],
        }),
    });
  }
  if (entities.rows > examples.length * 0.02) {
    problems.add({
      severity: 'warning',
      code: 'html_entities',
      row: entities.row,
      message: `${entities.rows} of ${examples.length} rows have HTML entities, such as ${entities.found} in row ${entities.row}.`,
      action: 'They are learned as they are. If the texts should read “&” or “<” instead, replace them in the file.',
      dropped: false,
    });
  }
  if (shape.format === 'labelled') {
    const settled = settleLabels(mergesLabels ? mergeLabels(examples) : examples);
    problems.addAll(settled.problems);
    problems.addAll(labelProblems(settled.examples));
    return { examples: settled.examples, problems: problems.list() };
  }
  if (shape.format === 'tagged') problems.addAll(tagProblems(examples));
  problems.addAll(preferenceProblems(examples));
  return { examples, problems: problems.list() };
}

/** Rows that the file itself says are not to be learned. */
const LEFT_OUT_ON_PURPOSE = new Set(['unwanted_answer', 'tie', 'test_row']);

const WHAT_TO_DO: Record<string, string> = {
  not_an_object: 'It was left out. Write each row as an object, such as {"prompt": "…", "completion": "…"}.',
  missing_field: 'It was left out. Fill it in, or map another column.',
  not_text: 'It was left out. Write it as a string in quotes.',
  missing_role: 'It was left out. Each message needs a "role" (or "from").',
  unwanted_answer: 'It was left out, because training on it would teach an unwanted answer.',
  tie: 'It was left out, because neither answer is the better one.',
  test_row: 'It was left out, so that a later test is fair.',
  has_images: 'It was left out. Tabtune trains on text alone.',
  no_choice: 'It was left out. Check how the answers count the choices.',
  no_assistant: 'It was left out, because there is no answer to learn.',
  empty_answer: 'It was left out, because it would teach the model to say nothing.',
  empty_label: 'It was left out. Fill it in.',
  unequal_lengths: 'It was left out. Give every word exactly one tag.',
  broken_list: 'It was left out. Write it as a JSON list.',
  missing_tag: 'It was left out. Give every word a tag; use “O” for words outside names.',
  not_a_list: 'It was left out. Write the words and tags of a row as lists.',
  equal_answers: 'It was left out, because there is nothing to prefer.',
  answer_is_prompt: 'It was left out. Write what the model should answer.',
  no_common_prompt:
    'It was left out. Map the column that holds the prompt, or write both answers with the same prompt in front.',
  no_prompt: 'It was left out. Write what is answered in front of it.',
  no_verdict: 'It was left out. Mark each answer with true or false.',
  not_compared: 'It was left out. Give each answer of a row a score.',
};

const WHAT_WAS_DONE: Record<string, string> = {
  not_text: 'It was read as text.',
  role_order: 'It was kept. Some models’ chat templates reject such conversations.',
  tool_calls_as_text: 'The calls are learned as JSON text.',
  object_as_text: 'It is learned as JSON text.',
  partial_weight: 'It is learned in full: only weights of 0 and 1 are read.',
  skipped_turn: 'They were left out of the conversation.',
  more_answers: 'The first one is used.',
  more_items: 'The first one is used.',
  repeated_label: 'It counts once.',
  empty_word: 'The word and its tag were left out.',
  orphan_inside: 'It was kept and counts as the start of a name.',
  asks_in_answer: 'They are compared as part of the answer.',
  prompt_unread: 'What both conversations begin with is used.',
  no_margin: 'It counts as 0.',
};

/** Problems of the file as a whole, which are not worth repeating for every row. */
function aboutTheFile(shape: Shape): DataProblem[] {
  const problems: DataProblem[] = [];
  const warn = (code: string, message: string, action: string) =>
    problems.push({ severity: 'warning', code, message, action, dropped: false });
  const worse = shape.uses.filter((use) => use.part === null && use.note === WORSE_ANSWERS && use.filled > 0);
  if (worse.length > 0 && shape.format !== 'text' && shape.format !== 'preference') {
    warn(
      'worse_answers',
      `The worse answers in ${nameList(worse.map(({ column }) => column))} are not used.`,
      'The others are examples to imitate. Choose the format “Preference pairs” to learn from both.',
    );
  }
  const tools = shape.uses.find(({ column, part }) => part === null && /^(tools|functions)$/.test(lastName(column)));
  const chat = shape.format === 'messages' || shape.format === 'sharegpt';
  if (tools && tools.filled > 0 && chat) {
    warn(
      'tools_not_used',
      `The tool descriptions in the column “${tools.column}” are not shown to the model.`,
      'Tool calls and results in the conversations are kept as text. If the model needs the descriptions, put them in a system message.',
    );
  }
  const { labels } = shape.reading;
  if (labels.kind === 'separated') {
    warn(
      'separated_labels',
      `The labels in “${excerpt(shape.mapping.label!, 40)}” are read as several, separated by “${labels.shown}”.`,
      'Each label is learned separately. If a cell is one label, replace the separator.',
    );
  }
  if (labels.kind === 'vector') {
    warn(
      'label_vector',
      `The labels in “${excerpt(shape.mapping.label!, 40)}” are lists of ${labels.width} zeros and ones, read as one label per place: 0 to ${labels.width - 1}.`,
      'To give the labels names, write the names of those that apply instead.',
    );
  }
  if (shape.mapping.text_pair !== undefined) {
    warn(
      'text_pair',
      `Each example is two texts: “${excerpt(shape.mapping.text!, 40)}” and “${excerpt(shape.mapping.text_pair, 40)}”.`,
      'They are joined by a line break. Write new texts in the same way when you use the model.',
    );
  }
  // Said above, or worth no mention for their own sake.
  const said = new Set([...worse, ...(tools && chat ? [tools] : [])].map(({ column }) => column));
  const unused = unusedProblem(shape.uses.filter(({ column }) => !said.has(column)));
  if (unused) problems.push(unused);
  return problems;
}

const lastName = (column: string) => (column.split('.').at(-1) ?? column).toLowerCase();

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** Removes NUL and replaces lone surrogates (from cut "\ud83d" escapes), which no tokeniser can encode. */
function cleaned(example: Example, row: number, problems: ProblemList): Example {
  let surrogates = 0;
  let nuls = 0;
  const clean = (text: string) => {
    if (text.includes('\0')) {
      nuls++;
      text = text.replaceAll('\0', '');
    }
    return text.replace(LONE_SURROGATE, () => {
      surrogates++;
      return '\uFFFD';
    });
  };
  const out = withTexts(example, clean);
  if (surrogates > 0) {
    problems.add({
      severity: 'warning',
      code: 'lone_surrogate',
      row,
      message: `Row ${row} has half of an emoji or rare character (a lone surrogate).`,
      action: 'It was replaced by “\uFFFD”. The text was probably cut in the middle of a character.',
      dropped: false,
    });
  }
  if (nuls > 0) {
    problems.add({
      severity: 'warning',
      code: 'nul_bytes',
      row,
      message: `Row ${row} has NUL characters.`,
      action: 'They were removed.',
      dropped: false,
    });
  }
  return out;
}

const ENTITY = /&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,6}|#x[\da-f]{1,5});/i;

/** Applies `change` to every text in an example. */
function withTexts(example: Example, change: (text: string) => string): Example {
  switch (example.kind) {
    case 'messages':
      return {
        ...example,
        messages: example.messages.map((m) => ({
          ...m,
          content: change(m.content),
          ...(m.thoughts !== undefined && { thoughts: change(m.thoughts) }),
        })),
      };
    case 'prompt_completion':
      return { ...example, prompt: change(example.prompt), completion: change(example.completion) };
    case 'text':
      return { ...example, text: change(example.text) };
    case 'labelled': {
      const { text, labels } = example;
      return { ...example, text: change(text), labels: typeof labels === 'number' ? labels : labels.map(change) };
    }
    case 'tagged':
      return { ...example, tokens: example.tokens.map(change), tags: example.tags.map(change) };
    case 'pair':
    case 'judged':
    case 'prompt':
      return withPreferenceTexts(example, change);
  }
  example satisfies never;
}
