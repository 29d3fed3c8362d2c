/** How an example is shown in the table, and which columns of the file an edited cell changes. */
import { isPreference, preferenceParts, shownTurns } from '../../../data/preference-parts';
import type { Example, ParsedDataset } from '../../../data/types';

export interface Cell {
  label:
    | 'Prompt'
    | 'Answer'
    | 'Text'
    | 'Label'
    | 'Words'
    | 'Tags'
    | 'Better answer'
    | 'Worse answer'
    | 'Judged'
    | 'For rewards';
  text: string;
}

export function headersOf(dataset: ParsedDataset): Cell['label'][] {
  switch (dataset.format) {
    case 'text':
      return ['Text'];
    case 'labelled':
      return ['Text', 'Label'];
    case 'tagged':
      return ['Words', 'Tags'];
    case 'preference':
      return ['Prompt', 'Better answer', 'Worse answer'];
    case 'unpaired_preference':
      return ['Prompt', 'Answer', 'Judged'];
    case 'prompt_only':
      return ['Prompt', 'For rewards'];
    default:
      return ['Prompt', 'Answer'];
  }
}

/** “answer: 72”, a line for each column. */
const shownColumns = (columns: Record<string, unknown>): string =>
  Object.entries(columns)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('\n');

const lastAnswer = (example: Extract<Example, { kind: 'messages' }>) =>
  example.messages.findLastIndex(({ role }) => role === 'assistant');

export function cellsOf(example: Example): Cell[] {
  switch (example.kind) {
    case 'text':
      return [{ label: 'Text', text: example.text }];
    case 'prompt_completion':
      return [
        { label: 'Prompt', text: example.prompt },
        { label: 'Answer', text: example.completion },
      ];
    case 'messages': {
      const answer = lastAnswer(example);
      const before = example.messages.slice(0, answer);
      // A single question is shown as is; a longer conversation names the roles.
      const prompt =
        before.length === 1 ? before[0]!.content : before.map(({ role, content }) => `${role}: ${content}`).join('\n');
      return [
        { label: 'Prompt', text: prompt },
        { label: 'Answer', text: example.messages[answer]?.content ?? '' },
      ];
    }
    case 'labelled': {
      const { labels, written } = example;
      const label = written ?? (typeof labels === 'number' ? String(labels) : labels.join(', '));
      return [
        { label: 'Text', text: example.text },
        { label: 'Label', text: label },
      ];
    }
    case 'tagged':
      return [
        { label: 'Words', text: example.tokens.join(' ') },
        { label: 'Tags', text: example.tags.join(' ') },
      ];
    case 'pair':
      return [
        { label: 'Prompt', text: shownTurns(example.prompt) },
        { label: 'Better answer', text: shownTurns(example.chosen) },
        { label: 'Worse answer', text: shownTurns(example.rejected) },
      ];
    case 'judged':
      return [
        { label: 'Prompt', text: shownTurns(example.prompt) },
        { label: 'Answer', text: shownTurns(example.completion) },
        { label: 'Judged', text: example.good ? 'good' : 'bad' },
      ];
    case 'prompt':
      return [
        { label: 'Prompt', text: shownTurns(example.prompt) },
        { label: 'For rewards', text: shownColumns(example.columns) },
      ];
    default:
      return example satisfies never;
  }
}

/** Column -> new value for Session.editDataset; null when a cell combines several values and cannot be edited here. */
export function editOf(
  dataset: ParsedDataset,
  example: Example,
  cell: number,
  text: string,
): Record<string, string> | null {
  const edited = columnsToEdit(dataset.mapping, example, cell, text);
  // A value inside another is changed in the file itself.
  const inside = (column: string) => column.includes('.') && !/^(csv|tsv)$/.test(dataset.fileType);
  return edited && Object.keys(edited).some(inside) ? null : edited;
}

/** Parts that are read from several columns, so that no single one can take the text on the screen. */
const composed = (mapping: ParsedDataset['mapping']) =>
  Object.keys(mapping).some((key) => /^(choices|answers|history|role|text_pair)(\.|$)/.test(key));

/** Plain texts in columns of their own; the worker refuses a change that would reach more than one of them. */
function preferenceEdit(
  mapping: ParsedDataset['mapping'],
  example: Extract<Example, { kind: 'pair' | 'judged' | 'prompt' }>,
  cell: number,
  text: string,
): Record<string, string> | null {
  const part = preferenceParts(example)[cell];
  const column = part && mapping[part.part];
  if (!part || column === undefined || typeof part.turns !== 'string') return null;
  // Without a column of its own, the prompt is in both answers.
  if (mapping.prompt === undefined || (part.part === 'prompt' && mapping.input !== undefined)) return null;
  return { [column]: text };
}

function columnsToEdit(
  mapping: ParsedDataset['mapping'],
  example: Example,
  cell: number,
  text: string,
): Record<string, string> | null {
  if (example.kind === 'text') return { [mapping.text ?? 'text']: text };
  // Words and tags are lists that must keep the same length.
  if (example.kind === 'tagged' || composed(mapping)) return null;
  if (isPreference(example)) return preferenceEdit(mapping, example, cell, text);
  if (example.kind === 'labelled') {
    const own = cell === 0 ? mapping.text : mapping.label;
    // Several labels are a list in the file.
    const several = cell === 1 && typeof example.labels !== 'number' && example.labels.length > 1;
    return own === undefined || several ? null : { [own]: text };
  }
  const column = cell === 0 ? (mapping.prompt ?? mapping.instruction) : (mapping.completion ?? mapping.output);
  const whole = mapping.messages ?? mapping.conversations;
  if (whole === undefined) {
    if (column === undefined) return null;
    // The prompt on the screen is the instruction and the input joined.
    return cell === 0 && mapping.input ? { [column]: text, [mapping.input]: '' } : { [column]: text };
  }
  // The prompt and its answer are in different columns, and either may be a list.
  if (mapping.completion !== undefined) return null;
  if (example.kind !== 'messages') return null;
  const answer = lastAnswer(example);
  const at = cell === 1 ? answer : answer === 1 ? 0 : -1;
  if (at < 0) return null;
  const messages = example.messages.map((message, i) => (i === at ? { ...message, content: text } : message));
  return { [whole]: JSON.stringify(messages) };
}
