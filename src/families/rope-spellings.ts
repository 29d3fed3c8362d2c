/**
 * Rotary positions in an exported config.json, in both spellings: transformers 5 reads `rope_parameters`, and everything written
 * for transformers 4 (llama.cpp's converter, mlx-lm) the fields that were there before. A reader that misses its own takes a
 * default without a word. Where both stand, transformers 5 lets the older ones win, so they must say the same.
 */
import type { Rope } from './rope';
import { section } from './rope';

type Json = Record<string, unknown>;
/** Written as a method, so that a family of its own config is a family. */
export type Spelling<C> = { fields(json: Json, config: C): Json }['fields'];

/** One set of fields, whichever spelling it has: the scaling alone, and what turns with it. */
function oneSet(json: Json, theta: number) {
  const older = section(json, 'rope_scaling');
  const given = Object.keys(older).length > 0 ? older : section(json, 'rope_parameters');
  const { rope_theta: _theta, partial_rotary_factor, rope_type, type, ...numbers } = given;
  const kind = rope_type ?? type ?? 'default';
  const partial = partial_rotary_factor ?? json.partial_rotary_factor;
  const part: Json = partial === undefined || partial === null ? {} : { partial_rotary_factor: partial };
  return { kind, numbers, part, parameters: { ...numbers, ...part, rope_theta: theta, rope_type: kind } };
}

/** Most families: one set for all layers. */
function ropeSpellings(json: Json, { rope }: { rope: Rope }): Json {
  const { kind, numbers, part, parameters } = oneSet(json, rope.theta);
  return {
    ...part,
    rope_theta: rope.theta,
    rope_scaling: kind === 'default' ? null : { ...numbers, rope_type: kind },
    rope_parameters: parameters,
  };
}

/** Phi-3's older scaling has three fields exactly, and the context before it stands beside it. */
function phiRopeSpellings(json: Json, config: { rope: Rope }): Json {
  const { kind, numbers } = oneSet(json, config.rope.theta);
  const { short_factor, long_factor, original_max_position_embeddings: before } = numbers;
  const original = json.original_max_position_embeddings ?? before;
  return {
    ...ropeSpellings(json, config),
    rope_scaling: kind === 'default' ? null : { type: 'longrope', short_factor, long_factor },
    ...(original === undefined ? {} : { original_max_position_embeddings: original }),
  };
}

/** GPT-NeoX had its own names. */
function neoxRopeSpellings(json: Json, { rope, head_dim }: { rope: Rope; head_dim: number }): Json {
  const partial_rotary_factor = rope.dims / head_dim;
  const { rope_parameters, rope_scaling } = ropeSpellings({ ...json, partial_rotary_factor }, { rope });
  return {
    rotary_emb_base: rope.theta,
    rotary_pct: partial_rotary_factor,
    rope_scaling,
    rope_parameters: { ...(rope_parameters as Json), partial_rotary_factor },
  };
}

/** Gemma 3 has a set for the layers that see everything, and one for those with a window. */
function gemmaRopeSpellings(json: Json, { rope }: { rope: { full: Rope; sliding: Rope } }): Json {
  const sets = section(json, 'rope_parameters');
  const full = oneSet({ rope_scaling: json.rope_scaling, rope_parameters: sets.full_attention }, rope.full.theta);
  const sliding = oneSet({ rope_parameters: sets.sliding_attention }, rope.sliding.theta);
  const types = Array.isArray(json.layer_types) ? json.layer_types : [];
  const first = types.indexOf('full_attention') + 1;
  const regular = first > 0 && types.every((type, i) => (type === 'full_attention') === ((i + 1) % first === 0));
  return {
    rope_theta: rope.full.theta,
    rope_local_base_freq: rope.sliding.theta,
    rope_scaling: full.kind === 'default' ? null : { ...full.numbers, rope_type: full.kind },
    rope_parameters: { full_attention: full.parameters, sliding_attention: sliding.parameters },
    ...(json.sliding_window_pattern === undefined && regular ? { sliding_window_pattern: first } : {}),
  };
}

/** By the name that a family gives; only exports of whole models need them. */
const spellings = {
  rope: ropeSpellings,
  rope_by_layer: gemmaRopeSpellings,
  long_rope: phiRopeSpellings,
  rotary: neoxRopeSpellings,
};
export type SpellingId = keyof typeof spellings;

/** The fields of a family that names one of these, or has its own. */
export const spelled = <C>(json: Json, config: C, given: SpellingId | Spelling<C>): Json =>
  (typeof given === 'function' ? given : (spellings[given] as unknown as Spelling<C>))(json, config);
