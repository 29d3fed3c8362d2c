/**
 * `npm run inspect`: what Tabtune makes of a dataset file, as one JSON object. It makes the data worker's own calls, in this
 * thread: nothing here reads a file in a second way.
 */
import { TabtuneError } from '../base/errors';
import { CONFIG_LIMIT } from '../base/limits';
import { isPreference } from '../data/preference-parts';
import type { DataProblem, ParsedDataset } from '../data/types';
import { readFamilyConfig } from '../families';
import { CONFIG } from '../families/config';
import { withGguf } from '../hub/gguf/with-gguf';
import { readJson } from '../hub/read-json';
import type { ModelFolder } from '../hub/types';
import { defaultSection, objectiveOf, objectives } from '../objectives';
import { readingOf } from '../recipe/sections';
import { tokenizerFiles } from '../session/tokenizer-files';
import type { DataApi } from '../workers/data/api';
import { createDataApi } from '../workers/data/service';
import { piecesOf, shownSpans } from './learned';
import { type Settings, settingsOf } from './options';
import { columnsOf, encodingOf, problemGroups, rowsOf } from './report';
import { howSplit, type SplitReport, splitOf } from './split';

export { flags } from './options';

export interface InspectInput {
  /** The file's name, whose ending hints at what is inside. */
  name: string;
  bytes: ArrayBuffer;
  /** Null without a model: examples are then shown as they were read, and nothing is tokenised. */
  model: ModelFolder | null;
  /** Flag -> text. */
  given: Record<string, string>;
  /** Examples to show. */
  rows: number;
}

export interface Inspected {
  report: Record<string, unknown>;
  /** Why the file is refused, or what is asked; null if it can be used. */
  refused: TabtuneError | null;
}

/** Never throws: `refused` says what cannot be used (the file, the model, a flag), and the report holds what was found before. */
export async function inspect(input: InspectInput): Promise<Inspected> {
  const report: Record<string, unknown> = { file: input.name };
  try {
    await fill(report, input);
    return { report, refused: null };
  } catch (cause) {
    const refused = TabtuneError.from(cause, { code: 'internal', message: 'Something went wrong inside Tabtune.' });
    return { report: { ...report, error: refused.toData() }, refused };
  }
}

async function fill(report: Record<string, unknown>, { name, bytes, model, given, rows }: InspectInput) {
  const read = settingsOf(name, given);
  const api = createDataApi();
  const dataset = await api.parse(name, bytes, readingOf(read.dataset));
  const settings = given.objective === undefined ? followingData(read, dataset) : read;
  Object.assign(report, {
    file_type: dataset.fileType,
    encoding: encodingOf(dataset, settings.dataset.encoding),
    format: dataset.format,
    detected: dataset.detected,
    ...columnsOf(dataset),
    rows: rowsOf(dataset),
    problems: problemGroups(dataset.problems),
    objective: settings.objective.type,
  });
  const learned = model
    ? await withModel(api, dataset, settings, await openModel(api, model, settings), rows)
    : withoutModel(dataset, settings, rows);
  const { problems, ...others } = learned;
  Object.assign(report, { problems: problemGroups([...dataset.problems, ...problems]), ...others });
}

/** Answers to compare and prompts alone are looked at with the goal that they are made for, which the app chooses as well. */
function followingData(read: Settings, { examples, format }: ParsedDataset): Settings {
  const made = examples.some(isPreference) && objectives.find(({ goal }) => goal.formats.includes(format));
  return made ? { ...read, objective: defaultSection(made) } : read;
}

/** Of a span that is longer, the beginning is shown, and `tokens` says how many there are. */
const SHOWN_TOKENS = 500;

interface Learned {
  problems: readonly DataProblem[];
  split: SplitReport;
  examples: unknown[];
}

function withoutModel(dataset: ParsedDataset, settings: Settings, rows: number): Learned {
  const { split, stratified, problems } = splitOf(dataset, settings);
  const descriptor = objectiveOf(settings.objective);
  const examples = dataset.examples.slice(0, rows).map((example) => ({
    row: example.row,
    spans: shownSpans(piecesOf(example, descriptor, settings.objective)),
  }));
  return { problems, split: { ...split, how: howSplit(dataset, settings, stratified) }, examples };
}

interface Opened {
  title: string;
  contextLength: number;
  chatTemplate: boolean;
}

async function openModel(api: DataApi, given: ModelFolder, { objective }: Settings): Promise<Opened> {
  const folder = await withGguf(given);
  const files = await tokenizerFiles(folder);
  const { family, config } = readFamilyConfig(await readJson(folder, CONFIG, CONFIG_LIMIT));
  const { hasChatTemplate } = await api.openTokenizer(files);
  const title = folder.title ?? given.source;
  const [refusal] = objectiveOf(objective).modelRefusals?.(objective, { title, kind: family.kind }) ?? [];
  if (refusal) throw new TabtuneError({ code: 'bad_model', ...refusal });
  return { title, contextLength: config.max_position_embeddings, chatTemplate: hasChatTemplate };
}

async function withModel(
  api: DataApi,
  dataset: ParsedDataset,
  settings: Settings,
  { title, contextLength, chatTemplate }: Opened,
  rows: number,
): Promise<Learned & Record<string, unknown>> {
  const { dataset: section, objective, seed } = settings;
  const tokens = await api.tokenize(section, objective, contextLength, seed);
  const { stats, maxLength, task, problems } = tokens;
  const examples: unknown[] = [];
  for (const { row } of dataset.examples.slice(0, rows)) {
    try {
      const view = await api.viewSpans(SHOWN_TOKENS, row, section, objective, maxLength);
      const { spans, rejected, ...others } = view;
      const other = rejected && { rejected: shownSpans(rejected) };
      examples.push({ ...others, spans: shownSpans(spans), ...other });
    } catch (cause) {
      // This row's own fault, which is among the problems.
      if (!(cause instanceof TabtuneError)) throw cause;
      examples.push({ row, left_out: cause.message });
    }
  }
  return {
    problems,
    split: {
      train: stats.trainExamples,
      validation: stats.validationExamples,
      how: howSplit(dataset, settings, task?.problemType.endsWith('_label_classification') ?? false),
    },
    model: { title, context_length: contextLength, chat_template: chatTemplate },
    tokens: {
      total: stats.tokens,
      trained: stats.targetTokens,
      longest: stats.longest,
      max_length: maxLength,
      truncated: stats.truncated,
    },
    ...(task ? { labels: task.labels } : {}),
    examples,
  };
}
