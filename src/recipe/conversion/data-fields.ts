/** The model and the dataset in other trainers' configs. */
import { objectiveOf } from '../../objectives';
import type { RecipePath } from '../fields';
import { asNumber, choice, firstOf, inRows, isOn, not, same } from './entries';
import { type Config, type ConfigReader, type Entry, type Row, Unreadable } from './types';

type PathOf<S extends string> = Extract<RecipePath, `${S}.${string}`>;

const HUB_NAME = /^[\w-][\w.-]*\/[\w-][\w.-]*$/;

/** A model of the Hub under its name there; nothing else can be found from here. */
function hubModel(name: unknown, revision: unknown): unknown {
  if (name === undefined) return undefined;
  if (typeof name !== 'string') throw new Unreadable('it is not the name of a model.');
  const outside = /^([./~\\]|[a-z]:\\)/i.test(name);
  if (outside || !HUB_NAME.test(name)) {
    throw new Unreadable(
      outside
        ? 'it is a folder on another machine: drop that folder on the Model page.'
        : 'it is not ORG/NAME on the Hugging Face Hub: choose the model on the Model page.',
    );
  }
  return typeof revision === 'string' && revision !== 'main' ? `hf:${name}@${revision}` : `hf:${name}`;
}

const model = (name: string, revision: string): Entry => ({
  write: (_source, { facts: { base } }): Config => ({
    [name]: base.name,
    ...(base.revision === null ? {} : { [revision]: base.revision }),
  }),
  read: (at) => hubModel(at(name), at(revision)),
});

/** The last part of a folder's path names the run. */
const named: Entry = {
  write: (name) => ({ output_dir: `./outputs/${String(name).replace(/[^\p{L}\p{N}._-]+/gu, '-')}` }),
  read(at) {
    const folder = at('output_dir');
    if (typeof folder !== 'string') return undefined;
    return (
      folder
        .replace(/[\\/]+$/, '')
        .split(/[\\/]/)
        .at(-1)
        ?.slice(0, 100) || undefined
    );
  },
};

export const nameRow: Row = { axolotl: named, llamafactory: named, trl: named };

const EIGHT_BIT = (trainer: string) =>
  `${trainer} quantises to 8 bits with bitsandbytes, which keeps outliers in 16 bits; Tabtune rounds all of a row alike.`;

/** bitsandbytes through two flags. */
function inBits(at: ConfigReader): unknown {
  const [four, eight] = [at('load_in_4bit'), at('load_in_8bit')];
  if (isOn(four)) {
    const type = firstOf(at, ['bnb_config_kwargs.bnb_4bit_quant_type', 'bnb_4bit_quant_type']);
    if (type !== undefined && type !== 'nf4') throw new Unreadable('Tabtune’s four bits are nf4.');
    return 'nf4';
  }
  if (isOn(eight)) return 'q8';
  return four === undefined && eight === undefined ? undefined : 'none';
}

export const modelRows: Record<PathOf<'model'>, Row> = {
  'model.source': {
    axolotl: model('base_model', 'revision_of_model'),
    llamafactory: model('model_name_or_path', 'model_revision'),
    trl: model('model_name_or_path', 'model_revision'),
    peft: model('base_model_name_or_path', 'revision'),
  },
  'model.quantization': {
    axolotl: {
      write: (value) => ({
        load_in_4bit: value === 'nf4',
        load_in_8bit: value === 'q8',
        ...(value === 'nf4' && {
          'bnb_config_kwargs.bnb_4bit_quant_type': 'nf4',
          'bnb_config_kwargs.bnb_4bit_use_double_quant': true,
        }),
      }),
      read: inBits,
      absent: 'none',
      lost: (value) => (value === 'q8' ? EIGHT_BIT('Axolotl') : null),
    },
    llamafactory: {
      write: (value): Config =>
        value === 'none'
          ? {}
          : {
              quantization_bit: value === 'nf4' ? 4 : 8,
              quantization_method: 'bnb',
              ...(value === 'nf4' && { quantization_type: 'nf4', double_quantization: true }),
            },
      read(at) {
        const bits = asNumber(at('quantization_bit'));
        if (bits === undefined) return undefined;
        const type = at('quantization_type') ?? 'nf4';
        const method = at('quantization_method') ?? 'bnb';
        if ((bits === 4 && type === 'nf4' && method === 'bnb') || (bits === 8 && method === 'bnb')) {
          return bits === 4 ? 'nf4' : 'q8';
        }
        throw new Unreadable('Tabtune quantises to nf4 or to 8 bits.');
      },
      absent: 'none',
      lost: (value) => (value === 'q8' ? EIGHT_BIT('LLaMA-Factory') : null),
    },
    trl: {
      write: (value) => ({
        load_in_4bit: value === 'nf4',
        load_in_8bit: value === 'q8',
        ...(value === 'nf4' && { bnb_4bit_quant_type: 'nf4', use_bnb_nested_quant: true }),
      }),
      read: inBits,
      absent: 'none',
      lost: (value) => (value === 'q8' ? EIGHT_BIT('TRL') : null),
    },
  },
};

/** A share of the rows; whole numbers above are a number of rows. */
const heldOut = (key: string, file: string): Entry => ({
  read(at) {
    const share = at(key);
    if (at(file) !== undefined) throw new Unreadable('the held-out rows are in a file of their own.');
    if (share === undefined) return undefined;
    if ((asNumber(share) ?? 0) >= 1) {
      throw new Unreadable('it is a number of rows, and here it is a share: set dataset.validation_split.');
    }
    return share;
  },
});

const maxLength = (keys: [string, ...string[]], absent: number): Entry => ({
  write: (_value, { facts }) => ({ [keys[0]]: facts.maxLength }),
  read: (at) => firstOf(at, keys),
  absent,
});

const OWN_ORDER = (trainer: string) => (shuffled: unknown) =>
  shuffled ? `${trainer} shuffles with a generator of its own: the same rows in another order.` : null;

const EVERYWHERE_IN_ROWS: Row = { axolotl: inRows, llamafactory: inRows, trl: inRows };
const readsText = ({ recipe }: Parameters<NonNullable<Entry['lost']>>[1]) =>
  objectiveOf(recipe.objective).learns === 'text';

export const datasetRows: Record<PathOf<'dataset'>, Row> = {
  'dataset.source': EVERYWHERE_IN_ROWS,
  'dataset.format': EVERYWHERE_IN_ROWS,
  'dataset.columns': EVERYWHERE_IN_ROWS,
  'dataset.merge_labels': EVERYWHERE_IN_ROWS,
  'dataset.encoding': EVERYWHERE_IN_ROWS,
  'dataset.table': EVERYWHERE_IN_ROWS,
  'dataset.replace_personal': EVERYWHERE_IN_ROWS,
  'dataset.drop_personal': EVERYWHERE_IN_ROWS,
  'dataset.near_duplicates': EVERYWHERE_IN_ROWS,
  'dataset.validation_leaks': EVERYWHERE_IN_ROWS,
  'dataset.leave_out_rows': EVERYWHERE_IN_ROWS,
  'dataset.max_samples': { ...EVERYWHERE_IN_ROWS, llamafactory: { read: (at) => at('max_samples') } },
  'dataset.mix': EVERYWHERE_IN_ROWS,
  'dataset.base_text': EVERYWHERE_IN_ROWS,
  'dataset.validation_split': {
    axolotl: heldOut('val_set_size', 'test_datasets'),
    llamafactory: heldOut('val_size', 'eval_dataset'),
    trl: heldOut('test_split_size', 'dataset_test_split'),
  },
  'dataset.shuffle': {
    axolotl: {
      // The first shuffles the file, the second switches off the shuffling of every epoch.
      write: (value) => ({ shuffle_merged_datasets: value, curriculum_sampling: !value }),
      read(at) {
        const ordered = at('curriculum_sampling');
        return ordered === undefined ? undefined : !isOn(ordered);
      },
      absent: true,
      lost: OWN_ORDER('Axolotl'),
    },
    llamafactory: not('disable_shuffling', { absent: true, lost: OWN_ORDER('LLaMA-Factory') }),
    trl: choiceOfOrder(),
  },
  'dataset.max_length': {
    axolotl: maxLength(['sequence_len'], 512),
    llamafactory: {
      // It takes one token off where rows are packed.
      write: (_value, { recipe, facts }) => ({ cutoff_len: facts.maxLength + (recipe.dataset.packing ? 1 : 0) }),
      read(at) {
        const limit = at('cutoff_len');
        const whole = asNumber(limit);
        return whole !== undefined && (isOn(at('packing')) || isOn(at('neat_packing'))) ? whole - 1 : limit;
      },
      absent: 2048,
    },
    trl: maxLength(['max_length', 'max_seq_length'], 1024),
  },
  'dataset.packing': {
    axolotl: {
      write: (value) => ({ sample_packing: value, eval_sample_packing: value }),
      read: (at) => at('sample_packing'),
      absent: false,
      lost: (value) =>
        value ? 'Axolotl packs rows in an order of its own, so a step holds other examples than here.' : null,
    },
    llamafactory: {
      // Neat packing keeps the texts of a row apart; it refuses it for plain text.
      write: (value, run): Config => ({ packing: value, ...(readsText(run) ? {} : { neat_packing: value }) }),
      read: (at) => (isOn(at('neat_packing')) ? true : at('packing')),
      absent: false,
      lost: (value, run) =>
        value && readsText(run)
          ? 'LLaMA-Factory lets the texts that share a row see each other; here they do not. It leaves out what does not fill the last row.'
          : null,
    },
    trl: same('packing', { absent: false }),
  },
  'dataset.system_fallback': EVERYWHERE_IN_ROWS,
  'dataset.templated_text': EVERYWHERE_IN_ROWS,
};

function choiceOfOrder(): Entry {
  const { write, read } = choice('train_sampling_strategy', {
    true: ['random', 'group_by_length'],
    false: ['sequential'],
  });
  return {
    write,
    read(at) {
      const found = read!(at);
      return found === undefined ? undefined : found === 'true';
    },
    absent: true,
    lost: OWN_ORDER('TRL'),
  };
}
