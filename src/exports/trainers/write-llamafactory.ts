/** Writes llamafactory.yaml, tried with LLaMA-Factory 0.9.5 (scripts/interop/trainers.mjs), with the rows in the shapes that it reads. */
import { TabtuneError } from '../../base/errors';
import type { WrittenRow, WrittenRows } from '../../data/written-row';
import { nested } from '../../recipe/conversion/write';
import type { ExportedFile, ExportWriter } from '../export';
import { alternating, messageRow, type RowMessage } from './config/messages';
import { baseNotes, type ConfiguredRun, configuredRun, header, readme, rowsFile } from './config/run';
import { yamlText } from './config/yaml';

const VERSION = '0.9.5';
const FILE = 'llamafactory.yaml';

type Kind = WrittenRow['kind'];

/** A file of rows of one kind, and what dataset_info.json says of it. */
interface Shape {
  row(row: WrittenRow): object | null;
  info: Record<string, unknown>;
}

/** Conversations by role. */
const CHAT = {
  formatting: 'sharegpt',
  columns: { messages: 'messages' },
  tags: {
    ...{ role_tag: 'role', content_tag: 'content', system_tag: 'system' },
    ...{ user_tag: 'user', assistant_tag: 'assistant', observation_tag: 'tool' },
  },
};

/** As rendered here: its empty template joins prompts and answers, and learns the answers. */
const SHAPES: Record<Exclude<Kind, 'prompt'>, Shape> = {
  parts: {
    row: (row) => (row.kind === 'parts' ? { messages: alternating(row.parts) } : null),
    info: CHAT,
  },
  text: {
    row: (row) => (row.kind === 'text' ? { text: row.text } : null),
    info: { formatting: 'alpaca', columns: { prompt: 'text' } },
  },
  pair: {
    row: (row) => (row.kind === 'pair' ? row.written : null),
    info: {
      ...{ formatting: 'alpaca', ranking: true },
      columns: { prompt: 'prompt', chosen: 'chosen', rejected: 'rejected' },
    },
  },
  judged: {
    row: (row) => (row.kind === 'judged' ? { ...row.written, label: row.good } : null),
    info: { formatting: 'alpaca', columns: { prompt: 'prompt', response: 'completion', kto_tag: 'label' } },
  },
};

function shapeOf({ kind }: WrittenRow): Shape {
  if (kind !== 'prompt') return SHAPES[kind];
  throw new TabtuneError({
    code: 'bad_recipe',
    message: 'LLaMA-Factory does not learn from prompts alone.',
    action: 'Export for Axolotl or TRL.',
  });
}

/** It skips conversations whose roles do not take turns. */
function takesTurns(messages: readonly RowMessage[]): boolean {
  const spoken = messages[0]?.role === 'system' ? messages.slice(1) : messages;
  const inTurn = spoken.every(({ role }, i) =>
    i % 2 === 0 ? role === 'user' || role === 'tool' : role === 'assistant',
  );
  return inTurn && spoken.length > 0 && spoken.length % 2 === 0;
}

/** The same conversations before the template, for another model or template; null where LLaMA-Factory could not write them all. */
function chatFiles({
  rows,
}: ConfiguredRun): { files: ExportedFile[]; info: Record<string, object>; about: string[] } | null {
  const sides = (['train', 'validation'] as const).filter((side) => rows[side].length > 0);
  const line = (row: WrittenRow) => {
    const messages = row.kind === 'parts' ? (row.messages?.map(messageRow) ?? []) : [];
    // One text is what an assistant says, and all of its texts are learned.
    const plain = messages.every(({ reasoning_content, training }) => !reasoning_content && training !== false);
    return plain && takesTurns(messages) ? { messages } : null;
  };
  if (!sides.every((side) => rows[side].every((row) => line(row) !== null))) return null;
  const files = sides.map((side) => rowsFile(`data/chat_${side}.jsonl`, rows[side], line));
  return {
    files,
    info: Object.fromEntries(sides.map((side) => [`chat_${side}`, { file_name: `chat_${side}.jsonl`, ...CHAT }])),
    about: [
      '## Another model, or another template',
      `The rows in \`data\` are texts as the model’s chat template wrote them in Tabtune, so that tokens and what is learned of them are the same. \`data/chat_train.jsonl\` has the same conversations before that: set \`dataset: chat_train\`${sides.length > 1 ? ', `eval_dataset: chat_validation`' : ''} and \`template\` to the one of the other model.`,
    ],
  };
}

const answersIn = (row: WrittenRow): string[] => {
  if (row.kind === 'pair') return [row.written.chosen, row.written.rejected];
  if (row.kind === 'judged') return [row.written.completion];
  return row.kind === 'parts' ? row.parts.flatMap(({ text, learned }) => (learned ? text : [])) : [];
};

function differences({ config, rows, data, tokens, base }: ConfiguredRun, dtype: string): string[] {
  const { kind } = rows.train[0]!;
  const notes = [...config.lost];
  if (kind !== 'text') {
    notes.push(
      rows.train.some((row) => answersIn(row).some(tokens.prefixes))
        ? 'LLaMA-Factory tokenises prompts and answers apart, and this model’s tokenizer puts a space in front of every text: the first token of an answer may differ.'
        : 'LLaMA-Factory tokenises prompts and answers apart: a token differs where it would hold the end of one and the start of the other.',
    );
    if ([...data.train, ...data.validation].some(({ truncatedBy }) => truncatedBy > 0)) {
      notes.push(
        `Texts of more than ${data.maxLength} tokens are cut off at the end; LLaMA-Factory shortens prompts and answers, each by its length.`,
      );
    }
  }
  if (!/^(F32|float32)$/i.test(dtype)) {
    notes.push('LLaMA-Factory computes in the precision that the base is stored in; here sums are taken in 32 bits.');
  }
  return [...notes, ...baseNotes(base, 'LLaMA-Factory')];
}

export const writeLlamaFactory: ExportWriter = async (source, job) => {
  const run = await configuredRun('llamafactory', source, job);
  const { config, rows } = run;
  const { sections } = config;
  const shape = shapeOf(rows.train[0]!);
  const sides = (['train', 'validation'] as const satisfies (keyof WrittenRows)[]).filter(
    (side) => rows[side].length > 0,
  );
  const files = sides.map((side) => rowsFile(`data/${side}.jsonl`, rows[side], shape.row));
  const chat = chatFiles(run);
  const lost = differences(run, source.model.info.dtype);
  const info = {
    ...Object.fromEntries(sides.map((side) => [side, { file_name: `${side}.jsonl`, ...shape.info }])),
    ...chat?.info,
  };
  const { output_dir, ...training } = sections.training;
  const { stage, ...objective } = sections.objective;
  const text = yamlText(header(source.name, `llamafactory-cli train ${FILE}`, `LLaMA-Factory ${VERSION}`, lost), [
    { title: 'The model', values: { ...sections.model, flash_attn: 'sdpa' } },
    {
      title: 'The rows, in the order of the file and split as in Tabtune',
      values: {
        dataset_dir: './data',
        dataset: 'train',
        ...(sides.length > 1 ? { eval_dataset: 'validation' } : {}),
        template: 'empty',
        ...nested(sections.dataset),
        overwrite_cache: true,
      },
    },
    { title: 'What is trained', values: { do_train: true, stage, ...nested(sections.method) } },
    { title: 'What it learns', values: nested(objective) },
    { title: 'How', values: nested(training) },
    {
      title: 'No bfloat16, as in Tabtune. bf16: true is faster and rounds more.',
      values: { bf16: false },
    },
    { title: 'Results', values: { output_dir, logging_steps: 1, save_total_limit: 2, report_to: 'none' } },
  ]);
  const all: ExportedFile[] = [
    { path: FILE, blob: new Blob([text]) },
    {
      path: 'README.md',
      blob: readme(
        `${source.name}, for LLaMA-Factory`,
        [`pip install llamafactory==${VERSION}`, `llamafactory-cli train ${FILE}`],
        lost,
        [
          'Run it in this folder. `llamafactory.yaml` has every setting of the run in Tabtune, because LLaMA-Factory has other defaults; `data` has its rows, split as they were there, and `dataset_info.json`, which describes them.',
          `The result is in \`${String(output_dir)}\`. Tabtune opens an adapter from there, to compare it or to go on.`,
          ...(chat?.about ?? []),
        ],
      ),
    },
    { path: 'data/dataset_info.json', blob: new Blob([`${JSON.stringify(info, null, 2)}\n`]) },
    ...files,
    ...(chat?.files ?? []),
    ...run.files,
  ];
  return { files: all, notes: lost, proof: null };
};
