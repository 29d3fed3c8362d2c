/** Drawing one token on the device (kernels/sampling/draw-ranked.ts) against generation/sampler.ts, on rows that are hard to draw from. */
import { expect } from 'vitest';
import { Stream, uniform } from '../../src/base/random';
import { sampleToken } from '../../src/engine/generation/sampler';
import { drawRanked, settledToken } from '../../src/engine/kernels/sampling/draw-ranked';
import { type BackendName, randomValues, runOn } from '../kernel-helpers';

export interface DrawingCase {
  name: string;
  logits: Float32Array;
  temperature: number;
  topP: number;
  /** At least so many of the draws are settled on the device; 1 is all. */
  settled: number;
}

const random = (vocab: number, scale: number, seed = 4) => randomValues([vocab], seed, scale).data as Float32Array;
const logs = (...p: number[]) => Float32Array.from(p, (x) => Math.log(x));
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** All but some of a row are impossible, as under a mask. */
const masked = (vocab: number) => random(vocab, 2).map((z, i) => (i % 7 === 3 ? z : -inf));

const rows: [name: string, logits: Float32Array, settled: number][] = [
  ['a thousand', random(1000, 2), 0.9],
  ['an odd number', random(1001, 3), 0.9],
  ['49,152, peaked', random(49_152, 4), 0.5],
  ['50,257, peaked', random(50_257, 4), 0.5],
  ['49,152, nearly flat', random(49_152, 0.1), 0],
  ['sixty-three equal ones', new Float32Array(63).fill(1.5), 0.9],
  // Half and three quarters of them are whole numbers.
  ['sixty-four equal ones', new Float32Array(64).fill(1.5), 0],
  ['pairs of equals', Float32Array.from({ length: 50 }, (_, i) => Math.floor(i / 2) / 7), 0.9],
  ['equals far apart', Float32Array.from({ length: 1000 }, (_, i) => (i % 250) / 40), 0.9],
  ['both zeros', Float32Array.from({ length: 9 }, (_, i) => (i % 2 ? 0 : -0)), 0.8],
  ['masked', masked(300), 0.9],
  ['one possible', Float32Array.of(-inf, -inf, 2, -inf, -inf), 1],
  ['none possible', new Float32Array(8).fill(-inf), 0],
  ['NaN first', Float32Array.of(nan, 1, 2, 3), 0],
  ['NaN last', Float32Array.of(1, 2, 3, nan), 0],
  ['a negative NaN', new Float32Array(Uint32Array.of(0x3f800000, 0xffc00000, 0, 0x40000000).buffer), 0],
  ['infinite', Float32Array.of(1, inf, 3, inf, 0), 0],
  ['far apart', Float32Array.of(-1e4, 1e4, -inf, 9990), 1],
  ['the largest numbers', Float32Array.of(-3.4e38, 3.4e38, 0, 1), 1],
  ['one token', Float32Array.of(-5), 1],
  ['five', Float32Array.of(1, 3, 2, 3, -1), 0.9],
  // Sums of probabilities are top-p exactly: whether one more is kept is a matter of rounding.
  ['halves and quarters', logs(0.125, 0.25, 0.5, 0.125), 0],
  ['tenths', logs(0.1, 0.4, 0.2, 0.3), 0],
];

const SETTINGS = [
  { temperature: 0, topP: 1 },
  { temperature: 1, topP: 1 },
  { temperature: 0.7, topP: 0.95 },
  { temperature: 1, topP: 0.5 },
  { temperature: 1, topP: 0.75 },
  { temperature: 1.6, topP: 0.9 },
  { temperature: 1, topP: 0 },
  { temperature: 1, topP: 2 },
  { temperature: 1e-3, topP: 1e-9 },
];

export const DRAWING_CASES: DrawingCase[] = rows.flatMap(([name, logits, settled]) =>
  SETTINGS.map((own) => ({
    name: `${name}, temperature ${own.temperature}, top-p ${own.topP}`,
    logits,
    ...own,
    // Nobody keeps nothing: top-p 0 is left to double precision.
    settled: own.topP === 0 ? 0 : settled,
  })),
);

/** Draws at some positions; every one that is settled is the sampler's, and enough of them are. */
export async function checkDrawing(backend: BackendName, c: DrawingCase, positions: number): Promise<void> {
  const { logits, temperature, topP } = c;
  let settled = 0;
  for (let position = 0; position < positions; position++) {
    const number = uniform(5, Stream.sampling, position);
    const attrs = { temperature, topP, number };
    const given = [{ data: logits, shape: [1, logits.length] }];
    const [drawn] = await runOn(backend, (z) => [drawRanked(z!, attrs)], given);
    const token = settledToken(drawn!, attrs, logits.length);
    if (token === null) continue;
    settled++;
    expect(token, `position ${position}`).toBe(sampleToken(logits, position, { temperature, topP, seed: 5 }));
  }
  expect(settled / positions).toBeGreaterThanOrEqual(c.settled);
}
