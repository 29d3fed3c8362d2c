import { describe, expect, it } from 'vitest';
import { baseModelName, hubSource, parseHubName, parsePinned } from '../../../src/hub/hub-id';

const commit = '12fd25f77366fa6b3b4b768ec3050bf629380bac';
const smol = 'HuggingFaceTB/SmolLM2-135M-Instruct';

describe('names of models on the Hub', () => {
  it.each([
    [smol, smol, null, null],
    [`  hf:${smol}  `, smol, null, null],
    ['gpt2', 'gpt2', null, null],
    [`${smol}@main`, smol, 'main', null],
    [`hf:${smol}@${commit}`, smol, commit, null],
    [`${smol}@refs/pr/3`, smol, 'refs/pr/3', null],
    [`hf:${smol}@refs%2Fpr%2F3`, smol, 'refs/pr/3', null],
    ['hf:org/name@v1.0/model.Q4_K_M.gguf', 'org/name', 'v1.0', 'model.Q4_K_M.gguf'],
    [`hf:org/name@${commit}/a folder/model.gguf`, 'org/name', commit, 'a folder/model.gguf'],
    ['org/name/model.gguf', 'org/name', null, 'model.gguf'],
    [`https://huggingface.co/${smol}`, smol, null, null],
    [`https://huggingface.co/${smol}/`, smol, null, null],
    [`https://huggingface.co/${smol}?library=transformers#model-card`, smol, null, null],
    [`huggingface.co/${smol}`, smol, null, null],
    [`https://www.huggingface.co/${smol}`, smol, null, null],
    [`https://hf.co/${smol}`, smol, null, null],
    ['hf.co/gpt2', 'gpt2', null, null],
    [`https://huggingface.co/${smol}/tree/v2`, smol, 'v2', null],
    [`https://huggingface.co/${smol}/tree/${commit}/onnx`, smol, commit, null],
    [`https://huggingface.co/${smol}/blob/main/config.json`, smol, 'main', null],
    [`https://huggingface.co/${smol}/resolve/main/x.Q8_0.gguf?download=true`, smol, 'main', 'x.Q8_0.gguf'],
    [`https://huggingface.co/${smol}/blob/refs%2Fpr%2F2/README.md`, smol, 'refs/pr/2', null],
    [`https://huggingface.co/${smol}/commit/${commit}`, smol, commit, null],
    [`https://huggingface.co/${smol}/discussions/4`, smol, null, null],
    ['https://huggingface.co/gpt2/tree/main', 'gpt2', 'main', null],
  ])('%s', (text, id, revision, file) => {
    const reference = parseHubName(text);
    expect(reference).toEqual({ id, revision, file });
    // The source written for it parses back to the same reference.
    expect(parseHubName(hubSource(reference))).toEqual(reference);
  });

  it('include addresses on a mirror', () => {
    const mirror = 'https://hub.example/hf';
    expect(() => parseHubName(`https://hub.example/${smol}`)).toThrow();
    expect(parseHubName(`https://hub.example/${smol}`, mirror)).toMatchObject({ id: smol });
  });

  it.each([
    '',
    'hf:',
    'a model about pirates',
    'org/',
    '/name',
    '../name',
    'org/..',
    'org/na--me',
    'org/name@',
    'org/name@a..b',
    'org/name@main/../../x.gguf',
    'org/name@main/config.json',
    'hf:org/name/more',
    'https://example.com/org/name',
    'https://huggingface.co/datasets/org/name',
    'https://huggingface.co/spaces/org/name',
    'https://huggingface.co/org/name/unknown/x',
    'javascript:alert(1)',
    `org/${'n'.repeat(200)}`,
    'org/name@main/\u0000.gguf',
  ])('%j is refused, and the error shows a valid name', (text) => {
    expect(() => parseHubName(text)).toThrow(
      expect.objectContaining({ code: 'bad_model', action: expect.stringContaining('ORG/NAME') }),
    );
  });

  it('are pinned only with a full commit', () => {
    expect(parsePinned(`hf:${smol}@${commit}`)).toEqual({ id: smol, revision: commit, file: null });
    for (const source of [`hf:${smol}`, `hf:${smol}@main`, `hf:${smol}@${commit.slice(1)}`]) {
      expect(() => parsePinned(source)).toThrow(expect.objectContaining({ code: 'bad_model', where: source }));
    }
  });

  it('give the base model name', () => {
    expect(baseModelName(`hf:${smol}@${commit}`)).toBe(smol);
    expect(baseModelName('hf:org/name@v1/model.gguf')).toBe('org/name');
    expect(baseModelName('file:my-model')).toBe('my-model');
    expect(baseModelName('builtin:stories')).toBe('stories');
  });
});
