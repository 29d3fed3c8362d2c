/** Drawing tokens from logits (kernels/sampling): random cases for both backends, against sums in double precision. */
import { expect } from 'vitest';
import { type SampleAttrs, STEPS, sampleTokens } from '../../src/engine/kernels/sampling/sample-tokens';
import { type BackendName, intValues, randomValues, runOn, type Values } from '../kernel-helpers';

export interface SamplingCase extends SampleAttrs {
  rows: number;
  vocab: number;
  draws: number;
  scale?: number;
}

export const SAMPLING_CASES: SamplingCase[] = [
  { rows: 3, vocab: 1000, draws: 70, temperature: 1, topK: 0, topP: 1 },
  { rows: 2, vocab: 77, draws: 40, temperature: 0.7, topK: 5, topP: 1 },
  { rows: 2, vocab: 300, draws: 40, temperature: 1.3, topK: 0, topP: 0.8 },
  { rows: 2, vocab: 513, draws: 40, temperature: 0.9, topK: 40, topP: 0.6 },
  { rows: 2, vocab: 5, draws: 20, temperature: 1, topK: 9, topP: 1 },
  { rows: 5, vocab: 600, draws: 5, temperature: 0, topK: 0, topP: 1 },
  { rows: 2, vocab: 49_152, draws: 16, temperature: 1, topK: 50, topP: 0.95, scale: 4 },
  { rows: 2, vocab: 49_152, draws: 16, temperature: 1, topK: 0, topP: 1 },
  // Rows of GPT-2's vocabulary begin between two vec4s.
  { rows: 3, vocab: 50_257, draws: 6, temperature: 0.8, topK: 0, topP: 0.95, scale: 4 },
];

export function samplingInputs({ rows, vocab, draws, scale = 2 }: SamplingCase): [Values, Values] {
  const numbers = Array.from({ length: draws }, (_, i) => Math.floor(((i * 0.618034 + 0.1) % 1) * STEPS));
  return [
    randomValues([rows, vocab], 4, scale),
    intValues(
      numbers.flatMap((n, i) => [i % rows, n]),
      [draws, 2],
    ),
  ];
}

export const sampled = (name: BackendName, attrs: SampleAttrs, [logits, draws]: [Values, Values]) =>
  runOn(name, (z, d) => [sampleTokens(z!, d!, attrs)], [logits, draws]).then(([drawn]) => drawn!);

/** Tokens by likelihood, cut by top-k and top-p, in double precision. No outside reference: logits here have no ties. */
function keptBy({ temperature, topK, topP }: SampleAttrs, row: Float32Array): { p: number[]; kept: Set<number> } {
  const top = row.reduce((a, b) => Math.max(a, b));
  const weights = Array.from(row, (z) => Math.exp((z - top) / (temperature || 1)));
  const total = weights.reduce((a, b) => a + b, 0);
  const order = weights.map((_, v) => v).sort((a, b) => row[b]! - row[a]!);
  const first = topK > 0 ? order.slice(0, topK) : order;
  const mass = first.reduce((sum, v) => sum + weights[v]!, 0);
  const kept = new Set<number>();
  let sum = 0;
  for (const v of first) {
    if (sum >= topP * mass) break;
    sum += weights[v]!;
    kept.add(v);
  }
  return { p: weights.map((w) => w / total), kept };
}

/** Every token is one that may be drawn, at the place of its number, within what sums in single precision differ by. */
export function checkDrawn(c: SamplingCase, [logits, draws]: [Values, Values], drawn: Float32Array): void {
  for (let i = 0; i < c.draws; i++) {
    const at = draws.data[2 * i]! * c.vocab;
    const row = logits.data.slice(at, at + c.vocab) as Float32Array;
    const [token, logProb] = [drawn[2 * i]!, drawn[2 * i + 1]!];
    const { p, kept } = keptBy(c, row);
    expect(Math.abs(logProb - Math.log(p[token]!)), `log-probability of draw ${i}`).toBeLessThan(2e-5);
    if (c.temperature === 0) {
      expect(token).toBe(row.indexOf(row.reduce((a, b) => Math.max(a, b))));
      continue;
    }
    expect(kept.has(token), `draw ${i} gave a token that was cut`).toBe(true);
    const mass = [...kept].reduce((sum, v) => sum + p[v]!, 0);
    let before = 0;
    for (const v of kept) if (v < token) before += p[v]! / mass;
    const number = draws.data[2 * i + 1]! / STEPS;
    expect(number, `draw ${i}`).toBeGreaterThanOrEqual(before - 1e-5);
    expect(number, `draw ${i}`).toBeLessThanOrEqual(before + p[token]! / mass + 1e-5);
  }
}
