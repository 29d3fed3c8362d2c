import { describe, expect, it } from 'vitest';
import { readPooling } from '../../../src/hub/pooling';
import { type Files, folderOf } from './helpers';

const step = (idx: number, path: string, type: string) => ({ idx, name: String(idx), path, type });
const steps = (...types: string[]) =>
  JSON.stringify(
    types.map((type, i) =>
      step(i, type === 'Transformer' ? '' : `${i}_${type}`, `sentence_transformers.models.${type}`),
    ),
  );
const pooling = (on: string) =>
  JSON.stringify({
    word_embedding_dimension: 384,
    pooling_mode_cls_token: false,
    pooling_mode_mean_tokens: false,
    pooling_mode_max_tokens: false,
    [on]: true,
  });

const read = (files: Files) => readPooling(folderOf(files));

describe('readPooling', () => {
  it('defaults to the mean without normalisation', async () => {
    expect(await read({})).toEqual({ mode: 'mean', normalize: false, maxLength: null, lowercase: false });
  });

  it('reads the files that sentence-transformers writes', async () => {
    // The files of all-MiniLM-L6-v2.
    const minilm = {
      'modules.json': steps('Transformer', 'Pooling', 'Normalize'),
      '1_Pooling/config.json': pooling('pooling_mode_mean_tokens'),
      'sentence_bert_config.json': '{"max_seq_length": 256, "do_lower_case": false}',
    };
    expect(await read(minilm)).toEqual({ mode: 'mean', normalize: true, maxLength: 256, lowercase: false });
    const cls = {
      'modules.json': steps('Transformer', 'Pooling'),
      '1_Pooling/config.json': pooling('pooling_mode_cls_token'),
      'sentence_bert_config.json': '{"max_seq_length": null, "do_lower_case": true}',
    };
    expect(await read(cls)).toEqual({ mode: 'cls', normalize: false, maxLength: null, lowercase: true });
    const newer = {
      'modules.json': steps('Transformer', 'Pooling'),
      '1_Pooling/config.json': '{"embedding_dimension": 384, "pooling_mode": "cls"}',
    };
    expect(await read(newer)).toMatchObject({ mode: 'cls' });
  });

  it.each<[string, Files, string]>([
    ['an unsupported step', { 'modules.json': steps('Transformer', 'Dense') }, 'modules.json'],
    ['an object instead of a list of steps', { 'modules.json': '{}' }, 'modules.json'],
    ['invalid steps', { 'modules.json': '[1, null]' }, 'modules.json'],
    ['invalid JSON', { 'modules.json': '<html>' }, 'modules.json'],
    ['a missing config', { 'modules.json': steps('Transformer', 'Pooling') }, '1_Pooling/config.json'],
    [
      'max pooling',
      {
        'modules.json': steps('Transformer', 'Pooling'),
        '1_Pooling/config.json': pooling('pooling_mode_max_tokens'),
      },
      '1_Pooling/config.json',
    ],
    [
      'two modes at once',
      {
        'modules.json': steps('Transformer', 'Pooling'),
        '1_Pooling/config.json': '{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}',
      },
      '1_Pooling/config.json',
    ],
  ])('refuses %s and names the file', async (_name, files, where) => {
    await expect(read(files)).rejects.toMatchObject({ code: 'bad_model', where });
  });
});
