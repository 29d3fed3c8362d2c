/**
 * Finds out what each column of a file holds. If that is unclear, the error lists the columns, or asks. A guess is described
 * as a guess, and every column that is not used is named.
 */
import { TabtuneError } from '../base/errors';
import type { DatasetFormat, ReadingSection } from '../recipe/sections';
import { choicesNote, findChoices, numbering, PLACE } from './choices';
import { ColumnSet, type Mapping } from './column-set';
import { type ColumnProfile, profile } from './columns';
import { findTwoAnswers } from './compare-answers';
import { type Found, noShape, ORDER, partWords, sentence } from './detect-words';
import { findMessageRows, gather } from './gather';
import { type LabelWriting, labelWriting } from './label-columns';
import { nestedColumns, unwrapObjects } from './nested';
import { columnParts, type Format, formatParts, isPartKey, type PartName, partOf } from './parts';
import { furtherColumns, preference, unpaired } from './preference-shapes';
import { nameList } from './problems';
import { qualityColumn } from './quality';
import type { RawTable } from './raw-table';
import { findShape, guessShape } from './shapes';
import { findSplit, SplitReader } from './split-column';
import type { ColumnUse, DataProblem } from './types';
import { columnUses } from './usage';

export type { Format } from './parts';

export interface Shape {
  format: Format;
  /** part -> column */
  mapping: Mapping;
  /** One or more sentences shown to people. */
  detected: string;
  uses: ColumnUse[];
  /** What only all rows together can tell. */
  reading: {
    labels: LabelWriting;
    /** How numbers in the answer column count the choices. */
    numbering: 'none' | 'from0' | 'from1';
    split: SplitReader | null;
    /** Words and tags are texts with blanks between them, not lists. */
    blanks: boolean;
    /** Conversations are written as text: "Human: … Assistant: …". */
    transcripts: boolean;
  };
}

export interface Detected {
  shape: Shape;
  /** With rows gathered into conversations, or objects taken out of text. */
  table: RawTable;
  problems: DataProblem[];
}

/** Mapped by hand, these decide what an example is, and nothing is guessed. */
const DECISIVE: ReadonlySet<PartName> = new Set(
  Object.values(formatParts)
    .flatMap(({ required }) => required.flat())
    .filter((part) => part !== 'label' && part !== 'unwanted'),
);

/** Throws bad_data, with choices where a person has to decide. */
export function detectShape(
  name: string,
  table: RawTable,
  section: Pick<ReadingSection, 'format' | 'columns'>,
): Detected {
  const given = section.columns ?? {};
  const top = profilesOf(table, table.columns);
  const inside = Object.values(given).some((column) => column !== '' && !table.columns.includes(column));
  const found = inside ? null : search(name, new ColumnSet(top, given), section);
  if (found) return detectedAs(name, table, top, found, section);
  const open = unwrapObjects(table);
  const nested = nestedColumns(open);
  const profiles = [...(open === table ? top : profilesOf(open, open.columns)), ...profilesOf(open, nested)];
  checkGiven(name, given, profiles);
  const deeper = nested.length === 0 ? null : search(name, new ColumnSet(flat(profiles, nested), given, true), section);
  if (deeper) return detectedAs(name, open, flat(profiles, nested), deeper, section);
  throw noShape(name, table, section, flat(profiles, nested));
}

const profilesOf = (table: RawTable, columns: readonly string[]) => columns.map((column) => profile(table, column));

/** Without the objects whose contents stand as columns of their own. */
const flat = (profiles: readonly ColumnProfile[], nested: readonly string[]) =>
  profiles.filter((p) => !nested.some((path) => path.startsWith(`${p.name}.`)));

function checkGiven(name: string, given: Readonly<Record<string, string>>, profiles: readonly ColumnProfile[]): void {
  for (const [part, column] of Object.entries(given)) {
    if (column === '' || profiles.some((p) => p.name === column)) continue;
    throw new TabtuneError({
      code: 'bad_data',
      message: `There is no column “${column}” to use as the ${part}.`,
      where: name,
      action: `Choose one of these columns: ${nameList(profiles.map((p) => p.name))}.`,
    });
  }
}

function search(name: string, columns: ColumnSet, { format }: Pick<ReadingSection, 'format'>): Found | null {
  const { given } = columns;
  const keys = Object.keys(given);
  const fits = (f: Format) => keys.every((key) => given[key] === '' || isPartKey(key, columnParts[f]));
  // What was mapped by hand and makes a whole example decides the format.
  const complete = (f: Format) =>
    f !== 'prompt_only' &&
    formatParts[f].required.some((needed) =>
      needed.every((part) => keys.some((key) => partOf(key) === part && given[key] !== '')),
    );
  const fitting = format === 'auto' ? ORDER.filter(fits) : fits(format) ? [format] : [];
  const order = [...fitting.filter(complete), ...fitting.filter((f) => !complete(f))];
  if (order.some((f) => f === 'messages' || f === 'sharegpt')) {
    const rows = columns.free.some((p) => p.turns > 0.5) ? null : findMessageRows(name, columns);
    if (rows) return { format: 'messages', mapping: rows };
  }
  if (order.includes('preference') && !fitting.some((f) => f !== 'preference' && complete(f))) {
    const pairs = preference(name, columns);
    if (pairs || format === 'preference') return pairs && { format: 'preference', ...pairs };
  } else if (order.includes('prompt_completion') || order.includes('messages')) {
    // The better one is to be imitated.
    const two = findTwoAnswers(name, columns);
    const [a] = two ? [columns.column(two['answers.a'])] : [];
    if (two && a && a.turns > 0.5 && a.answers <= 0.5) return { format: 'messages', mapping: two };
    const prompt = two && columns.pick('prompt', { where: (p) => p.textual && p.turns === 0 });
    if (two && prompt) return { format: 'prompt_completion', mapping: { prompt: prompt.name, ...two } };
  }
  for (const f of order) {
    const mapping = findShape(f, columns, format !== 'auto');
    if (mapping)
      return {
        format: f,
        mapping,
        guess: Object.keys(mapping).some((key) => key.startsWith('label.') && !(key in given)),
      };
  }
  const guess =
    format === 'auto' && keys.every((key) => given[key] === '' || !DECISIVE.has(partOf(key)))
      ? guessShape(name, columns)
      : null;
  return guess && { ...guess, guess: true };
}

function detectedAs(
  name: string,
  given: RawTable,
  profiles: readonly ColumnProfile[],
  found: Found,
  section: Pick<ReadingSection, 'format' | 'columns'>,
): Detected {
  const byHand = section.columns ?? {};
  const columns = new ColumnSet(profiles, byHand);
  const read = { ...found.mapping, ...extras(name, found, columns), ...byHand };
  // By hand, an empty name means that a part is not used; in JSON, a column may be called that.
  for (const key of Object.keys(byHand)) if (read[key] === '') delete read[key];
  const judged = judgedParts(name, found.format, read, columns, section.format);
  const mapping = judged ?? read;
  const format = judged ? 'unpaired_preference' : found.format;
  const transcript = columns.column(mapping.messages);
  if (given.fileType === 'text' && transcript && !byHand.messages && section.format === 'auto') {
    throw transcriptQuestion(name);
  }
  const { table, problems } = mapping.role === undefined ? { table: given, problems: [] } : gather(given, mapping);
  const answer = mapping.completion ?? mapping.output;
  const hasChoices = Object.keys(mapping).some((key) => partOf(key) === 'choices');
  const picked = answer !== undefined && mapping.winner !== undefined && mapping['answers.a'] === undefined;
  const how = picked
    ? numbering(table, { choices: answer }, mapping.winner!)
    : hasChoices && answer
      ? numbering(table, mapping, answer)
      : 'none';
  const chat = columns.column(mapping.messages);
  const split = columns.column(mapping.split);
  const shape: Shape = {
    format,
    mapping,
    detected:
      sentence({ ...found, format }, mapping, table, byHand) + (answer && !picked ? choicesNote(how, answer) : ''),
    uses: columnUses(profiles, mapping, partWords(format)),
    reading: {
      labels: format === 'labelled' && mapping.label ? labelWriting(table, mapping.label) : { kind: 'plain' },
      numbering: how,
      split: split ? new SplitReader(split) : null,
      blanks: (columns.column(mapping.tokens)?.lists ?? 1) <= 0.5,
      transcripts: ((chat ?? columns.column(mapping.chosen))?.transcripts ?? 0) >= 0.9,
    },
  };
  return { shape, table, problems };
}

/** The parts of judged answers; null if they are read as something else. */
function judgedParts(
  name: string,
  format: Format,
  mapping: Mapping,
  columns: ColumnSet,
  asked: DatasetFormat,
): Mapping | null {
  const could = format === 'messages' || format === 'sharegpt' || format === 'alpaca' || format === 'prompt_completion';
  if (asked === 'unpaired_preference') {
    const judged = unpaired(mapping, columns, true);
    if (judged) return judged;
    throw new TabtuneError({
      code: 'bad_data',
      message: 'No column of this file says which answers are good and which are bad.',
      where: name,
      action: 'Choose the column that does, of true and false, or read them as prompts with answers.',
      choices: [{ label: 'Read them as answers to imitate', set: { 'dataset.format': 'auto' } }],
    });
  }
  return asked === 'auto' && could ? unpaired(mapping, columns, false) : null;
}

const transcriptQuestion = (name: string) =>
  new TabtuneError({
    code: 'bad_data',
    message:
      'This text is written as a conversation, with names such as “User:” and “Assistant:” in front of the lines.',
    where: name,
    action: 'Choose how to learn from it: as conversations, answer by answer, or as plain text.',
    choices: [
      { label: 'Read it as conversations', set: { 'dataset.format': 'messages' } },
      { label: 'Read it as plain text', set: { 'dataset.format': 'text' } },
    ],
  });

/** Parts that go with any example of the format, where the file has them. */
function extras(name: string, { format, mapping }: Found, columns: ColumnSet): Mapping {
  const allowed = columnParts[format];
  const used = () => [...Object.values(mapping), ...Object.values(more)];
  const more: Mapping = {};
  const add = (part: PartName, p: ColumnProfile | undefined) => {
    if (p && allowed.includes(part) && !(part in mapping) && !used().includes(p.name)) more[part] = p.name;
  };
  add('split', findSplit(columns));
  add('images', columns.pick('images', { taken: used() }));
  if (!allowed.includes('system')) return more;
  add('system', columns.pick('system', { where: (p) => p.textual || p.nested, taken: used() }));
  if (allowed.includes('choices')) {
    Object.assign(more, findChoices(columns, used()));
    add('history', columns.pick('history', { where: (p) => p.turns > 0.5, taken: used() }));
    const several = columns.column(mapping.completion ?? mapping.output);
    if (several && (several.lists > 0.5 || several.nested)) {
      add('winner', columns.pick('winner', { names: PLACES, where: isPlace, taken: used() }));
    }
    add('thoughts', columns.pick('thoughts', { where: (p) => p.textual, taken: used() }));
  }
  if (allowed.includes('margin')) add('margin', columns.pick('margin', { where: (p) => p.numeric, taken: used() }));
  if (allowed.includes('columns')) Object.assign(more, furtherColumns(columns, used()));
  if (allowed.includes('label') && mapping['answers.a'] === undefined)
    Object.assign(
      more,
      qualityColumn(
        name,
        columns.all.filter((p) => p.filled > 0),
        used(),
        columns.given,
      ),
    );
  return more;
}

/** Names of a column that gives the place of the best answer in a list of answers. */
const PLACES = [
  'chosen',
  'best',
  'winner',
  'preferred',
  'selected',
  'correct',
  'choice',
  'bestanswer',
  'bestindex',
  'index',
  'label',
  'answeridx',
  'correctindex',
];

const isPlace = (p: ColumnProfile) =>
  p.numeric && p.values !== null && [...p.values.keys()].every((v) => PLACE.test(v));
