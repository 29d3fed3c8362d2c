/** Answer ranges for the kinds of templates that real models have, reduced to what matters for the ranges. */
import { describe, expect, test } from 'vitest';
import { PLAIN_CHAT_TEMPLATE } from '../../../src/base/plain-chat-template';
import { answerSpans } from '../../../src/data/answer-spans';
import { ChatTemplate, templateSource } from '../../../src/data/chat-template';
import { MAX_TEMPLATE_BYTES } from '../../../src/data/tokenizer-files';
import type { ChatMessage } from '../../../src/data/types';
import { errorOf } from './helpers';

const SPECIAL = { bos_token: '<s>', eos_token: '</s>' };
const chat = (...turns: string[]): ChatMessage[] =>
  turns.map((turn) => ({
    role: turn.startsWith('u:') ? 'user' : turn.startsWith('a:') ? 'assistant' : 'system',
    content: turn.slice(2),
  }));

const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
/** There is no generation prompt: the answer follows [/INST]. The system message goes into the first user turn. */
const LLAMA2 =
  "{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set sys = messages[0]['content'] %}" +
  '{% else %}{% set rest = messages %}{% set sys = false %}{% endif %}{% for m in rest %}' +
  "{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}" +
  "{% if loop.index0 == 0 and sys != false %}{% set content = '<<SYS>>\\n' + sys + '\\n<</SYS>>\\n\\n' + m['content'] %}{% else %}{% set content = m['content'] %}{% endif %}" +
  "{% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}" +
  "{% elif m['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}";
const GEMMA =
  "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" +
  "{% for message in messages %}{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}" +
  "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}";
/** The last answer gets an empty thinking block, earlier ones none. */
const QWEN3 =
  '{% for message in messages %}{% if message.role == "assistant" %}' +
  "{% if loop.last %}{{ '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' + message.content + '<|im_end|>\\n' }}" +
  "{% else %}{{ '<|im_start|>assistant\\n' + message.content + '<|im_end|>\\n' }}{% endif %}" +
  "{% else %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
/** The generation prompt opens a thinking block that finished turns do not have. */
const R1 =
  "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '<User>' + m.content }}" +
  "{% else %}{{ '<Assistant>' + m.content + eos_token }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<Assistant><think>\\n' }}{% endif %}";
/** A system message always moves to the front, so the rendering of an earlier prompt is not a prefix of the whole. */
const TO_THE_FRONT =
  "{% for m in messages if m.role == 'system' %}{{ m.content }}{% endfor %}{% for m in messages %}" +
  "{% if m.role == 'user' %}{{ '<User>' + m.content }}{% elif m.role == 'assistant' %}{{ '<Assistant>' + m.content + eos_token }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<Assistant><think>\\n' }}{% endif %}";
/** Ends a conversation with a token that starts like the one that follows an earlier answer (Phi-3). */
const PHI3 =
  "{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + '<|end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}";
/** As in SmolLM3: the template has its own marks, which exclude the end token. */
const MARKED =
  "{%- for message in messages -%}\n    {%- if message.role == 'assistant' -%}\n        {{ '<|im_start|>assistant\\n' }}\n" +
  '        {%- generation -%}\n        {{ message.content }}\n        {%- endgeneration -%}\n' +
  "        {{ '<|im_end|>\\n' }}\n    {%- else -%}\n        {{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}\n    {%- endif -%}\n{%- endfor -%}" +
  "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}";

const learned = (source: string, messages: ChatMessage[], endTokens: string[] = ['<|im_end|>', '<|end|>', '</s>']) => {
  const template = new ChatTemplate(source, SPECIAL);
  const text = template.render(messages, false);
  return answerSpans(template, messages, text, endTokens).map(([start, end]) => text.slice(start, end));
};

describe('what is learned', () => {
  const two = chat('s:Be kind.', 'u:Hi', 'a:Hello', 'u:Bye', 'a:So long');
  test.each<[string, string, ChatMessage[], string[]]>([
    ['ChatML', CHATML, two, ['Hello<|im_end|>\n', 'So long<|im_end|>\n']],
    ['Llama 2', LLAMA2, two, [' Hello </s>', ' So long </s>']],
    ['Gemma', GEMMA, two.slice(1), ['Hello<end_of_turn>\n', 'So long<end_of_turn>\n']],
    ['Qwen3', QWEN3, two, ['Hello<|im_end|>\n', '<think>\n\n</think>\n\nSo long<|im_end|>\n']],
    ['R1', R1, two.slice(1), ['Hello</s>', 'So long</s>']],
    ['own marks, extended to the end token', MARKED, two, ['Hello<|im_end|>', 'So long<|im_end|>']],
    [
      'a system message that moves',
      TO_THE_FRONT,
      chat('u:Hi', 'a:Hello', 's:Hi Hello', 'u:Bye', 'a:So long'),
      ['Hello</s>', 'So long</s>'],
    ],
    ['Phi-3', PHI3.replace('eos_token', "'<|endoftext|>'"), two, ['Hello<|end|>\n', 'So long<|end|>\n<|endoftext|>']],
    ['no template', PLAIN_CHAT_TEMPLATE, two, [' Hello</s>', ' So long</s>']],
    [
      'an answer equal to the question',
      CHATML,
      chat('u:echo', 'a:echo', 'u:echo', 'a:echo'),
      ['echo<|im_end|>\n', 'echo<|im_end|>\n'],
    ],
    ['a greeting first', CHATML, chat('a:Welcome', 'u:Hi', 'a:Hello'), ['Welcome<|im_end|>\n', 'Hello<|im_end|>\n']],
    ['two answers in a row', CHATML, chat('u:Go', 'a:One', 'a:Two'), ['One<|im_end|>\n', 'Two<|im_end|>\n']],
    ['a user message last', CHATML, chat('u:Hi', 'a:Hello', 'u:And?'), ['Hello<|im_end|>\n']],
    [
      'repeated answers in Qwen3',
      QWEN3,
      chat('u:a', 'a:a', 'u:a', 'a:a'),
      ['a<|im_end|>\n', '<think>\n\n</think>\n\na<|im_end|>\n'],
    ],
  ])('%s', (_name, source, messages, expected) => {
    expect(learned(source, messages)).toEqual(expected);
  });

  test('only answers that are not excluded from training', () => {
    const messages = chat('u:Hi', 'a:Hello', 'u:Bye', 'a:So long');
    messages[1]!.train = false;
    expect(learned(CHATML, messages)).toEqual(['So long<|im_end|>\n']);
    expect(learned(MARKED, messages)).toEqual(['So long<|im_end|>']);
  });

  test('marks do not change the text, whatever white space surrounds them', () => {
    const spaced =
      '{% for m in messages %}\n  {% if m.role == "assistant" %}\n    {% generation %}\n    {{ m.content }}\n    {% endgeneration %}\n  {% else %}\nQ: {{ m.content }}\n  {% endif %}\n{% endfor %}\n';
    const template = new ChatTemplate(spaced, SPECIAL);
    const messages = chat('u:Hi', 'a:Hello');
    const text = template.render(messages, false);
    const spans = template.generationSpans(messages, text);
    expect(spans!.map(([a, b]) => text.slice(a, b).trim())).toEqual(['Hello']);
  });
});

describe('templates that misbehave', () => {
  test('a rejection includes the template’s message', () => {
    const error = errorOf(() => new ChatTemplate(GEMMA, SPECIAL).render(chat('s:x', 'u:y'), false));
    expect(error).toMatchObject({ code: 'bad_model', where: 'chat template' });
    expect(error.details).toContain('System role not supported');
  });

  test.each([
    ['a syntax error', '{% for m in messages %}{{ m.content }'],
    ['an unknown statement', '{% include "other" %}'],
    ['an oversized template', `{# ${'x'.repeat(MAX_TEMPLATE_BYTES)} #}`],
  ])('%s', (_name, source) => {
    expect(errorOf(() => new ChatTemplate(source, SPECIAL))).toMatchObject({
      code: 'bad_model',
      where: 'chat template',
    });
  });

  test.each([
    [
      'more than a megabyte of output',
      "{% for i in range(20000) %}{{ 'x' * 1 }}{{ '                                                                ' }}{% endfor %}",
    ],
    ['deep nesting', `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`],
  ])('%s', (_name, source) => {
    expect(errorOf(() => new ChatTemplate(source, SPECIAL).render(chat('u:a'), false)).code).toBe('bad_model');
  });

  test('a template cannot reach JavaScript objects', () => {
    const template = new ChatTemplate(
      '{{ messages.constructor }}{{ messages[0].__proto__ }}{{ "".constructor }}',
      SPECIAL,
    );
    expect(template.render(chat('u:a'), false)).not.toMatch(/function|object/i);
  });
});

test.each([
  ['the file first', 'A', '{"chat_template": "B"}', 'A'],
  ['then the config', null, '{"chat_template": "B"}', 'B'],
  [
    'by name',
    null,
    '{"chat_template": [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]}',
    'D',
  ],
  ['the first of several', null, '{"chat_template": [{"name": "rag", "template": "R"}]}', 'R'],
  ['none', null, '{}', null],
  ['empty', ' ', '{"chat_template": ""}', null],
  ['no config', null, null, null],
])('chooses the template: %s', (_name, file, config, expected) => {
  expect(templateSource(file, config)).toBe(expected);
});
