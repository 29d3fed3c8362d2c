/** Writes axolotl.yml, tried with Axolotl 0.19.0 (scripts/interop/trainers.mjs), with the rows in the shapes that it reads. */
import type { WrittenRow, WrittenRows } from '../../data/written-row';
import { nested } from '../../recipe/conversion/write';
import type { ExportedFile, ExportWriter } from '../export';
import { alternating, messageRow, PASS_THROUGH } from './config/messages';
import { pythonRewards, REWARDS_FILE } from './config/rewards';
import { baseNotes, type ConfiguredRun, configuredRun, header, readme, rowsFile } from './config/run';
import { haveThoughts, trlRow } from './config/trl-rows';
import { yamlText } from './config/yaml';

const VERSION = '0.19.0';
const FILE = 'axolotl.yml';

type Kind = WrittenRow['kind'];

/** A file of rows of one kind, and how Axolotl reads it. */
interface Shape {
  row(row: WrittenRow, thoughts: boolean): object | null;
  settings: Record<string, unknown>;
}

const CHAT = {
  type: 'chat_template',
  field_messages: 'messages',
  message_property_mappings: { role: 'role', content: 'content' },
  message_field_training: 'training',
  roles_to_train: ['assistant'],
};

/** TRL's own trainer reads these: no `type` rewrites them. */
const AS_IT_IS: Shape = { row: trlRow, settings: {} };

const SHAPES: Record<Kind, Shape> = {
  // As rendered here: a template that only joins texts gives the same tokens, and the learned ones among them.
  parts: {
    row: (row) => (row.kind === 'parts' ? { messages: alternating(row.parts) } : null),
    settings: { ...CHAT, chat_template: 'jinja', chat_template_jinja: PASS_THROUGH, train_on_eos: 'none' },
  },
  text: {
    row: (row) => (row.kind === 'text' ? { text: row.text } : null),
    settings: { type: 'completion', field: 'text' },
  },
  pair: AS_IT_IS,
  judged: AS_IT_IS,
  prompt: AS_IT_IS,
};

/** The file of a side, and how Axolotl reads it; null if there are no rows. */
function fileOf(side: keyof WrittenRows, rows: readonly WrittenRow[]): { file: ExportedFile; dataset: object } | null {
  const [first] = rows;
  if (!first) return null;
  const { row, settings } = SHAPES[first.kind];
  const thoughts = haveThoughts(rows);
  const file = rowsFile(`data/${side}.jsonl`, rows, (one) => row(one, thoughts));
  return { file, dataset: datasetAt(file.path, settings) };
}

const datasetAt = (path: string, settings: object) => ({
  path: `./${path}`,
  ds_type: 'json',
  split: 'train',
  ...settings,
});

/** The same conversations before the template, for another model or template; null where some were not written by it. */
function chatFiles({ rows, data, tokens }: ConfiguredRun): { files: ExportedFile[]; about: string[] } | null {
  const sides = (['train', 'validation'] as const).filter((side) => rows[side].length > 0);
  if (!sides.every((side) => rows[side].every((row) => row.kind === 'parts' && row.messages))) return null;
  const files = sides.map((side) =>
    rowsFile(`data/chat/${side}.jsonl`, rows[side], (row) =>
      row.kind === 'parts' && row.messages ? { messages: row.messages.map(messageRow) } : null,
    ),
  );
  // Axolotl learns the end of a turn only where it is told of it.
  const ends = data.tokens.stop
    .map((id) => tokens.spelled(id))
    .filter((token): token is string => token !== null && token !== tokens.eos);
  const settings = { ...CHAT, chat_template: 'tokenizer_default', train_on_eos: 'turn' };
  const yaml = yamlText(
    [],
    [
      {
        title: 'in place of datasets and test_datasets',
        values: {
          datasets: [datasetAt('data/chat/train.jsonl', settings)],
          ...(sides.length > 1 ? { test_datasets: [datasetAt('data/chat/validation.jsonl', settings)] } : {}),
          ...(ends.length > 0 ? { eot_tokens: ends } : {}),
        },
      },
    ],
  );
  const learnsAll = rows.train.every((row) => row.kind === 'parts' && row.parts.every(({ learned }) => learned));
  return {
    files,
    about: [
      '## Another model, or another template',
      `The rows in \`data\` are texts as the model’s chat template wrote them in Tabtune, so that tokens and what is learned of them are the same. \`data/chat\` has the same conversations before that, for Axolotl to write with the template of any model. ${
        learnsAll
          ? 'It then learns the messages, and not what a template puts between them.'
          : 'It then leaves what a template puts behind the end of an answer, such as a line break, unlearned.'
      }`,
      `\`\`\`yaml\n${yaml.trim()}\n\`\`\``,
    ],
  };
}

export const writeAxolotl: ExportWriter = async (source, job) => {
  const run = await configuredRun('axolotl', source, job);
  const { config, rows, tokens } = run;
  const { sections } = config;
  const [train, validation] = [fileOf('train', rows.train), fileOf('validation', rows.validation)];
  const chat = chatFiles(run);
  // Preferences and prompts go to TRL's own trainers as they are.
  const prepared = ['parts', 'text'].includes(rows.train[0]!.kind);
  const { objective } = run.data.recipe;
  const rewards = 'rewards' in objective ? pythonRewards(objective.rewards) : null;
  const lost = [...config.lost, ...baseNotes(run.base, 'Axolotl')];
  const { output_dir, ...training } = sections.training;
  const text = yamlText(header(source.name, `axolotl train ${FILE}`, `Axolotl ${VERSION}`, lost), [
    {
      title: 'The model',
      values: nested({
        ...sections.model,
        ...(tokens.hasPad || tokens.eos === null ? {} : { 'special_tokens.pad_token': tokens.eos }),
      }),
    },
    {
      title: 'The rows, in the order of the file and split as in Tabtune',
      values: {
        datasets: [train!.dataset],
        ...(validation ? { test_datasets: [validation.dataset] } : {}),
        val_set_size: 0,
        ...sections.dataset,
        ...(prepared
          ? { excess_length_strategy: 'truncate', dataset_prepared_path: './prepared' }
          : { skip_prepare_dataset: true, remove_unused_columns: false }),
      },
    },
    { title: 'What is trained', values: nested(sections.method) },
    {
      title: 'What it learns',
      values: nested({
        ...sections.objective,
        ...(rewards && { 'trl.reward_funcs': rewards.functions, 'trl.reward_weights': rewards.weights }),
      }),
    },
    { title: 'How', values: nested(training) },
    {
      title:
        'Sums in 32 bits, as in Tabtune. bf16: true with attn_implementation: flash_attention_2 is faster and rounds more.',
      values: { bf16: false, tf32: false, attn_implementation: 'sdpa' },
    },
    { title: 'Results', values: { output_dir, logging_steps: 1, save_total_limit: 2 } },
  ]);
  const files: ExportedFile[] = [
    { path: FILE, blob: new Blob([text]) },
    {
      path: 'README.md',
      blob: readme(
        `${source.name}, for Axolotl`,
        [`pip install ${[`axolotl==${VERSION}`, ...(rewards?.packages ?? [])].join(' ')}`, `axolotl train ${FILE}`],
        lost,
        [
          'Run it in this folder. `axolotl.yml` has every setting of the run in Tabtune, because Axolotl has other defaults; `data` has its rows, split as they were there.',
          `The result is in \`${String(output_dir)}\`. Tabtune opens an adapter from there, to compare it or to go on.`,
          ...(rewards ? [`\`${REWARDS_FILE}\` has its rewards, which give answers what they give there.`] : []),
          ...(chat?.about ?? []),
        ],
      ),
    },
    ...[train, validation].flatMap((side) => side?.file ?? []),
    ...(chat?.files ?? []),
    ...(rewards ? [{ path: REWARDS_FILE, blob: new Blob([rewards.code]) }] : []),
    ...run.files,
  ];
  return { files, notes: lost, proof: null };
};
