import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GGUF_FILE_TYPES, type GgufFileType, tensorType } from '../../../src/exports/gguf/types';
import { ggmlFileType } from '../../../src/formats/ggml';

/** llama.cpp's own choices (tests/oracle/make_gguf_types_fixtures.py). */
const cases = JSON.parse(readFileSync('tests/fixtures/quantize/types.json', 'utf8')) as {
  architecture: string;
  layers: number;
  width: number;
  tied: boolean;
  tensors: Record<string, number[]>;
  types: Record<Exclude<GgufFileType, 'f32'>, string[]>;
}[];

const named = cases.flatMap((model) =>
  Object.entries(model.types).map(([fileType, types]) => ({ ...model, fileType: fileType as GgufFileType, types })),
);

describe('the format of each tensor', () => {
  it.each(named)('$architecture, $layers blocks of width $width, as $fileType: llama.cpp’s', (model) => {
    const ours = Object.entries(model.tensors).map(([name, shape]) =>
      tensorType({ name, shape }, model, model.fileType),
    );
    const names = Object.keys(model.tensors);
    const told = (types: string[]) => types.map((type, i) => `${names[i]} ${type}`);
    expect(told(ours)).toEqual(told(model.types));
  });

  it('is float32 throughout in F32', () => {
    for (const model of cases) {
      for (const [name, shape] of Object.entries(model.tensors)) {
        expect(tensorType({ name, shape }, model, 'f32')).toBe('F32');
      }
    }
  });

  it('covers every way out in these cases', () => {
    const seen = new Set(named.flatMap(({ types }) => types));
    expect([...seen].sort()).toEqual(['BF16', 'F16', 'F32', 'Q4_0', 'Q4_K', 'Q5_0', 'Q6_K', 'Q8_0']);
  });
});

it('numbers file types as readers do', () => {
  for (const { id, label } of Object.values(GGUF_FILE_TYPES)) expect(ggmlFileType(id)).toBe(label);
});
