/** Rows that are in a chat template already. */
import { describe, expect, test } from 'vitest';
import { ChatTemplate } from '../../../src/data/chat-template';
import { markIn, turnsIn } from '../../../src/data/templated';
import { createDataApi } from '../../../src/workers/data/service';
import { codes, errorOf, jsonl, section, tokenizerFiles, utf8 } from './helpers';
import { filesOf, OBJECTIVE, opened, templateOf, tokenized, turn, written } from './template-helpers';

/** A question and its answer, as templates of many models write them. */
const FRAMES: [string, string, string][] = [
  ['ChatML', '<|im_start|>user\nSay hi<|im_end|>\n<|im_start|>assistant\n', 'Hi!<|im_end|>'],
  [
    'ChatML with a system message',
    '<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nSay hi<|im_end|>\n<|im_start|>assistant\n',
    'Hi!<|im_end|>\n',
  ],
  ['Phi-4', '<|im_start|>user<|im_sep|>Say hi<|im_end|><|im_start|>assistant<|im_sep|>', 'Hi!<|im_end|>'],
  [
    'Llama 3',
    '<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nSay hi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    'Hi!<|eot_id|>',
  ],
  [
    'Llama 4',
    '<|begin_of_text|><|header_start|>user<|header_end|>\n\nSay hi<|eot|><|header_start|>assistant<|header_end|>\n\n',
    'Hi!<|eot|>',
  ],
  ['Gemma', '<bos><start_of_turn>user\nSay hi<end_of_turn>\n<start_of_turn>model\n', 'Hi!<end_of_turn>'],
  ['Phi-3', '<|user|>\nSay hi<|end|>\n<|assistant|>\n', 'Hi!<|end|>'],
  ['Zephyr', '<|system|>\n</s>\n<|user|>\nSay hi</s>\n<|assistant|>\n', 'Hi!</s>'],
  ['OpenAssistant', '<|prompter|>Say hi<|endoftext|><|assistant|>', 'Hi!<|endoftext|>'],
  ['Llama 2', '<s>[INST] Say hi [/INST]', 'Hi! </s>'],
  ['Llama 2 with a system message', '<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nSay hi [/INST]', 'Hi!'],
  ['Mistral', '[INST] Say hi [/INST]', 'Hi!</s>'],
  ['DeepSeek', '<｜begin▁of▁sentence｜><｜User｜>Say hi<｜Assistant｜>', 'Hi!<｜end▁of▁sentence｜>'],
  [
    'Granite',
    '<|start_of_role|>user<|end_of_role|>Say hi<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>',
    'Hi!<|end_of_text|>',
  ],
  [
    'Command R',
    '<|START_OF_TURN_TOKEN|><|USER_TOKEN|>Say hi<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>',
    'Hi!<|END_OF_TURN_TOKEN|>',
  ],
  ['gpt-oss', '<|start|>user<|message|>Say hi<|end|><|start|>assistant<|channel|>final<|message|>', 'Hi!<|return|>'],
  ['Alpaca', '### Instruction:\nSay hi\n\n### Response:\n', 'Hi!'],
  ['Guanaco', '### Human: Say hi\n### Assistant:', ' Hi!'],
  ['Vicuna', 'USER: Say hi ASSISTANT:', ' Hi!</s>'],
];

describe.each(FRAMES)('%s', (_name, prompt, completion) => {
  // The texts of a pair may be read as conversations by themselves; those of messages are not.
  const rows = [{ messages: [turn('user', prompt), turn('assistant', completion)] }];

  test('is recognised, and asked about', () => {
    expect(markIn(prompt, 'user')).not.toBeNull();
    const error = errorOf(() => tokenized(opened('qwen2.5', rows)));
    expect(error).toMatchObject({ code: 'bad_data', message: expect.stringContaining('in a chat template already') });
    expect(error.choices!.map(({ set }) => set['dataset.templated_text'])).toEqual(['strip', 'as_is', 'text']);
  });

  test('loses its marks', () => {
    const api = opened('qwen2.5', rows);
    const { text, learned } = written(api, 1, { templated_text: 'strip' });
    const system = prompt.includes('Be kind.')
      ? 'Be kind.'
      : 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.';
    expect(text).toBe(
      `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\nSay hi<|im_end|>\n<|im_start|>assistant\nHi!<|im_end|>\n`,
    );
    expect(learned).toBe('Hi!<|im_end|>\n');
    expect(codes(tokenized(api, { templated_text: 'strip' }))).toContain('marks_stripped@1');
  });

  test('is used as it is', () => {
    const api = opened('qwen2.5', rows);
    const { text } = written(api, 1, { templated_text: 'as_is' });
    // An end of turn, the row's own or the model's, comes once.
    expect(text.replace(/<\|im_end\|>\n?$/, '')).toBe((prompt + completion).replace(/<\|im_end\|>\n?$/, ''));
    expect(text.match(/<\|im_start\|>system/g)?.length ?? 0).toBe(prompt.startsWith('<|im_start|>system') ? 1 : 0);
  });
});

describe('what is no template', () => {
  test.each([
    'What does <|im_start|> mean?',
    'Explain [INST] in Mistral’s prompts.',
    'Compare </s>, <|eot_id|> and <end_of_turn>.',
    'user: Hi\nassistant: Hello',
    'In a shop. CUSTOMER: Hi. CLERK: Hello.',
    '## Instructions\nRead this.\n### Response time\n5 ms',
    '### Instruction: how to tie a knot',
    'if (a < b || c > d) { x = y; }',
    '<div class="user">assistant</div>',
    'a <|b|> c',
  ])('%s', (text) => {
    for (const role of ['user', 'system', 'assistant'] as const) expect(markIn(text, role, ['<|im_end|>'])).toBeNull();
  });

  test.each(['`</s>`', 'It ends with `<|im_end|>`', 'Use <|im_end|> after <|eot_id|>'])(
    'an answer that speaks of tokens: %s',
    (text) => {
      expect(markIn(text, 'assistant', ['<|im_end|>'])).toBeNull();
    },
  );
});

test('an answer with the end of its turn is recognised', () => {
  const rows = [{ prompt: 'Say hi', completion: 'Hi!<|im_end|>' }];
  expect(errorOf(() => tokenized(opened('qwen2.5', rows))).message).toContain('<|im_end|>');
  const { text } = written(opened('qwen2.5', rows), 1, { templated_text: 'strip' });
  expect(text.endsWith('assistant\nHi!<|im_end|>\n')).toBe(true);
});

test('a template inside a message is recognised, and all turns in it are kept', () => {
  const whole = '<|user|>\nOne?<|end|>\n<|assistant|>\nOne.<|end|>\n<|user|>\nTwo?<|end|>\n';
  const rows = [{ messages: [turn('user', whole), turn('assistant', 'Two.')] }];
  expect(errorOf(() => tokenized(opened('chatml', rows))).choices).toHaveLength(3);
  const { text, learned } = written(opened('chatml', rows), 1, { templated_text: 'strip' });
  expect(text).toBe(
    '<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nOne.<|im_end|>\n<|im_start|>user\nTwo?<|im_end|>\n<|im_start|>assistant\nTwo.<|im_end|>\n',
  );
  // Answers in a question are context.
  expect(learned).toContain('Two.');
  expect(learned).not.toContain('One.');
});

test('a few such rows are left out and told, without a question', () => {
  const rows = [
    { prompt: FRAMES[0]![1], completion: 'Hi!' },
    ...[1, 2, 3].map((n) => ({ prompt: `Say ${n}`, completion: `${n}!` })),
  ];
  const { problems, train } = tokenized(opened('qwen2.5', rows));
  expect(train).toHaveLength(3);
  expect(problems[0]).toMatchObject({ code: 'already_templated', row: 1, dropped: true });
});

test('marks may be part of the text', () => {
  const api = opened('qwen2.5', [{ prompt: FRAMES[0]![1], completion: 'Hi!' }]);
  expect(written(api, 1, { templated_text: 'text' }).text.match(/<\|im_start\|>user/g)).toHaveLength(2);
});

test('a model without a template reads prompts as they are', () => {
  const api = createDataApi();
  const { chat_template: _, ...config } = JSON.parse(filesOf('qwen2.5').tokenizerConfig);
  api.openTokenizer({ ...filesOf('qwen2.5'), chatTemplate: null, tokenizerConfig: JSON.stringify(config) });
  const [, prompt, completion] = FRAMES[0]!;
  api.parse('rows.jsonl', utf8(jsonl([{ prompt, completion }])).buffer as ArrayBuffer, {
    format: 'auto',
    columns: null,
  });
  expect(written(api, 1).text).toBe(prompt + completion);
});

test('turns are found as the templates of real models write them', () => {
  const messages = [turn('user', 'One?'), turn('assistant', 'One.'), turn('user', 'Two?'), turn('assistant', 'Two.')];
  for (const name of ['chatml', 'gemma2', 'llama2', 'llama3', 'mistral', 'phi3', 'tinyllama', 'smollm2']) {
    const text = templateOf(name).render(messages as never, false);
    expect(markIn(text, 'user'), name).not.toBeNull();
    expect(
      turnsIn(text).filter(({ role }) => role !== 'system'),
      name,
    ).toEqual(messages);
  }
});

describe('BOS', () => {
  const first = (api: ReturnType<typeof opened>, row: number, type: string) =>
    api.viewTokens(row, section(), { type, assistant_only_loss: true } as never, 1000).tokens;
  const count = (tokens: { text: string }[], text: string) => tokens.filter((token) => token.text === text).length;

  test.each([
    ['llama2', '<s>', '</s>', '<s>[INST] say one [/INST] one! </s>'],
    ['llama2', '<s>', '</s>', '<s> Once upon a time</s>\n'],
    ['mistral', '<s>', '</s>', '<s>[INST] say one [/INST] one!</s>'],
    ['gemma2', '<bos>', '<eos>', '<bos><start_of_turn>user\nHi<end_of_turn>\n'],
    ['llama3', '<|begin_of_text|>', '<|eot_id|>', '<|begin_of_text|>Once<|eot_id|>'],
  ])('%s: comes once before a text that has it', (name, bos, eos, text) => {
    const api = opened(name, [{ text }, { text: 'Without it.' }]);
    for (const type of ['pretraining', 'sft']) {
      for (const row of [1, 2]) {
        const tokens = first(api, row, type);
        expect(tokens[0]!.text).toBe(bos);
        expect(count(tokens, bos)).toBe(1);
        expect(count(tokens, eos)).toBeLessThanOrEqual(1);
      }
    }
  });

  test('is not added to texts of models that have none', () => {
    const api = opened('qwen2.5', [{ text: 'Hi' }]);
    expect(first(api, 1, 'pretraining')[0]!.text).toBe('Hi');
  });

  test('comes once before a prompt that has it', () => {
    const api = createDataApi();
    const files = { ...tokenizerFiles('tests/fixtures/tokenizers/llama2'), chatTemplate: null };
    const { chat_template: _, ...config } = JSON.parse(files.tokenizerConfig ?? '{}');
    api.openTokenizer({ ...files, tokenizerConfig: JSON.stringify(config) });
    const [with_, without] = [api.encodePrompt('<s>Once'), api.encodePrompt('Once')];
    expect([...with_].filter((id) => id === with_[0])).toHaveLength(1);
    expect(without[0]).toBe(with_[0]);
  });

  test('a text in a template is told', () => {
    const api = opened('llama2', [{ text: '<s>[INST] say one [/INST] one! </s>' }]);
    const { problems } = api.tokenize(section(), OBJECTIVE, 512, 1);
    expect(problems.map(({ code }) => code)).toContain('text_has_marks');
  });

  test('[CLS] and [SEP] come once', () => {
    const api = createDataApi();
    api.openTokenizer({ ...tokenizerFiles('tests/fixtures/tokenizers/bert-cased'), chatTemplate: null });
    const [plain, marked] = api.encodeTexts(['the end', '[CLS] the end [SEP]'], 100);
    expect([...marked!]).toEqual([...plain!]);
  });
});

test('the template class keeps private characters of the data', () => {
  const template = new ChatTemplate('{% for m in messages %}{{ m.content }}{% endfor %}', {});
  const odd = '\uE0F2\uE0E1\uE0F2 \uE0F0x\uE0F1';
  expect(template.render([{ role: 'user', content: odd }], false)).toBe(odd);
});
