/** Rotary scaling from GGUF's keys and small tensors, as fields of a config.json. */
import { OTHER_FOLDER, refuse } from '../../base/bad-model';

type Json = Record<string, unknown>;

interface Llama3 {
  factor: number;
  low: number;
  high: number;
  context: number;
}

/** Turns of each frequency within a text of `context` tokens. */
const turns = (theta: number, width: number, context: number): number[] =>
  Array.from({ length: width / 2 }, (_, i) => (context * theta ** ((-2 * i) / width)) / (2 * Math.PI));

/** Llama 3's factors: slow frequencies are divided by `factor`, fast ones stay, those between are interpolated. */
export function llama3Factors(theta: number, width: number, { factor, low, high, context }: Llama3): number[] {
  return turns(theta, width, context).map((count) => {
    if (count > high) return 1;
    if (count < low) return factor;
    const smooth = (count - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

const close = (a: number[], b: ArrayLike<number>) =>
  a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) <= 1e-4 * Math.abs(value));

/** Every Llama 3 model so far. */
const USUAL = { low: 1, high: 4, context: 8192 };

/**
 * The scaling that made a table of factors (rope_freqs.weight). Its factor is the largest in the table. The bounds follow
 * from the interpolated factors, which are linear in the number of turns: from one if the bounds are the usual 1 and 4, from
 * two otherwise. Only ratios of bounds and context matter. Refused if no scaling of this kind gives these factors.
 */
export function llama3Scaling(factors: ArrayLike<number>, theta: number, width: number, where: string): Json {
  const values = Array.from(factors);
  if (values.every((value) => value === 1)) return {};
  const factor = Math.max(...values);
  const counts = turns(theta, width, USUAL.context);
  const mixed = values.flatMap((value, i) =>
    value > 1 && value < factor ? [{ count: counts[i]!, smooth: (1 / value - 1 / factor) / (1 - 1 / factor) }] : [],
  );
  const candidates: Llama3[] = [{ factor, ...USUAL }];
  const [first, last] = [mixed[0], mixed.at(-1)];
  if (first) {
    const low = first.count / (1 + first.smooth * (USUAL.high - USUAL.low));
    candidates.push({ factor, ...USUAL, context: Math.round(USUAL.context / low) });
  }
  if (first && last && first !== last) {
    const span = (first.count - last.count) / (first.smooth - last.smooth);
    const low = first.count - first.smooth * span;
    candidates.push({ factor, low, high: low + span, context: USUAL.context });
  }
  const found = candidates.find((scaling) => close(llama3Factors(theta, width, scaling), values));
  if (!found) refuse(where, 'The rotary frequencies are scaled in a way that is not known.', OTHER_FOLDER);
  return {
    rope_scaling: {
      rope_type: 'llama3',
      factor: found.factor,
      low_freq_factor: found.low,
      high_freq_factor: found.high,
      original_max_position_embeddings: found.context,
    },
  };
}

/** From `ARCH.rope.scaling.…`, for a file without a table. */
export function scalingFromKeys(
  key: { text(name: string): string | null; number(name: string): number | null },
  where: string,
): Json {
  const type = key.text('rope.scaling.type');
  // Before there was a type, linear scaling had its own key.
  const factor = key.number('rope.scaling.factor') ?? key.number('rope.scale_linear');
  const kind = type ?? (factor !== null && factor !== 1 ? 'linear' : 'none');
  const original = key.number('rope.scaling.original_context_length');
  switch (kind) {
    case 'none':
      return {};
    case 'linear':
      return { rope_scaling: { rope_type: 'linear', factor } };
    case 'yarn':
      return {
        rope_scaling: {
          rope_type: 'yarn',
          factor,
          original_max_position_embeddings: original ?? undefined,
          attention_factor: key.number('rope.scaling.yarn_attn_factor') ?? undefined,
          beta_fast: key.number('rope.scaling.yarn_beta_fast') ?? undefined,
          beta_slow: key.number('rope.scaling.yarn_beta_slow') ?? undefined,
        },
      };
    default:
      refuse(where, `Rotary positions scaled as “${kind.slice(0, 40)}” cannot be computed.`, OTHER_FOLDER);
  }
}
