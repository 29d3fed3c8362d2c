/**
 * Rows -> examples. Every row ends as an example or as a problem that says why not; a row that was changed on the way
 * (a number read as text, a lone surrogate replaced) has a warning.
 */
import { TabtuneError } from '../base/errors';
import type { Shape } from './detect';
import { excerpt, ProblemList } from './problems';
import { field, isRecord, type RawTable } from './raw-table';
import { labelBalance } from './stats';
import { kind, type Note, roleOrderProblem, toMessages } from './to-messages';
import type { ChatMessage, DataProblem, Example } from './types';

export interface Examples {
  examples: Example[];
  problems: DataProblem[];
}

/** What one row became. */
interface Outcome {
  example: Example | null;
  failure?: Note;
  notes: Note[];
}

/** Throws bad_data when no row gives an example, with the first row's reason. */
export function toExamples(name: string, table: RawTable, shape: Shape): Examples {
  const problems = new ProblemList();
  problems.addAll(aboutTheFile(table, shape));
  const examples: Example[] = [];
  const seen = new Map<string, number>();
  let firstFailure: string | null = null;
  for (const { row, value } of table.rows) {
    const outcome = isRecord(value)
      ? convert(row, value, shape)
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
    if (!outcome.example) {
      const { code, message } = outcome.failure!;
      const sentence = `Row ${row} ${message}.`;
      firstFailure ??= sentence;
      problems.add({
        severity: code === 'unwanted_answer' ? 'warning' : 'error',
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
    const first = seen.get(key);
    if (first === undefined) seen.set(key, row);
    else {
      problems.add({
        severity: 'warning',
        code: 'duplicate',
        row,
        message: `Row ${row} is the same as row ${first}.`,
        action: 'It was kept and counts twice. Copies never stand on both sides of the validation split.',
        dropped: false,
      });
    }
    examples.push(example);
  }
  if (examples.length === 0) {
    throw new TabtuneError({
      code: 'bad_data',
      message: `No row of this file can be used. ${firstFailure ?? ''}`.trim(),
      where: name,
      action: 'Check that the right columns are mapped, or choose another file.',
      details: `${shape.detected} ${table.rows.length} rows were read.`,
    });
  }
  if (shape.format === 'labelled') problems.addAll(balanceProblems(examples));
  return { examples, problems: problems.list() };
}

const WHAT_TO_DO: Record<string, string> = {
  not_an_object: 'It was left out. Write each row as an object, such as {"prompt": "…", "completion": "…"}.',
  missing_field: 'It was left out. Fill it in, or map another column.',
  not_text: 'It was left out. Write it as a text in quotes.',
  missing_role: 'It was left out. Each message needs a "role" (or "from").',
  unwanted_answer: 'It was left out: training on it would teach the answer that nobody wanted.',
  no_assistant: 'It was left out: there is no answer to learn.',
  empty_answer: 'It was left out: it would teach the model to say nothing.',
};

const WHAT_WAS_DONE: Record<string, string> = {
  not_text: 'It was read as text.',
  role_order: 'It was kept. Some models’ chat templates refuse such a conversation.',
  tool_calls_as_text: 'The calls are learned as that text.',
};

/** Things that hold for the file as a whole and would be tiring row by row. */
function aboutTheFile(table: RawTable, shape: Shape): DataProblem[] {
  const problems: DataProblem[] = [];
  const used = Object.values(shape.mapping);
  if (table.columns.some((c) => c.toLowerCase() === 'rejected') && shape.format !== 'text') {
    problems.push({
      severity: 'warning',
      code: 'preference_pairs',
      message: 'These are preference pairs. Tabtune does not train on preferences (DPO) yet.',
      action: 'The chosen answers are used as examples to imitate; the rejected ones are left out.',
      dropped: false,
    });
  }
  const tools = table.columns.find((c) => c.toLowerCase() === 'tools' || c.toLowerCase() === 'functions');
  if (tools && (shape.format === 'messages' || shape.format === 'sharegpt')) {
    problems.push({
      severity: 'warning',
      code: 'tools_not_used',
      message: `The tool descriptions in the column “${tools}” are not shown to the model.`,
      action:
        'Calls and results in the conversations are learned as text. Put the descriptions into a system message if the model needs them.',
      dropped: false,
    });
  }
  const unused = table.columns.filter((c) => !used.includes(c));
  if (shape.format === 'labelled' && unused.length > 0 && table.headerless) {
    problems.push({
      severity: 'warning',
      code: 'unused_columns',
      message: `Only ${used.join(' and ')} are used, not ${unused.join(', ')}.`,
      action: 'Map the columns by hand to use another one.',
      dropped: false,
    });
  }
  return problems;
}

function convert(row: number, value: Record<string, unknown>, { format, mapping }: Shape): Outcome {
  // KTO's label: false marks an answer to be avoided.
  if (
    format !== 'labelled' &&
    mapping.label !== undefined &&
    /^(false|0)$/i.test(String(field(value, mapping.label)))
  ) {
    return {
      example: null,
      failure: { code: 'unwanted_answer', message: 'is marked as a bad answer (label: false)' },
      notes: [],
    };
  }
  switch (format) {
    case 'messages':
    case 'sharegpt':
      return conversation(row, value, mapping);
    case 'alpaca':
    case 'prompt_completion': {
      const notes: Note[] = [];
      const read = (part: string, optional = false) => textOf(value, mapping[part], optional, notes);
      const alpaca = format === 'alpaca';
      const prompt = read(alpaca ? 'instruction' : 'prompt');
      const input = alpaca ? read('input', true) : { text: '' };
      const completion = read(alpaca ? 'output' : 'completion');
      const system = read('system', true);
      const failure = prompt.failure ?? input.failure ?? completion.failure ?? system.failure;
      if (failure) return { example: null, failure, notes };
      if (completion.text.trim() === '')
        return empty('empty_answer', alpaca ? mapping.output! : mapping.completion!, notes);
      if (prompt.text.trim() === '' && input.text.trim() === '') {
        return empty('empty_prompt', alpaca ? mapping.instruction! : mapping.prompt!, notes);
      }
      // Alpaca's parts become a conversation, so that they pass through the model's own chat template: that is how an
      // instruct model was trained and how it will be asked. Stanford's "Below is an instruction…" frame was made for
      // models that had no template.
      const question =
        input.text.trim() === ''
          ? prompt.text
          : prompt.text.trim() === ''
            ? input.text
            : `${prompt.text}\n\n${input.text}`;
      if (!alpaca && system.text.trim() === '') {
        return { example: { kind: 'prompt_completion', row, prompt: question, completion: completion.text }, notes };
      }
      const messages: ChatMessage[] = system.text.trim() === '' ? [] : [{ role: 'system', content: system.text }];
      messages.push({ role: 'user', content: question }, { role: 'assistant', content: completion.text });
      return { example: { kind: 'messages', row, messages }, notes };
    }
    case 'labelled': {
      const notes: Note[] = [];
      const text = textOf(value, mapping.text, false, notes);
      // Classes are often integers; that needs no warning.
      const label = textOf(value, mapping.label, false, []);
      const failure = text.failure ?? label.failure;
      if (failure) return { example: null, failure, notes };
      if (text.text.trim() === '') return empty('empty_text', mapping.text!, notes);
      if (label.text.trim() === '') return empty('empty_label', mapping.label!, notes);
      return { example: { kind: 'prompt_completion', row, prompt: text.text, completion: label.text.trim() }, notes };
    }
    case 'tagged':
      return empty('empty_text', mapping.tokens!, []);
    case 'text': {
      const notes: Note[] = [];
      const text = textOf(value, mapping.text, false, notes);
      if (text.failure) return { example: null, failure: text.failure, notes };
      if (text.text.trim() === '') return empty('empty_text', mapping.text!, notes);
      return { example: { kind: 'text', row, text: text.text }, notes };
    }
  }
  format satisfies never;
}

function empty(code: string, column: string, notes: Note[]): Outcome {
  return { example: null, failure: { code, message: `has nothing in “${excerpt(column, 40)}”` }, notes };
}

function conversation(row: number, value: Record<string, unknown>, mapping: Record<string, string>): Outcome {
  const body = toMessages(field(value, mapping.messages ?? mapping.conversations));
  let { messages } = body;
  const notes = [...body.notes];
  if (body.failure) return { example: null, failure: body.failure, notes };
  if (mapping.completion !== undefined) {
    const answer = field(value, mapping.completion);
    const more =
      typeof answer === 'string' && !/^\s*\[/.test(answer)
        ? { messages: [{ role: 'assistant' as const, content: answer }], failure: null, notes: [] }
        : toMessages(isRecord(answer) ? [answer] : answer);
    if (more.failure) return { example: null, failure: more.failure, notes };
    // As TRL masks a conversational prompt: what stands in the prompt is context, not an answer to learn.
    messages = [
      ...messages.map((m) => (m.role === 'assistant' ? { ...m, train: false as const } : m)),
      ...more.messages,
    ];
    notes.push(...more.notes);
  }
  const system = field(value, mapping.system);
  if (typeof system === 'string' && system.trim() !== '' && messages[0]?.role !== 'system') {
    messages = [{ role: 'system', content: system }, ...messages];
  }
  const answers = messages.filter((m) => m.role === 'assistant' && m.train !== false);
  if (answers.length === 0) {
    return {
      example: null,
      failure: { code: 'no_assistant', message: 'has no message of the assistant to learn from' },
      notes,
    };
  }
  if (answers.some((m) => m.content.trim() === '')) {
    return { example: null, failure: { code: 'empty_answer', message: 'has an empty answer of the assistant' }, notes };
  }
  const order = roleOrderProblem(messages);
  if (order) notes.push({ code: 'role_order', message: order });
  return { example: { kind: 'messages', row, messages }, notes };
}

/** A column's text. Numbers and truth values are read as text with a note; null, lists and objects are no text. */
function textOf(
  value: Record<string, unknown>,
  column: string | undefined,
  optional: boolean,
  notes: Note[],
): { text: string; failure?: Note } {
  const found = field(value, column);
  if (typeof found === 'string') return { text: found };
  if (column === undefined || (optional && (found === undefined || found === null))) return { text: '' };
  const name = excerpt(column, 40);
  if (typeof found === 'number' || typeof found === 'boolean') {
    notes.push({ code: 'not_text', message: `has ${kind(found)} in “${name}”` });
    return { text: String(found) };
  }
  if (found === undefined) return { text: '', failure: { code: 'missing_field', message: `has no “${name}”` } };
  // A list of one text, as multi-reference answers come.
  if (Array.isArray(found) && found.length === 1 && typeof found[0] === 'string') return { text: found[0] };
  return { text: '', failure: { code: 'not_text', message: `has ${kind(found)} in “${name}”` } };
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** Takes out what no tokenizer can encode: halves of surrogate pairs (from cut "\ud83d" escapes) and NUL. */
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
  const out: Example =
    example.kind === 'messages'
      ? { ...example, messages: example.messages.map((m) => ({ ...m, content: clean(m.content) })) }
      : example.kind === 'text'
        ? { ...example, text: clean(example.text) }
        : { ...example, prompt: clean(example.prompt), completion: clean(example.completion) };
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

/** The same key for the same content, whatever the row. */
export function exampleKey(example: Example): string {
  switch (example.kind) {
    case 'messages':
      return JSON.stringify(example.messages.map((m) => [m.role, m.content]));
    case 'prompt_completion':
      return JSON.stringify([example.prompt, example.completion]);
    case 'text':
      return example.text;
  }
  example satisfies never;
}

function balanceProblems(examples: readonly Example[]): DataProblem[] {
  const balance = labelBalance(examples);
  const problems: DataProblem[] = [];
  const [most] = balance;
  if (most && balance.length > 1 && most.share > 0.8) {
    problems.push({
      severity: 'warning',
      code: 'label_imbalance',
      message: `${Math.round(most.share * 100)} % of the rows have the label “${excerpt(most.label, 30)}”.`,
      action: 'A model can be right that often by always saying it. Add examples of the other labels.',
      dropped: false,
    });
  }
  if (balance.length === 1 && examples.length > 1) {
    problems.push({
      severity: 'warning',
      code: 'single_label',
      message: `All rows have the same label, “${excerpt(most!.label, 30)}”.`,
      action: 'Add examples of other labels, or map another column.',
      dropped: false,
    });
  }
  const rare = balance.filter((b) => b.count === 1);
  if (balance.length > 1 && rare.length > 0 && rare.length < balance.length && balance.length <= 100) {
    problems.push({
      severity: 'warning',
      code: 'rare_label',
      message: `${rare.length === 1 ? 'One label appears' : `${rare.length} labels appear`} only once: ${rare
        .slice(0, 5)
        .map((r) => `“${excerpt(r.label, 30)}”`)
        .join(', ')}.`,
      action: 'Check the spelling, or add examples.',
      dropped: false,
    });
  }
  return problems;
}
