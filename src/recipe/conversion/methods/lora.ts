/** LoRA and its variants in other trainers. */
import type { LoraMethod } from '../../../methods/lora';
import { asNumber, commaList, commaSeparated, isOn, lost, same, unless } from '../entries';
import { type Config, type ConfigReader, type Entry, type TypeConversion, Unreadable } from '../types';

/** `all-linear`, or a list; as a text, other trainers separate names with commas, and PEFT takes a pattern. */
const targets = (at: ConfigReader, key: string, all: string): unknown => {
  const value = at(key);
  if (value === all || (Array.isArray(value) && value.length === 1 && value[0] === all)) return 'all-linear';
  if (typeof value === 'string' && /[.^$*+?()[\]\\|]/.test(value)) {
    throw new Unreadable('it is a pattern of names; list the modules in method.target_modules.');
  }
  return commaSeparated(value);
};

/** PEFT's own names, under which TRL and Axolotl pass the fields on with a prefix. */
const INIT: Entry = {
  write: (value): Config => (value === 'default' ? {} : { init_lora_weights: value }),
  read: (at) => initOf(at('init_lora_weights')),
  absent: 'default',
};

function initOf(value: unknown): unknown {
  if (value === undefined) return undefined;
  if (value === true || value === 'true') return 'default';
  if (value === 'gaussian' || value === 'pissa') return value;
  if (typeof value === 'string' && value.startsWith('pissa_niter_')) return 'pissa';
  throw new Unreadable('Tabtune starts adapters in the usual way, from a normal distribution, or with PiSSA.');
}

/** The start of a run goes along, whether it is a new adapter or one to go on from. */
const start = (key: string, trainer: string, whenGoingOn?: Entry['lost']): Entry => ({
  write: (_value, { facts }): Config => (facts.initialAdapter === null ? {} : { [key]: facts.initialAdapter }),
  read(at) {
    if (at(key) === undefined) return undefined;
    throw new Unreadable(
      'it is a folder on another machine: open that adapter on the Compare page and continue from it.',
    );
  },
  absent: null,
  lost(value, run) {
    if (value === null) return null;
    if (run.facts.initialAdapter !== null) return whenGoingOn?.(value, run) ?? null;
    return `${trainer} begins with a new adapter for this objective, and not with the one that the run goes on from: merge that one into the base first.`;
  },
});

/** Its reference is the model without any adapter. */
const otherReference: Entry['lost'] = (_value, { recipe: { objective } }) =>
  'precompute_ref_log_probs' in objective
    ? 'LLaMA-Factory’s reference is the base without an adapter; here it is the adapter as it was when the run began.'
    : null;

const list = (key: string): Entry => ({
  write: (value): Config => ((value as string[]).length === 0 ? {} : { [key]: value }),
  read: (at) => commaSeparated(at(key)),
  absent: [],
});

const pattern = (key: string): Entry => ({
  write: (value): Config => (Object.keys(value as object).length === 0 ? {} : { [key]: value }),
  read: (at) => at(key),
  absent: {},
});

const none = (value: unknown) => Object.keys(value as object).length === 0;

const whole = (alpha: unknown) => Math.max(1, Math.round(alpha as number));

export const lora: TypeConversion<LoraMethod> = {
  type: 'lora',
  in: {
    axolotl: {
      marks: (_section, { recipe }) => ({ adapter: recipe.model.quantization === 'nf4' ? 'qlora' : 'lora' }),
      is: (at) => ['lora', 'qlora'].includes(String(at('adapter'))),
      fields: {
        r: same('lora_r', { absent: 8 }),
        lora_alpha: {
          write: (value) => ({ lora_alpha: whole(value) }),
          read: (at) => at('lora_alpha'),
          lost: (value) =>
            value === whole(value)
              ? null
              : `Axolotl takes whole numbers for lora_alpha: it is ${whole(value)} and not ${value}.`,
        },
        lora_dropout: same('lora_dropout', { absent: 0 }),
        target_modules: {
          // PEFT's word, which finds the modules of every family; lora_target_linear misses GPT-2's.
          write: (value) => ({ lora_target_modules: value }),
          read(at) {
            const listed = at('lora_target_modules');
            // All linear layers besides those on the list.
            return isOn(at('lora_target_linear'))
              ? 'all-linear'
              : listed && targets(at, 'lora_target_modules', 'all-linear');
          },
        },
        use_rslora: unless(false, 'peft_use_rslora'),
        use_dora: unless(false, 'peft_use_dora'),
        init_lora_weights: {
          write: (value): Config => (value === 'default' ? {} : { peft_init_lora_weights: value }),
          read: (at) => initOf(at('peft_init_lora_weights')),
          absent: 'default',
        },
        rank_pattern: pattern('lora_rank_pattern'),
        alpha_pattern: {
          write: (value): Config =>
            none(value)
              ? {}
              : {
                  lora_alpha_pattern: Object.fromEntries(
                    Object.entries(value as object).map(([name, alpha]) => [name, whole(alpha)]),
                  ),
                },
          read: (at) => at('lora_alpha_pattern'),
          absent: {},
          lost: (value) =>
            Object.values(value as object).every((alpha) => alpha === whole(alpha))
              ? null
              : 'Axolotl takes whole numbers for the alphas of alpha_pattern: they are rounded.',
        },
        loraplus_lr_ratio: unless(1, 'loraplus_lr_ratio'),
        modules_to_save: list('lora_modules_to_save'),
        init_adapter: start('lora_model_dir', 'Axolotl'),
      },
    },
    llamafactory: {
      marks: () => ({ finetuning_type: 'lora' }),
      is: (at) => [undefined, 'lora'].includes(at('finetuning_type') as string | undefined),
      fields: {
        r: same('lora_rank', { absent: 8 }),
        lora_alpha: {
          ...same('lora_alpha'),
          read(at) {
            const alpha = at('lora_alpha');
            if (alpha !== undefined) return alpha;
            // Twice the rank, if nothing is said.
            const rank = at('lora_rank');
            return rank === undefined ? undefined : 2 * (asNumber(rank) ?? 8);
          },
          absent: 16,
        },
        lora_dropout: same('lora_dropout', { absent: 0 }),
        target_modules: {
          write: (value, { facts }) => ({
            lora_target:
              value === 'all-linear' ? (facts.transposed?.join(',') ?? 'all') : (value as string[]).join(','),
          }),
          read: (at) => targets(at, 'lora_target', 'all'),
          absent: 'all-linear',
        },
        use_rslora: unless(false, 'use_rslora'),
        use_dora: unless(false, 'use_dora'),
        init_lora_weights: {
          write: (value): Config =>
            // The whole decomposition, and saved as a plain adapter, as here.
            value === 'pissa' ? { pissa_init: true, pissa_iter: -1, pissa_convert: true } : {},
          read(at) {
            const pissa = at('pissa_init');
            return pissa === undefined ? undefined : isOn(pissa) ? 'pissa' : 'default';
          },
          absent: 'default',
          lost: (value) =>
            value === 'gaussian' ? 'LLaMA-Factory starts A uniformly, and not from a normal distribution.' : null,
        },
        rank_pattern: lost((value) =>
          none(value) ? null : 'LLaMA-Factory has one rank for all modules: rank_pattern is left out.',
        ),
        alpha_pattern: lost((value) =>
          none(value) ? null : 'LLaMA-Factory has one alpha for all modules: alpha_pattern is left out.',
        ),
        loraplus_lr_ratio: unless(1, 'loraplus_lr_ratio'),
        modules_to_save: commaList('additional_target', { absent: [] }),
        init_adapter: start('adapter_name_or_path', 'LLaMA-Factory', otherReference),
      },
    },
    trl: {
      marks: () => ({ use_peft: true }),
      is: (at) => isOn(at('use_peft')) || at('lora_r') !== undefined || at('lora_target_modules') !== undefined,
      fields: {
        r: same('lora_r', { absent: 16 }),
        lora_alpha: same('lora_alpha', { absent: 32 }),
        lora_dropout: same('lora_dropout', { absent: 0.05 }),
        target_modules: {
          write: (value) => ({ lora_target_modules: value }),
          read: (at) => targets(at, 'lora_target_modules', 'all-linear'),
        },
        use_rslora: unless(false, 'use_rslora'),
        use_dora: unless(false, 'use_dora'),
        init_lora_weights: lost((value) => (value === 'default' ? null : `TRL’s file has no ${value} initialisation.`)),
        rank_pattern: lost((value) => (none(value) ? null : 'TRL’s file has one rank for all modules.')),
        alpha_pattern: lost((value) => (none(value) ? null : 'TRL’s file has one alpha for all modules.')),
        loraplus_lr_ratio: lost((value) => (value === 1 ? null : 'TRL’s file has no LoRA+.')),
        modules_to_save: list('lora_modules_to_save'),
        init_adapter: lost((value) => (value === null ? null : 'TRL’s file names no adapter to continue from.')),
      },
    },
    peft: {
      marks: () => ({ peft_type: 'LORA' }),
      is: (at) => at('peft_type') === 'LORA',
      fields: {
        r: same('r', { absent: 8 }),
        lora_alpha: same('lora_alpha', { absent: 8 }),
        lora_dropout: same('lora_dropout', { absent: 0 }),
        target_modules: {
          write: (value) => ({ target_modules: value }),
          read: (at) => targets(at, 'target_modules', 'all-linear'),
        },
        use_rslora: unless(false, 'use_rslora'),
        use_dora: unless(false, 'use_dora'),
        init_lora_weights: INIT,
        rank_pattern: pattern('rank_pattern'),
        alpha_pattern: pattern('alpha_pattern'),
        loraplus_lr_ratio: {},
        modules_to_save: list('modules_to_save'),
        init_adapter: {},
      },
    },
  },
};
