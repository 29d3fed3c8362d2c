/** JSON as other tools export it: the Hub's dataset viewer, pandas, SQuAD, Label Studio, chatbots' intents. Null for the rest. */
import { type JsonRows, said } from './json-rows';
import { excerpt } from './problems';
import { isRecord } from './raw-table';
import type { DataProblem } from './types';

export function fromExport(value: unknown): JsonRows | null {
  if (Array.isArray(value)) return fromLabelStudio(value) ?? fromSquad(value);
  if (!isRecord(value)) return null;
  return (
    fromViewer(value) ??
    (Array.isArray(value.data) ? fromSquad(value.data) : null) ??
    (Array.isArray(value.intents) ? fromIntents(value.intents) : null)
  );
}

/** The Hub's dataset viewer: {"features": […], "rows": [{"row_idx": 0, "row": {…}, "truncated_cells": []}], …}. */
function fromViewer(value: Record<string, unknown>): JsonRows | null {
  const { features, rows } = value;
  if (!Array.isArray(rows) || rows.length === 0 || !rows.every((row) => isRecord(row) && isRecord(row.row)))
    return null;
  const entries = rows as { row: Record<string, unknown>; truncated_cells?: unknown }[];
  const problems: DataProblem[] = [];
  const cut = entries.flatMap(({ truncated_cells: cells }, i) =>
    Array.isArray(cells) && cells.length > 0 ? [i + 1] : [],
  );
  if (cut.length > 0) {
    problems.push({
      ...said(
        'truncated_cells',
        `${cut.length} of ${entries.length} rows have cells that the dataset viewer truncated (cut off), the first is row ${cut[0]}.`,
        'They are learned as they stand, with their ends missing. Download the dataset’s files to have them whole.',
        cut.length,
      ),
      severity: 'error',
    });
  }
  const total = value.num_rows_total;
  if (typeof total === 'number' && total > entries.length) {
    problems.push(
      said(
        'part_of_dataset',
        `These are ${entries.length} of the dataset’s ${total.toLocaleString('en')} rows: the dataset viewer shows 100 at a time.`,
        'Only they are used. Download the dataset’s files to have all of them.',
      ),
    );
  }
  const classes = classNames(features);
  if (classes.size > 0) {
    problems.push(
      said(
        'class_names',
        `The numbers in ${[...classes.keys()].map((key) => `“${key}”`).join(', ')} stand for classes that the file names.`,
        'The names were filled in.',
      ),
    );
  }
  return { rows: entries.map(({ row }) => named(row, classes)), problems, built: true };
}

function classNames(features: unknown): Map<string, string[]> {
  const out = new Map<string, string[]>();
  if (!Array.isArray(features)) return out;
  for (const feature of features) {
    if (!isRecord(feature) || typeof feature.name !== 'string' || !isRecord(feature.type)) continue;
    const { names } = feature.type;
    if (Array.isArray(names) && names.every((name) => typeof name === 'string')) out.set(feature.name, names);
  }
  return out;
}

function named(row: Record<string, unknown>, classes: Map<string, string[]>): Record<string, unknown> {
  if (classes.size === 0) return row;
  const out = { ...row };
  for (const [key, names] of classes) {
    const index = row[key];
    if (typeof index === 'number' && names[index] !== undefined) out[key] = names[index];
  }
  return out;
}

/** SQuAD: [{title, paragraphs: [{context, qas: [{question, answers: [{text}], is_impossible}]}]}]. */
function fromSquad(articles: readonly unknown[]): JsonRows | null {
  const paragraphs = articles.flatMap((article) =>
    isRecord(article) && Array.isArray(article.paragraphs) ? article.paragraphs : [],
  );
  if (paragraphs.length === 0 || !paragraphs.every((p) => isRecord(p) && Array.isArray(p.qas))) return null;
  const rows: Record<string, unknown>[] = [];
  let unanswered = 0;
  let several = 0;
  for (const paragraph of paragraphs as { context?: unknown; qas: unknown[] }[]) {
    for (const qa of paragraph.qas) {
      if (!isRecord(qa)) continue;
      const answers = Array.isArray(qa.answers) ? qa.answers.filter(isRecord).map((answer) => answer.text) : [];
      if (answers.length === 0) {
        unanswered++;
        continue;
      }
      if (new Set(answers).size > 1) several++;
      rows.push({ context: paragraph.context, question: qa.question, answer: answers[0] });
    }
  }
  const problems = [
    said(
      'squad',
      `The file is nested like SQuAD: paragraphs, each with questions.`,
      `Each question became a row with “context”, “question” and “answer”${several > 0 ? `; the first answer was taken where there are several (${several} questions)` : ''}.`,
    ),
  ];
  if (unanswered > 0) {
    problems.push({
      ...said('no_answer', `${unanswered} questions have no answer.`, 'They were left out.', unanswered),
      dropped: true,
    });
  }
  return rows.length === 0 ? null : { rows, problems, built: true };
}

/** A chatbot's intents: [{tag, patterns: ["…"], responses: ["…"]}]. */
function fromIntents(intents: readonly unknown[]): JsonRows | null {
  const entries = intents.filter(isRecord);
  const texts = (value: unknown) =>
    Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string' && v !== '') : [];
  const questionsOf = (intent: Record<string, unknown>) =>
    texts(intent.patterns ?? intent.examples ?? intent.utterances ?? intent.questions);
  const answersOf = (intent: Record<string, unknown>) => texts(intent.responses ?? intent.answers);
  const tagOf = (intent: Record<string, unknown>) => intent.tag ?? intent.intent ?? intent.name;
  if (
    entries.length === 0 ||
    !entries.every((intent) => questionsOf(intent).length > 0 || answersOf(intent).length > 0)
  )
    return null;
  const answered = entries.some((intent) => answersOf(intent).length > 0);
  const rows: Record<string, unknown>[] = [];
  const silent: unknown[] = [];
  for (const intent of entries) {
    const answers = answersOf(intent);
    if (answered && answers.length === 0) silent.push(tagOf(intent));
    questionsOf(intent).forEach((question, i) => {
      if (!answered) rows.push({ text: question, label: tagOf(intent) });
      // Every answer is learned, each with another wording of the question.
      else if (answers.length > 0) rows.push({ question, answer: answers[i % answers.length], intent: tagOf(intent) });
    });
  }
  if (rows.length === 0) return null;
  const problems = [
    said(
      'intents',
      `The file has ${entries.length} intents, each with ways to ask${answered ? ' and answers' : ''}.`,
      answered
        ? 'Each way to ask became a row with one of its intent’s answers, in turn.'
        : 'Each became a row with the intent as its label.',
    ),
  ];
  const spare = answered
    ? entries.reduce((n, intent) => n + Math.max(0, answersOf(intent).length - questionsOf(intent).length), 0)
    : 0;
  if (spare > 0)
    problems.push(
      said('unused_answers', `${spare} answers are more than there are ways to ask.`, 'They are not used.'),
    );
  if (silent.length > 0) {
    problems.push({
      ...said(
        'no_answer',
        `${silent.length} intents have no answers: ${excerpt(silent.join(', '), 60)}.`,
        'They were left out.',
        silent.length,
      ),
      dropped: true,
    });
  }
  return { rows, problems, built: true };
}

/** The names of a task's questions whose answers are choices. */
const choicesIn = (task: Task): unknown[] =>
  (task.annotations ?? task.completions ?? []).flatMap((annotation) =>
    isRecord(annotation) && Array.isArray(annotation.result)
      ? annotation.result.flatMap((r) =>
          isRecord(r) && isRecord(r.value) && r.value.choices !== undefined ? [r.from_name] : [],
        )
      : [],
  );

/** Label Studio's JSON: [{data: {text}, annotations: [{result: [{from_name, type, value}]}]}]. */
function fromLabelStudio(tasks: readonly unknown[]): JsonRows | null {
  const sample = tasks.slice(0, 20);
  const isTask = (task: unknown): task is Task =>
    isRecord(task) && isRecord(task.data) && Array.isArray(task.annotations ?? task.completions);
  if (sample.length === 0 || !sample.every(isTask)) return null;
  const problems: DataProblem[] = [];
  const unread = new Set<string>();
  let bare = 0;
  let disputed = 0;
  // The only choice of all tasks is the label, whatever its question is called; several keep their names.
  const asked = new Set(tasks.filter(isTask).flatMap(choicesIn));
  const rows = tasks.filter(isTask).map((task) => {
    const done = (task.annotations ?? task.completions ?? []).filter(
      (a) => isRecord(a) && a.was_cancelled !== true && Array.isArray(a.result),
    );
    if (done.length === 0) bare++;
    if (done.length > 1) disputed++;
    const out: Record<string, unknown> = { ...task.data };
    for (const result of done[0]?.result ?? []) {
      if (!isRecord(result) || !isRecord(result.value)) continue;
      const { value } = result;
      const name = typeof result.from_name === 'string' ? result.from_name : 'label';
      const found = value.choices ?? value.text ?? value.rating ?? value.number;
      if (value.start !== undefined || found === undefined) {
        unread.add(String(result.type ?? 'unknown'));
        continue;
      }
      const known = Array.isArray(found) && found.length === 1 ? found[0] : found;
      const only = asked.size === 1 && value.choices !== undefined;
      out[only || name === 'text' || Object.hasOwn(task.data, name) ? 'label' : name] = known;
    }
    return out;
  });
  problems.push(
    said(
      'label_studio',
      'This is Label Studio’s JSON export: texts under “data”, labels in annotations.',
      'Both were read as columns.',
    ),
  );
  if (unread.size > 0) {
    problems.push({
      ...said(
        'unread_annotations',
        `It has annotations that are not read: ${[...unread].join(', ')}.`,
        'For words with tags, export from Label Studio as CoNLL.',
      ),
      severity: 'error',
    });
  }
  if (bare > 0)
    problems.push(said('not_annotated', `${bare} texts have no annotation.`, 'Their labels are empty.', bare));
  if (disputed > 0) {
    problems.push(
      said(
        'several_annotations',
        `${disputed} texts have several annotations.`,
        'The first of each was taken.',
        disputed,
      ),
    );
  }
  return { rows, problems, built: true };
}

interface Annotation {
  result: unknown[];
  was_cancelled?: boolean;
}
type Task = { data: Record<string, unknown>; annotations?: Annotation[]; completions?: Annotation[] };
