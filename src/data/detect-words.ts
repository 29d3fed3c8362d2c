/** What was detected in a file, or not, in words. */
import { TabtuneError } from '../base/errors';
import type { DatasetFormat, ReadingSection } from '../recipe/sections';
import type { Mapping } from './column-set';
import { type ColumnProfile, isWorse } from './columns';
import { type Format, formatParts, type PartName, partOf } from './parts';
import { nameList } from './problems';
import { field, isRecord, type RawTable } from './raw-table';

/** The order in which formats are tried. */
export const ORDER: readonly Format[] = [
  'preference',
  'messages',
  'sharegpt',
  'tagged',
  'alpaca',
  'prompt_completion',
  'prompt_only',
  'labelled',
  'text',
];

const FORMAT_WORDS: Record<Format, string> = {
  messages: 'Chat messages',
  sharegpt: 'ShareGPT conversations',
  alpaca: 'Instructions with answers (Alpaca)',
  prompt_completion: 'Prompts with answers',
  labelled: 'Texts with labels',
  tagged: 'Words with tags',
  preference: 'Pairs of a better and a worse answer',
  unpaired_preference: 'Answers that are marked as good or bad',
  prompt_only: 'Prompts for the model to answer',
  text: 'Plain text',
};

export interface Found {
  format: Format;
  mapping: Mapping;
  guess?: boolean;
}

/** Words for parts that mean something else in a format. */
export const partWords = (format: Format): Partial<Record<PartName, string>> =>
  format === 'labelled' || format === 'tagged' ? {} : { label: 'marks good answers', columns: 'for rewards' };

export function sentence(
  { format, guess }: Found,
  mapping: Mapping,
  table: RawTable,
  byHand: Readonly<Record<string, string>>,
): string {
  const hand = Object.keys(byHand).length > 0 ? ' The columns were mapped by hand.' : '';
  if (format === 'text' && table.fileType === 'text') return `Plain text, split into passages at blank lines.${hand}`;
  if (format === 'tagged' && table.fileType === 'text') {
    return 'Words with tags (CoNLL): one word per line, blank lines between sentences.';
  }
  const further = Object.entries(mapping).flatMap(([key, column]) => (partOf(key) === 'columns' ? [column] : []));
  const columns = [...new Set(Object.values(mapping))].filter((column) => !further.includes(column));
  const words = mapping.role === undefined ? FORMAT_WORDS[format] : 'Conversations of one message per row';
  const told = `${words}, from the column${columns.length === 1 ? '' : 's'} ${nameList(columns)}.`;
  const rewards = further.length === 0 ? '' : ` For rewards: ${nameList(further)}.`;
  return `${told}${rewards}${pairing(format, mapping)}${guess && !hand ? ' This is a guess, so check it.' : ''}${hand}`;
}

/** How the pairs of a file came about, where it is not plain from its columns. */
function pairing(format: Format, mapping: Mapping): string {
  if (format !== 'preference') return '';
  if (mapping.answers !== undefined)
    return ' Of the answers in a row, the one judged best is paired with the one judged worst.';
  if (mapping.prompt !== undefined || mapping.messages !== undefined) return '';
  return ' The prompt is what both answers begin with.';
}

const WANTED: Record<DatasetFormat, string> = {
  auto: 'which column is the prompt and which is the completion, or which is the text and which is the label',
  messages: 'which column holds the conversations',
  sharegpt: 'which column holds the conversations',
  alpaca: 'which column is the instruction and which is the output',
  prompt_completion: 'which column is the prompt and which is the completion',
  labelled: 'which column is the text and which is the label',
  tagged: 'which column is the tokens and which is the tags',
  preference: 'which column is the prompt, which the better answer (chosen) and which the worse one (rejected)',
  unpaired_preference: 'which column is the prompt, which is the completion and which says whether it is good',
  prompt_only: 'which column is the prompt',
  text: 'which column is the text',
};

export function noShape(
  name: string,
  table: RawTable,
  { format, columns }: Pick<ReadingSection, 'format' | 'columns'>,
  profiles: readonly ColumnProfile[],
): TabtuneError {
  const given = Object.entries(columns ?? {}).filter(([, column]) => column !== '');
  if (given.length > 0) {
    return new TabtuneError({
      code: 'bad_data',
      message: `The columns mapped by hand (${given.map(([part]) => part).join(', ')}) do not make up a complete example.`,
      where: name,
      action: `Map ${(format === 'auto' ? ORDER : [format]).map((f) => formatParts[f].required[0]!.join(' and ')).join('; or ')}.`,
      details: `Columns: ${profiles.map((p) => p.name).join(', ')}.`,
    });
  }
  const texts = profiles.some((p) => p.filled > 0 && (p.textual || p.lists > 0.5 || p.turns > 0.5));
  // Only what can be mapped is offered: texts, labels, lists and conversations.
  const usable = profiles.filter(
    (p) => p.filled > 0 && (p.textual || p.lists > 0.5 || p.turns > 0.5 || (texts && (p.numeric || p.boolean))),
  );
  const nested = table.columns.filter((c) =>
    table.rows.slice(0, 20).some(({ value }) => {
      const found = field(value, c) ?? '';
      return typeof found === 'object' && (!Array.isArray(found) || found.some(isRecord));
    }),
  );
  const deep = usable.filter((p) => p.name.includes('.') && !table.columns.includes(p.name));
  const onlyWorse = profiles.some((p) => isWorse(p) && p.textual);
  const none = table.columns.length === 0 || usable.length === 0;
  return new TabtuneError({
    code: 'bad_data',
    message:
      table.columns.length === 0
        ? 'The rows of this file are not objects with named columns.'
        : usable.length === 0
          ? `The columns of this file hold no texts to learn from. It has ${nameList(table.columns)}.`
          : `It is not clear which columns of this file to learn from. It has ${nameList(usable.map((p) => p.name))}.`,
    where: name,
    action: none
      ? 'Write each example as an object, such as {"prompt": "…", "completion": "…"}.'
      : onlyWorse
        ? `Choose ${WANTED[format]}. A column of worse answers is never taken for the answer.`
        : `Choose ${WANTED[format]}, or rename the columns.`,
    details: [
      'Looked for: messages; conversations; instruction, input and output; prompt and completion; text and label; tokens and tags; text.',
      deep.length > 0 ? `Texts inside objects: ${deep.map((p) => p.name).join(', ')}.` : '',
      nested.length > 0 ? `Columns with lists or objects: ${nested.join(', ')}.` : '',
    ]
      .filter(Boolean)
      .join(' '),
  });
}
