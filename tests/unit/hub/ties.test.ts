/** Which stored copies of a tied tensor are copies (transformers 5, modeling_utils.py, tie_weights), and checkpoints without prefixes. */
import { describe, expect, it } from 'vitest';
import { f32ToBf16 } from '../../../src/formats/half';
import { type SafetensorsTensor, writeSafetensors } from '../../../src/formats/safetensors';
import { checkModelFolder } from '../../../src/hub/check';
import { summarizeModel } from '../../../src/hub/summary';
import { settleTies } from '../../../src/hub/ties';
import { openWeights } from '../../../src/hub/weights';
import { config as CONFIG, type Files, folderOf, SHAPES, tensor } from './helpers';

const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';
const ROWS = SHAPES[EMBEDDING]!;
const SIZE = ROWS[0]! * ROWS[1]!;

const values = (change: (i: number, value: number) => number = (_, value) => value) =>
  Float32Array.from({ length: SIZE }, (_, i) => change(i, Math.fround((i % 7) / 8)));
const f32 = (name: string, data: Float32Array): SafetensorsTensor => ({ name, dtype: 'F32', shape: ROWS, data });
const bf16 = (name: string, data: Float32Array): SafetensorsTensor => ({
  ...{ name, dtype: 'BF16', shape: ROWS },
  data: f32ToBf16(data),
});

/** The model with these in place of its embedding. */
function files(tables: SafetensorsTensor[], config: Record<string, unknown> = {}): Files {
  const others = Object.entries(SHAPES).flatMap(([name, shape]) => (name === EMBEDDING ? [] : [tensor(name, shape)]));
  return {
    'config.json': JSON.stringify({ ...CONFIG, ...config }),
    'model.safetensors': writeSafetensors([...tables, ...others]),
  };
}
const settled = async (tables: SafetensorsTensor[], config?: Record<string, unknown>) =>
  settleTies(await checkModelFolder(folderOf(files(tables, config))));

describe('a tied model that stores both', () => {
  it.each<[string, SafetensorsTensor]>([
    ['equal', f32(HEAD, values())],
    [
      'equal but for the sign of a zero',
      f32(
        HEAD,
        values((_, value) => (value === 0 ? -0 : value)),
      ),
    ],
    ['equal in another precision', bf16(HEAD, values())],
  ])('%s: one is left', async (_, head) => {
    const checked = await settled([f32(EMBEDDING, values()), head]);
    expect(checked.tensors.has(HEAD)).toBe(false);
    expect(checked).toMatchObject({ headApart: false, config: { tie_word_embeddings: true } });
    expect(await summarizeModel(checked)).not.toHaveProperty('notes');
  });

  it.each<[string, SafetensorsTensor]>([
    [
      'in their last value',
      f32(
        HEAD,
        values((i, value) => (i === SIZE - 1 ? value + 1e-6 : value)),
      ),
    ],
    [
      'in their first',
      f32(
        HEAD,
        values((i, value) => (i === 0 ? 1 : value)),
      ),
    ],
    [
      'by rounding',
      bf16(
        HEAD,
        values((_, value) => value + 1 / 512),
      ),
    ],
  ])('differing %s: both are used, and that is said', async (_, head) => {
    const checked = await settled([f32(EMBEDDING, values()), head]);
    expect(checked).toMatchObject({ headApart: true, config: { tie_word_embeddings: false } });
    expect(checked.json.tie_word_embeddings).toBe(false);
    expect([...checked.tensors.keys()].sort()).toEqual([...Object.keys(SHAPES), HEAD].sort());
    const { notes, parameters } = await summarizeModel(checked);
    expect(notes?.[0]).toMatch(/used as stored/);
    expect(parameters).toBe((await summarizeModel(await settled([f32(EMBEDDING, values())]))).parameters + SIZE);
  });

  it('as a classifier: transformers has no output projection there', async () => {
    const classifier = { architectures: ['LlamaForSequenceClassification'], id2label: { 0: 'a', 1: 'b' } };
    const score: SafetensorsTensor = {
      name: 'score.weight',
      dtype: 'F32',
      shape: [2, ROWS[1]!],
      data: values().slice(0, 2 * ROWS[1]!),
    };
    const checked = await settled(
      [
        f32(EMBEDDING, values()),
        f32(
          HEAD,
          values((i) => i),
        ),
        score,
      ],
      classifier,
    );
    expect(checked.headApart).toBe(false);
    expect(checked.tensors.has(HEAD)).toBe(false);
  });
});

it('a tied model may store its table under the output projection’s name alone', async () => {
  const checked = await settled([
    f32(
      HEAD,
      values((i) => i),
    ),
  ]);
  expect(checked.tensors.has(HEAD)).toBe(false);
  expect(new Float32Array(await openWeights(checked).read(EMBEDDING))).toEqual(values((i) => i));
});

it('an untied model keeps both, equal or not', async () => {
  const checked = await settled([f32(EMBEDDING, values()), f32(HEAD, values())], { tie_word_embeddings: false });
  expect(checked.headApart).toBe(false);
  expect(checked.tensors.has(HEAD)).toBe(true);
});

describe('checkpoints without the prefix of the class with a head', () => {
  const bare = (all: Files, config: Record<string, unknown> = {}): Files => {
    const json = { ...JSON.parse(all['config.json'] as string), ...config };
    const shapes = Object.entries(SHAPES).map(([name, shape]) => tensor(name.replace(/^model\./, ''), shape));
    return { 'config.json': JSON.stringify(json), 'model.safetensors': writeSafetensors(shapes) };
  };
  const plain = files([f32(EMBEDDING, values())]);

  it.each([
    ['saved as LlamaForCausalLM', {}],
    ['saved as LlamaModel', { architectures: ['LlamaModel'] }],
    ['saved without saying as what', { architectures: null }],
  ])('%s', async (_, config) => {
    const checked = await settleTies(await checkModelFolder(folderOf(bare(plain, config))));
    expect([...checked.tensors.keys()].sort()).toEqual(Object.keys(SHAPES).sort());
  });

  it('lack an output projection that is not the embedding', async () => {
    const untied = bare(plain, { tie_word_embeddings: false, architectures: ['LlamaModel'] });
    await expect(checkModelFolder(folderOf(untied))).rejects.toMatchObject({ where: expect.stringMatching(/lm_head/) });
  });

  it('of other families are refused by their class', async () => {
    const other = bare(plain, { architectures: ['MistralModel'] });
    await expect(checkModelFolder(folderOf(other))).rejects.toMatchObject({ where: 'config.json, architectures' });
  });
});
