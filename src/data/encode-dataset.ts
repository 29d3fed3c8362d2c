/** All examples of a dataset -> ids. Rows that cannot be used are left out, with the reason among the problems. */
import { TabtuneError } from '../base/errors';
import type { TemplatedText } from '../recipe/sections';
import { encodeRow, LONG_ROW, lettersOf } from './encode-row';
import { exampleKey } from './example-kinds';
import type { Encoded } from './loss-mask';
import type { ObjectiveData, TextOptions, UsableExamples } from './objective-data';
import { excerpt, ProblemList } from './problems';
import { NoteCounts } from './render-notes';
import { RowRefused } from './row-refused';
import type { TextTokenizer } from './tokenizer';
import type { DataProblem, Example, ParsedDataset } from './types';

export interface EncodedDataset extends UsableExamples {
  /** One for each of `examples`. */
  encoded: readonly Encoded[];
  /** Where each of them is among the dataset's examples, and how many those are. */
  places: readonly number[];
  total: number;
  problems: readonly DataProblem[];
}

export interface Progress {
  /** Rows at which an earlier attempt never returned. */
  leftOut?: readonly number[];
  /** Tell of every row, not only now and then. */
  careful?: boolean;
  /** Told before a row is encoded, as an index into the examples; their number at the end. */
  onRow?: (at: number) => void;
}

const TELL_EVERY_MS = 200;

const NEVER_ENDED = new RowRefused(
  'row_too_slow',
  'kept the model’s tokeniser busy until it was stopped',
  'Shorten or split it.',
);

/** A template that is stopped at more rows than this, at a second and more each, is not worth waiting for. */
const MOST_STOPPED = 5;

/** Throws bad_data if no example is of the kind that the objective needs. */
export function requireKind(dataset: ParsedDataset, { needs }: ObjectiveData): void {
  if (!needs || dataset.examples.some(({ kind }) => [needs.kind].flat().includes(kind))) return;
  throw new TabtuneError({
    code: 'bad_data',
    message: needs.message,
    where: dataset.name,
    action: needs.action,
    details: dataset.detected,
  });
}

export function usable({ name, mapping }: ParsedDataset, examples: readonly Example[]): UsableExamples {
  return { name, examples, labelColumn: mapping.label ?? 'label' };
}

/** Throws bad_data if no example is of the kind that the objective needs. */
export function encodeDataset(
  dataset: ParsedDataset,
  objective: ObjectiveData,
  options: TextOptions,
  tokenizer: TextTokenizer,
  { leftOut = [], careful = false, onRow }: Progress = {},
): EncodedDataset {
  requireKind(dataset, objective);
  const problems = new ProblemList();
  problems.addAll(objective.warnings?.(dataset.examples, options) ?? []);
  const encoded: Encoded[] = [];
  const examples: Example[] = [];
  const places: number[] = [];
  const special = tokenizer.specialContents();
  const noted = new NoteCounts();
  const templated: RowRefused[] = [];
  let stopped = 0;
  let told = -Infinity;
  for (const [i, example] of dataset.examples.entries()) {
    const now = performance.now();
    if (onRow && (careful || now - told > TELL_EVERY_MS || lettersOf(example) >= LONG_ROW)) {
      told = now;
      onRow(i);
    }
    if (leftOut.includes(example.row)) {
      problems.add(NEVER_ENDED.inRow(example.row));
      continue;
    }
    const refused = objective.refuse?.(example);
    if (refused) {
      problems.add(refused);
      continue;
    }
    try {
      const { encoded: ids, notes = [] } = encodeRow(example, objective, options, tokenizer);
      encoded.push(ids);
      examples.push(example);
      places.push(i);
      noted.add(example.row, notes);
    } catch (error) {
      if (error instanceof RowRefused) {
        problems.add(error.inRow(example.row));
        if (error.problem === 'row_too_slow' && ++stopped > MOST_STOPPED) throw alwaysStopped(stopped, example.row);
        if (error.problem === 'already_templated') templated.push(error);
        continue;
      }
      // A chat template refuses this row only; a broken tokeniser affects all of them.
      if (!(error instanceof TabtuneError) || error.where !== 'chat template') throw error;
      problems.add({
        severity: 'error',
        code: 'template_refused',
        row: example.row,
        message: `Row ${example.row} does not fit the model’s chat template: ${excerpt(error.details ?? error.message, 160)}`,
        action: 'It was left out. Change the order or the roles of its messages, or choose another model.',
        dropped: true,
      });
      continue;
    }
    const key = exampleKey(example);
    const found = special.find((token) => token.length > 2 && key.includes(token));
    if (found !== undefined) {
      problems.add({
        severity: 'warning',
        code: 'special_token_in_text',
        row: example.row,
        message: `Row ${example.row} has the model’s special token “${found}” in its text.`,
        action: 'It is read as that token, not as letters. Remove it unless it is meant.',
        dropped: false,
      });
    }
  }
  onRow?.(dataset.examples.length);
  if (templated.length > 0 && templated.length * 2 >= dataset.examples.length) {
    throw askAboutMarks(dataset, templated);
  }
  problems.addAll(noted.problems());
  return {
    ...usable(dataset, examples),
    ...{ encoded, places, total: dataset.examples.length },
    problems: problems.list(),
  };
}

function alwaysStopped(rows: number, last: number): TabtuneError {
  return new TabtuneError({
    code: 'bad_model',
    message: `The model’s chat template was stopped at ${rows} rows, each time because it took too long.`,
    where: `row ${last}`,
    action: 'Shorten the longest rows, or choose another model.',
  });
}

/** Most rows are in a template: only a person can say what is meant. */
function askAboutMarks({ name, examples }: ParsedDataset, templated: readonly RowRefused[]): TabtuneError {
  const answer = (label: string, value: TemplatedText) => ({ label, set: { 'dataset.templated_text': value } });
  return new TabtuneError({
    code: 'bad_data',
    message: `${templated.length} of ${examples.length} rows cannot be used as they are: the first ${templated[0]!.reason}.`,
    where: name,
    action: 'The model’s template would be put around it once more. Say what to do with the marks.',
    choices: [
      answer('Take them off', 'strip'),
      answer('Use the rows as they are', 'as_is'),
      answer('They are part of the text', 'text'),
    ],
  });
}
