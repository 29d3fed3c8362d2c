/**
 * Log-probabilities of tokens as a function of tensors, and their cases: against the reference, and against TRL and torch
 * (tests/fixtures/losses/, tests/oracle/make_log_prob_fixtures.py), for tests on either backend.
 */
import { expect, test } from 'vitest';
import { tokenLogProbs } from '../../src/engine/kernels/losses/token-log-probs';
import type { WeightFormat } from '../../src/engine/types';
import { f32ToBf16 } from '../../src/formats/half';
import { fixtureJson, relativeError } from '../fixture-files';
import { type BackendName, gradientsOn, intValues, type Op, runOn, type Values } from '../kernel-helpers';
import { type CrossEntropyCase, crossEntropyCase, weightOn } from './products';

export interface LogProbCase
  extends Pick<
    CrossEntropyCase,
    'tokens' | 'width' | 'vocab' | 'format' | 'weight' | 'skipEvery' | 'padding' | 'size'
  > {
  bias?: boolean;
  softcap?: number | null;
  temperature?: number;
  withEntropy?: boolean;
  withFigures?: boolean;
  /** The weight (f32) and the bias, where there is one, are trained. */
  trains?: boolean;
}

function logProbOp({ width, vocab, format = 'f32', softcap, temperature, trains, ...more }: LogProbCase): Op {
  return (hidden, weight, rows, targets, bias) => {
    const { logProbs, entropy, figures } = tokenLogProbs(
      hidden!,
      weightOn(weight!, format, [vocab, width]),
      rows!,
      targets!,
      {
        bias,
        softcap,
        temperature,
        withEntropy: more.withEntropy,
        withFigures: more.withFigures,
        trainsWeight: trains,
        trainsBias: trains,
      },
    );
    return [logProbs, ...(entropy ? [entropy] : []), ...(figures ? [figures] : [])];
  };
}

/** Inputs as cross-entropy's. `wanted`: all that have a gradient. */
export function logProbCase(c: LogProbCase): { op: Op; inputs: Values[]; wanted: number[] } {
  const { inputs } = crossEntropyCase({ ...c, softcap: undefined });
  return { op: logProbOp(c), inputs, wanted: [0, ...(c.trains ? [1, ...(c.bias ? [4] : [])] : [])] };
}

interface Fixture {
  cases: {
    name: string;
    tokens: number;
    width: number;
    vocab: number;
    softcap: number | null;
    temperature: number;
    hidden: number[];
    weight: number[];
    bias: number[] | null;
    rows: number[];
    targets: number[];
    dy: number[];
    log_probs: number[];
    entropy: number[];
    mean_logit: number[];
    is_top: number[];
    log_sum_sq_probs: number[];
    grad: { hidden: number[]; weight: number[]; bias?: number[] };
  }[];
}

const floats = (values: number[], shape: number[]): Values => ({ data: Float32Array.from(values), shape });

/** The same numbers as bf16, which holds the fixtures' exactly. */
function asBf16({ data }: Values): Values {
  const words = new Int32Array(Math.ceil(data.length / 2));
  new Uint16Array(words.buffer).set(f32ToBf16(data as Float32Array));
  return { data: words, shape: [words.length] };
}

export function logProbParity(backend: BackendName): void {
  test('log-probabilities, entropies and gradients as TRL and torch have them', async () => {
    const { cases } = await fixtureJson<Fixture>('losses/log-probs.json');
    expect(cases.length).toBeGreaterThan(0);
    for (const c of cases) {
      const n = c.rows.length;
      const hidden = floats(c.hidden, [c.tokens, c.width]);
      const weight = floats(c.weight, [c.vocab, c.width]);
      const rest = [intValues(c.rows, [n]), intValues(c.targets, [n]), ...(c.bias ? [floats(c.bias, [c.vocab])] : [])];
      const shape = {
        tokens: c.tokens,
        width: c.width,
        vocab: c.vocab,
        softcap: c.softcap,
        temperature: c.temperature,
      };
      for (const format of ['f32', 'bf16'] satisfies WeightFormat[]) {
        const trains = format === 'f32';
        const op = logProbOp({ ...shape, format, trains, withFigures: true });
        const inputs = [hidden, trains ? weight : asBf16(weight), ...rest];
        const [logProbs, entropy, figures] = await runOn(backend, op, inputs);
        const wanted = trains ? [0, 1, ...(c.bias ? [4] : [])] : [0];
        const grads = await gradientsOn(backend, op, inputs, wanted, [floats(c.dy, [n]), null, null]);
        const figureOf = [c.mean_logit, c.is_top, c.log_sum_sq_probs].flat();
        const expected = { logProbs: c.log_probs, entropy: c.entropy, figures: figureOf, hidden: c.grad.hidden };
        const trained = trains ? { weight: c.grad.weight, ...(c.bias ? { bias: c.grad.bias! } : {}) } : {};
        const actual = [logProbs!, entropy!, figures!, ...grads];
        for (const [i, [name, values]] of Object.entries({ ...expected, ...trained }).entries()) {
          expect(relativeError(actual[i]!, values), `${c.name}, ${format}: ${name}`).toBeLessThan(1e-6);
        }
        // Padding is exactly zero.
        c.rows.forEach((row, i) => {
          if (row < 0)
            expect([logProbs![i], entropy![i], ...[0, 1, 2].map((k) => figures![k * n + i])]).toEqual([0, 0, 0, 0, 0]);
        });
      }
    }
  });
}
