/** Rows for other trainers: their parts, joined, are the text that the model reads here, and what is learned of it is the same. */
import { describe, expect, test } from 'vitest';
import type { WrittenRow } from '../../../src/data/written-row';
import type { ObjectiveSection } from '../../../src/objectives';
import type { DatasetSection } from '../../../src/recipe/sections';
import { createDataApi } from '../../../src/workers/data/service';
import { jsonl, section, tokenizerFiles, utf8 } from './helpers';
import { OBJECTIVE, opened, turn } from './template-helpers';

const written = (
  api: ReturnType<typeof createDataApi>,
  changes: Partial<DatasetSection> = {},
  objective: ObjectiveSection = OBJECTIVE,
) => {
  const { rows } = api.tokenize(section(changes), objective, 100_000, 1);
  return api.writeRows(rows.train, section(changes), objective);
};

const partsOf = (row: WrittenRow) => (row.kind === 'parts' ? row.parts : []);
const joined = (row: WrittenRow) =>
  partsOf(row)
    .map(({ text }) => text)
    .join('');
const learned = (row: WrittenRow) => partsOf(row).flatMap((part) => (part.learned ? part.text : []));

function withoutTemplate(tokenizer: string, rows: object[]) {
  const api = createDataApi();
  api.openTokenizer(tokenizerFiles(`tests/fixtures/tokenizers/${tokenizer}`));
  api.parse('rows.jsonl', utf8(jsonl(rows)).buffer as ArrayBuffer, { format: 'auto', columns: null });
  return api;
}

const talk = [turn('system', 'Be brief.'), turn('user', 'Hello?'), turn('assistant', 'Ahoy!')];

describe('with a chat template', () => {
  test.each(['chatml', 'llama3', 'qwen2.5', 'mistral', 'gemma2', 'smollm3', 'phi3.5'])(
    '%s: the parts are the rendered text, and the learned ones are answers',
    (name) => {
      const api = opened(name, [{ messages: talk }]);
      const [row] = written(api);
      const view = api.viewTokens(1, section({}), OBJECTIVE, 100_000);
      expect(joined(row!)).toBe(view.rendered);
      const inTokens = view.tokens.flatMap(({ trained, text }) => (trained ? text : [])).join('');
      expect(learned(row!).join('').replaceAll(/\s/g, '')).toBe(inTokens.replaceAll(/\s|▁|Ġ|Ċ/g, ''));
      expect(learned(row!).join('')).toContain('Ahoy!');
    },
  );

  test('messages are what the template was given: a system message without a place is before the question', () => {
    const [row] = written(opened('gemma2', [{ messages: talk }]));
    expect(row).toMatchObject({ messages: [turn('user', 'Be brief.\n\nHello?'), turn('assistant', 'Ahoy!')] });
  });

  test('an answer that is only read is no learned part', () => {
    const messages = [
      turn('user', 'One?'),
      turn('assistant', 'First.', { weight: 0 }),
      turn('user', 'Two?'),
      turn('assistant', 'Second.'),
    ];
    const [row] = written(opened('chatml', [{ messages }]));
    expect(learned(row!)).toEqual([expect.stringContaining('Second.')]);
  });

  test('prompt and completion go through the template, labels too', () => {
    const [row] = written(opened('chatml', [{ prompt: 'Two and two?', completion: 'Four' }]));
    expect(row).toMatchObject({ messages: [turn('user', 'Two and two?'), turn('assistant', 'Four')] });
    const [label] = written(opened('chatml', [{ text: 'Fine weather', label: 'good' }]));
    expect(label).toMatchObject({ messages: [turn('user', 'Fine weather'), turn('assistant', 'good')] });
  });

  test('rows that are in the template already have no messages', () => {
    const rows = [{ prompt: '<|im_start|>user\nHi<|im_end|>\n', completion: '<|im_start|>assistant\nHo<|im_end|>' }];
    const [row] = written(opened('chatml', rows), { templated_text: 'as_is' });
    expect(row).toMatchObject({ messages: null });
    expect(joined(row!)).toBe('<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHo<|im_end|>');
  });
});

describe('without a chat template', () => {
  test('special tokens around the text are spelled out, once', () => {
    const [row] = written(withoutTemplate('llama2', [{ messages: talk }]));
    expect(joined(row!)).toBe('<s>Be brief.\n\nUser: Hello?\n\nAssistant: Ahoy!</s>');
    expect(learned(row!)).toEqual([' Ahoy!</s>']);
  });

  test('a completion begins where it begins in the file', () => {
    const [row] = written(withoutTemplate('gpt2', [{ prompt: 'The sea is', completion: ' wide.' }]));
    expect(partsOf(row!)).toEqual([
      { text: 'The sea is', learned: false },
      { text: ' wide.<|endoftext|>', learned: true },
    ]);
  });
});

describe('other objectives', () => {
  const pair = { prompt: 'Best sea?', chosen: ' North.', rejected: ' None.' };

  test('plain text is left to the trainer to end', () => {
    const api = withoutTemplate('gpt2', [{ text: 'A ship sails.' }]);
    expect(written(api, {}, { type: 'pretraining' })).toEqual([{ kind: 'text', text: 'A ship sails.' }]);
  });

  test('pairs are messages where there is a template, and text as it is written', () => {
    const objective = { type: 'dpo', loss_type: ['sigmoid'] } as unknown as ObjectiveSection;
    const [row] = written(opened('chatml', [pair]), {}, objective);
    expect(row).toEqual({
      kind: 'pair',
      prompt: [turn('user', 'Best sea?')],
      chosen: [turn('assistant', 'North.')],
      rejected: [turn('assistant', 'None.')],
      written: {
        prompt: '<|im_start|>user\nBest sea?<|im_end|>\n<|im_start|>assistant\n',
        chosen: 'North.<|im_end|>\n',
        rejected: 'None.<|im_end|>\n',
      },
    });
    const [plain] = written(withoutTemplate('gpt2', [pair]), {}, objective);
    expect(plain).toMatchObject({ prompt: 'Best sea?', chosen: ' North.<|endoftext|>' });
  });

  test('KTO takes pairs apart', () => {
    const objective = { type: 'kto', desirable_weight: 1, undesirable_weight: 1 } as ObjectiveSection;
    const rows = written(opened('chatml', [pair]), {}, objective);
    expect(rows).toMatchObject([
      { kind: 'judged', good: true, completion: [turn('assistant', 'North.')] },
      { kind: 'judged', good: false, completion: [turn('assistant', 'None.')] },
    ]);
  });

  test('prompts keep the columns that rewards look at', () => {
    const api = opened('chatml', [{ prompt: 'Two and two?', answer: '4' }]);
    const objective = { type: 'grpo', max_completion_length: 16, rewards: [] } as unknown as ObjectiveSection;
    api.parse('rows.jsonl', utf8(jsonl([{ prompt: 'Two and two?', answer: '4' }])).buffer as ArrayBuffer, {
      format: 'prompt_only',
      columns: null,
    });
    expect(written(api, { format: 'prompt_only' }, objective)).toEqual([
      { kind: 'prompt', prompt: [turn('user', 'Two and two?')], columns: { answer: '4' } },
    ]);
  });
});
