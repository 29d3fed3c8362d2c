/** Training settings in other trainers' configs. */
import { objectiveOf } from '../../objectives';
import type { RecipePath } from '../fields';
import { firstOf, lost, not, same, unless } from './entries';
import { rateRows } from './rate-fields';
import { type Config, type ConfigReader, type Entry, type Row, type Run, Unreadable } from './types';

const everywhere = (key: string, absent?: { axolotl?: unknown; llamafactory?: unknown; trl?: unknown }): Row => ({
  axolotl: same(key, { absent: absent?.axolotl }),
  llamafactory: same(key, { absent: absent?.llamafactory }),
  trl: same(key, { absent: absent?.trl }),
});

/** No trainer has it; `what` is its name in a sentence. */
function nowhere(off: unknown, what: string): Row {
  const inTrainer = (trainer: string) => lost((value) => (value === off ? null : `${trainer} has no ${what}.`));
  return { axolotl: inTrainer('Axolotl'), llamafactory: inTrainer('LLaMA-Factory'), trl: inTrainer('TRL') };
}

/** Trained by TRL's trainers of preferences and rewards, which not all of Axolotl's settings reach. */
const byTrl = ({ recipe }: Run): boolean => {
  const { compares, figures } = objectiveOf(recipe.objective);
  return compares === true || figures === 'rewards';
};

/** TRL switches the model's dropout off when answers are compared; otherwise transformers applies it. */
const dropout = (trainer: string): Entry =>
  lost((value, { recipe, facts }) => {
    if (!facts.dropout) return null;
    const off = objectiveOf(recipe.objective).compares === true;
    if (value === !off) return null;
    return off
      ? `${trainer} switches the model’s dropout off for this objective; here it is on.`
      : `${trainer} applies the dropout of the model’s config.json; here it is off. Set the rates in config.json to 0 for the same.`;
  });

const steps = (at: ConfigReader, key: string): unknown => {
  const every = at(key);
  if (typeof every === 'number' && every > 0 && every < 1) {
    throw new Unreadable('it is a share of the run, and here it is a number of steps.');
  }
  return every;
};

/** Evaluated every so many steps; no trainer knows “only before and after”. */
const evaluated = (always: Config, never: Config = {}): Entry => ({
  write: (value, { facts }): Config => {
    if (!facts.validates) return { eval_strategy: 'no' };
    return (value as number) > 0
      ? { eval_strategy: 'steps', eval_steps: value, ...always }
      : { eval_strategy: 'no', ...never };
  },
  read(at) {
    const strategy = firstOf(at, ['eval_strategy', 'evaluation_strategy']);
    if (strategy === 'no') return 0;
    if (strategy === 'epoch') throw new Unreadable('it is once an epoch, and here it is a number of steps.');
    return steps(at, 'eval_steps');
  },
  lost: (value, { facts }) =>
    facts.validates && value === 0 && Object.keys(never).length === 0
      ? 'Nothing is evaluated: that happens every so many steps, or never.'
      : null,
});

/** The best checkpoint is kept only if one is saved at each evaluation. */
function savedEvery(value: unknown, { recipe, facts }: Run): number {
  const evaluations = facts.validates ? recipe.training.eval_steps : 0;
  const every = value as number;
  if (evaluations === 0 || (every > 0 && every % evaluations === 0)) return every;
  return evaluations;
}

const saved: Entry = {
  write(value, run): Config {
    const every = savedEvery(value, run);
    return every > 0 ? { save_strategy: 'steps', save_steps: every } : { save_strategy: 'no' };
  },
  read(at) {
    const strategy = at('save_strategy');
    if (strategy === 'no') return 0;
    if (strategy === 'epoch') throw new Unreadable('it is once an epoch, and here it is a number of steps.');
    return steps(at, 'save_steps');
  },
  lost(value, run) {
    const every = savedEvery(value, run);
    return every === value
      ? null
      : `A checkpoint is saved every ${every} steps instead of ${value === 0 ? 'by time' : `every ${value}`}: the best one is kept only where it is evaluated and saved at once.`;
  },
};

const stopsEarly = ({ recipe, facts }: Run) => facts.validates && recipe.training.eval_steps > 0;

const BEST = { load_best_model_at_end: true } as const;
const BY_LOSS = { metric_for_best_model: 'eval_loss', greater_is_better: false } as const;

/** `key` counts evaluations without improvement. */
const patience = (key: string | null, trainer: string, impossible: (run: Run) => string | null): Entry => ({
  write(value, run): Config {
    if (!stopsEarly(run) || impossible(run)) return {};
    return { ...BEST, ...BY_LOSS, ...(key && (value as number) > 0 ? { [key]: value } : {}) };
  },
  read: (at) => (key ? at(key) : undefined),
  absent: 0,
  lost(value, run) {
    if (!stopsEarly(run)) return null;
    const why = impossible(run);
    if (why !== null) return why;
    return key === null && (value as number) > 0 ? `${trainer}’s file has no early stopping.` : null;
  },
});

export const FP16_DIFFERENCE = (trainer: string) =>
  `With fp16, ${trainer} rounds whole layers and their gradients to 16 bits, and scales the loss; here only the inputs of large matrix products are rounded.`;

const halves = (trainer: string): Entry => ({
  ...same('fp16', { absent: false }),
  lost: (value) => (value === true ? FP16_DIFFERENCE(trainer) : null),
});

const LAST_ONE = (trainer: string) =>
  `With this objective, ${trainer} neither stops early nor keeps the best step: take it from the checkpoints.`;

export const trainingRows: Record<Extract<RecipePath, `training.${string}`>, Row> = {
  ...rateRows,
  'training.num_train_epochs': {
    axolotl: same('num_epochs', { absent: 1 }),
    llamafactory: same('num_train_epochs', { absent: 3 }),
    trl: same('num_train_epochs', { absent: 3 }),
  },
  'training.max_steps': {
    axolotl: unless(-1, 'max_steps'),
    llamafactory: unless(-1, 'max_steps'),
    trl: unless(-1, 'max_steps'),
  },
  'training.per_device_train_batch_size': {
    axolotl: {
      // What it evaluates at once is no setting here.
      write: (value) => ({ micro_batch_size: value, eval_batch_size: value }),
      read: (at) => at('micro_batch_size'),
      absent: 1,
    },
    llamafactory: perDevice(),
    trl: perDevice(),
  },
  'training.gradient_accumulation_steps': everywhere('gradient_accumulation_steps', {
    axolotl: 1,
    llamafactory: 1,
    trl: 1,
  }),
  'training.gradient_checkpointing': {
    // Where memory decides, it is on: the sums are the same.
    axolotl: { ...same('gradient_checkpointing', { absent: false }), write: onUnlessOff('gradient_checkpointing') },
    llamafactory: {
      ...not('disable_gradient_checkpointing', { absent: true }),
      write: (value) => ({ disable_gradient_checkpointing: value === false }),
    },
    trl: { ...same('gradient_checkpointing', { absent: true }), write: onUnlessOff('gradient_checkpointing') },
  },
  'training.fp16': { axolotl: halves('Axolotl'), llamafactory: halves('LLaMA-Factory'), trl: halves('TRL') },
  'training.eval_steps': {
    axolotl: evaluated({}),
    llamafactory: evaluated({ do_eval: true, eval_on_start: true }, { do_eval: true }),
    trl: evaluated({ eval_on_start: true }),
  },
  'training.save_steps': { axolotl: saved, llamafactory: saved, trl: saved },
  'training.early_stopping_patience': {
    axolotl: patience('early_stopping_patience', 'Axolotl', (run) => (byTrl(run) ? LAST_ONE('Axolotl') : null)),
    llamafactory: patience('early_stopping_steps', 'LLaMA-Factory', ({ recipe }) =>
      objectiveOf(recipe.objective).learns === 'labels' ? LAST_ONE('LLaMA-Factory') : null,
    ),
    trl: patience(null, 'TRL', () => null),
  },
  'training.model_dropout': {
    axolotl: dropout('Axolotl'),
    llamafactory: dropout('LLaMA-Factory'),
    trl: dropout('TRL'),
  },
  'training.label_smoothing_factor': {
    axolotl: lost((value) => (value === 0 ? null : 'Axolotl has no label smoothing.')),
    llamafactory: same('label_smoothing_factor', { absent: 0 }),
    trl: same('label_smoothing_factor', { absent: 0 }),
  },
  'training.neftune_noise_alpha': {
    axolotl: {
      ...unless(0, 'neftune_noise_alpha'),
      lost: (value, run) =>
        value !== 0 && byTrl(run) ? 'With this objective, Axolotl does not pass NEFTune on.' : null,
    },
    llamafactory: unless(0, 'neftune_noise_alpha'),
    trl: unless(0, 'neftune_noise_alpha'),
  },
  'training.ewc_lambda': nowhere(0, 'penalty on moving weights (EWC)'),
  'training.l2_sp_alpha': nowhere(0, 'penalty on moving weights (L2-SP)'),
  'training.replay_ratio': {
    ...nowhere(0, 'replay of base text: put such text among the rows'),
    // Its rows are those of the script, which has the pieces behind the examples.
    trl: lost((value) =>
      value === 0 ? null : 'The pieces of base text are rows like the others, and not a share of every step.',
    ),
  },
  'training.ema_decay': nowhere(0, 'moving average of the weights'),
  'training.seed': {
    axolotl: same('seed', { absent: 42 }),
    llamafactory: {
      write: (value) => ({ seed: value, data_seed: value }),
      read: (at) => at('seed'),
      absent: 42,
    },
    trl: same('seed', { absent: 42 }),
  },
};

function onUnlessOff(key: string): NonNullable<Entry['write']> {
  return (value) => ({ [key]: value !== false });
}

function perDevice(): Entry {
  return {
    write: (value) => ({ per_device_train_batch_size: value, per_device_eval_batch_size: value }),
    read: (at) => at('per_device_train_batch_size'),
    absent: 8,
  };
}
