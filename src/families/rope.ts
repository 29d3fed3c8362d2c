/**
 * Rotary positions as configs describe them: transformers 5 writes `rope_parameters` for what were rope_theta, rope_scaling
 * and partial_rotary_factor. If a field is in two places, the same one wins as in transformers.
 */
import { OTHER_MODEL, refuse, show } from '../base/bad-model';
import { CONFIG, dimension, flag, positive, RESTORE } from './config';

/** A scaling of the frequencies, with its numbers. */
export type RopeScaling =
  | { rope_type: 'linear'; factor: number }
  | {
      rope_type: 'llama3';
      factor: number;
      low_freq_factor: number;
      high_freq_factor: number;
      original_max_position_embeddings: number;
    }
  | {
      rope_type: 'yarn';
      factor: number;
      original_max_position_embeddings: number;
      beta_fast: number;
      beta_slow: number;
      truncate: boolean;
      /** Multiplies cosines and sines. */
      attention_factor: number;
    }
  | { rope_type: 'longrope'; short_factor: number[]; attention_factor: number };

export interface Rope {
  theta: number;
  /** The first dimensions of a head, which are rotated; an even number. */
  dims: number;
  scaling: RopeScaling | null;
}

/** `default` is no scaling at all. */
export type RopeKind = RopeScaling['rope_type'] | 'default' | 'dynamic';

export interface RopeSetting {
  kinds: readonly RopeKind[];
  headDim: number;
  /** The context that the config gives. */
  positions: number;
  theta?: number;
  /** Rotating only a part of each head is allowed. */
  partial?: boolean;
  /** Other names of a kind in old configs. */
  aliases?: Record<string, RopeKind>;
}

type Json = Record<string, unknown>;

/** From the top level of a config that has no fields by type of layer. */
export function readRope(json: Json, setting: RopeSetting): Rope {
  const older = section(json, 'rope_scaling');
  const field = Object.keys(older).length > 0 ? 'rope_scaling' : 'rope_parameters';
  const fields = field === 'rope_scaling' ? older : section(json, field);
  const inherited = {
    rope_theta: json.rope_theta,
    partial_rotary_factor: json.partial_rotary_factor,
    original_max_position_embeddings: json.original_max_position_embeddings,
  };
  return readRopeFields(fields, field, setting, inherited);
}

/** The object under `name`; empty when there is none. */
export function section(json: Json, name: string, path = name): Json {
  const value = json[name] ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    refuse(`${CONFIG}, ${path}`, `${name} is ${show(value)}, not an object.`, RESTORE);
  }
  return value as Json;
}

/** One set of rope fields at `path`; `inherited` are those of the level above, for missing fields. */
export function readRopeFields(given: Json, path: string, setting: RopeSetting, inherited: Json = {}): Rope {
  const { headDim, positions } = setting;
  const fields: Json = { ...given };
  for (const name of ['rope_theta', 'partial_rotary_factor']) fields[name] ??= inherited[name];
  // Phi-3 has this one next to the scaling; it takes precedence over the scaling's own.
  const original = 'original_max_position_embeddings';
  fields[original] = inherited[original] ?? fields[original] ?? positions;
  const at = (name: string) => (given[name] === undefined && inherited[name] !== undefined ? name : `${path}.${name}`);
  const number = (name: string, fallback?: number) => positive(fields, name, fallback, at(name));

  const named = fields.rope_type ?? fields.type ?? 'default';
  const kind = (typeof named === 'string' && setting.aliases?.[named]) || (named as RopeKind);
  if (!setting.kinds.includes(kind)) {
    refuse(`${CONFIG}, ${path}`, `The position scaling ${show(named)} is not supported.`, OTHER_MODEL);
  }
  const partial = number('partial_rotary_factor', 1);
  const dims = Math.floor(headDim * partial);
  if (partial > 1 || dims < 2 || dims % 2 !== 0 || (partial < 1 && !setting.partial)) {
    const where = `${CONFIG}, ${at('partial_rotary_factor')}`;
    refuse(where, `Rotary positions over ${show(partial)} of a head of ${headDim} cannot be computed.`, OTHER_MODEL);
  }
  const pretrained = () => dimension(fields, original);
  const theta = number('rope_theta', setting.theta ?? 10_000);
  const scaled = (scaling: RopeScaling | null): Rope => ({ theta, dims, scaling });
  switch (kind) {
    case 'default':
      return scaled(null);
    case 'dynamic':
      // Changes frequencies beyond the context only, and no text is longer than that here.
      number('factor');
      return scaled(null);
    case 'linear':
      return scaled({ rope_type: kind, factor: number('factor') });
    case 'llama3':
      return scaled({
        rope_type: kind,
        factor: number('factor'),
        low_freq_factor: number('low_freq_factor'),
        high_freq_factor: number('high_freq_factor'),
        [original]: pretrained(),
      });
    case 'yarn': {
      const factor = number('factor', positions / pretrained());
      return scaled({
        rope_type: kind,
        factor,
        [original]: pretrained(),
        beta_fast: number('beta_fast', 32),
        beta_slow: number('beta_slow', 1),
        truncate: flag(fields, 'truncate', true, `${path}.truncate`),
        attention_factor: number('attention_factor', yarnScale(factor, fields, number)),
      });
    }
    case 'longrope': {
      const factor = number('factor', positions / pretrained());
      const grown = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(pretrained()));
      const short_factor = factors(fields, 'short_factor', dims / 2, path);
      factors(fields, 'long_factor', dims / 2, path);
      return scaled({ rope_type: kind, short_factor, attention_factor: number('attention_factor', grown) });
    }
  }
}

/** YaRN's default for the size of cosines and sines (modeling_rope_utils.py, get_mscale). */
function yarnScale(factor: number, fields: Json, number: (name: string) => number): number {
  const scale = (m: number) => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1);
  return fields.mscale && fields.mscale_all_dim ? scale(number('mscale')) / scale(number('mscale_all_dim')) : scale(1);
}

function factors(fields: Json, name: string, length: number, path: string): number[] {
  const value = fields[name];
  const valid = (f: unknown) => typeof f === 'number' && Number.isFinite(f) && f > 0;
  if (!Array.isArray(value) || value.length !== length || !value.every(valid)) {
    refuse(`${CONFIG}, ${path}.${name}`, `${name} is ${show(value)}, not ${length} positive numbers.`, RESTORE);
  }
  return value;
}
