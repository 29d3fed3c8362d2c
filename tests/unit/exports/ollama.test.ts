/** Modelfiles. `npm run test:interop -- ollama` reads them with Ollama's own code. */
import { describe, expect, it } from 'vitest';
import { ChatTemplate } from '../../../src/data/chat-template';
import type { ChatMessage } from '../../../src/data/types';
import { findBoundaries, type Turn, writeChat } from '../../../src/exports/ollama/boundaries';
import { describeChats } from '../../../src/exports/ollama/describe';
import { chatTemplate, goString, goText } from '../../../src/exports/ollama/go-template';
import { type ModelfileFacts, modelfile } from '../../../src/exports/ollama/modelfile';

const CHATML =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
const NOW = new Date();

const writer = (source: string) => {
  const template = new ChatTemplate(source, { bos_token: '<s>', eos_token: '</s>' });
  return async (chats: readonly (readonly ChatMessage[])[]) =>
    chats.map((messages) => {
      try {
        return template.render(messages, true);
      } catch {
        return null;
      }
    });
};
const found = (source: string) => findBoundaries(writer(source) as Parameters<typeof findBoundaries>[0], NOW);

describe('what a template writes around messages', () => {
  it('is found, and writes other conversations too', async () => {
    const result = await found(CHATML);
    if (typeof result === 'string') throw new Error(result);
    expect(result).toEqual({
      strips: false,
      boundaries: {
        start: '<|im_start|>user\n',
        system: { before: '<|im_start|>system\n', behind: '<|im_end|>\n<|im_start|>user\n' },
        answer: '<|im_end|>\n<|im_start|>assistant\n',
        question: '<|im_end|>\n<|im_start|>user\n',
        prompt: '<|im_end|>\n<|im_start|>assistant\n',
      },
    });
    const chat: Turn[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ];
    expect(writeChat(result.boundaries, chat)).toBe((await writer(CHATML)([chat]))[0]);
  });

  it.each([
    ['numbers messages', '{% for m in messages %}{{ loop.index ~ m.role ~ m.content }}{% endfor %}', 'varies'],
    ['shortens what came before', '{{ messages[-1].content }}', 'varies'],
    ['writes a message twice', '{% for m in messages %}{{ m.role + m.content + m.content }}{% endfor %}', 'varies'],
    ['writes letters of its own', '{% for m in messages %}{{ m.role + (m.content | upper) }}{% endfor %}', 'varies'],
    [
      'has no place for a system prompt',
      "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}{{ m.content }};{% endfor %}",
      'rejects',
    ],
    [
      'writes the date',
      "{{ strftime_now('%d %b %Y') }}{% for m in messages %}{{ m.role + m.content }};{% endfor %}",
      'date',
    ],
    [
      'writes the date in full',
      "{% for m in messages %}{{ m.role + m.content }};{% endfor %}{{ strftime_now('%B %d, %Y') }}",
      'date',
    ],
  ])('has no such form if it %s', async (_, source, why) => {
    expect(await found(source)).toBe(why);
  });

  it('is told where white space is taken away', async () => {
    const result = await found(CHATML.replace('m.content', 'm.content | trim'));
    expect(result).toMatchObject({ strips: true });
  });
});

it('the token that llama.cpp writes by itself is not in the template', async () => {
  const source = `<s>${CHATML}`;
  const write = async (chats: readonly (readonly ChatMessage[])[]) => ({
    texts: await writer(source)(chats),
    begin: '<s>',
    ends: ['<|im_end|>', '</s>', ''],
    tools: false,
  });
  const [with_, without] = [
    await describeChats({ write, system: async () => null }, '<s>', NOW),
    await describeChats({ write, system: async () => null }, null, NOW),
  ];
  expect(with_.template).toBe(without.template!.replaceAll('<s>', ''));
  expect(without.template).toContain('<s>');
  expect(with_.stops).toEqual(['<|im_end|>', '</s>']);
});

describe('text in a template of Go’s', () => {
  it('stands as it is, or as a string', () => {
    expect(goText('<|im_end|>\n')).toBe('<|im_end|>\n');
    expect(goText('')).toBe('');
    expect(goText('a {{ b')).toBe('{{ "a {{ b" }}');
    // Before an action it would be taken for its beginning.
    expect(goText('[{')).toBe('{{ "[{" }}');
    expect(goText('"""\n')).toBe('{{ "\\"\\"\\"\\n" }}');
    expect(goText('a\u200b')).toBe('{{ "a\\u200b" }}');
    expect(goString('\\ \u{e0001}\r')).toBe('"\\\\ \\U000e0001\\u000d"');
  });
});

it('a Modelfile', () => {
  const facts: ModelfileFacts = {
    comments: ['Made by Tabtune.\nIt has two lines.'],
    from: './model.gguf',
    adapter: './adapter.gguf',
    template: chatTemplate({
      start: 'U:',
      system: { before: 'S:', behind: '\nU:' },
      answer: '\nA:',
      question: '\nU:',
      prompt: '\nA:',
    }),
    system: 'Say "Arr".',
    parameters: [
      ['stop', '<|im_end|>'],
      ['stop', '"'],
      ['num_ctx', 4096],
      ['temperature', 0.7],
    ],
    licence: 'apache-2.0',
  };
  expect(modelfile(facts)).toEqual({
    notes: [],
    text: `# Made by Tabtune. It has two lines.
FROM ./model.gguf
ADAPTER ./adapter.gguf
TEMPLATE """{{ if .System }}S:{{ .System }}
U:{{ else }}U:{{ end }}{{ range .Messages }}{{ if eq .Role "user" }}{{ .Content }}{{ else if eq .Role "assistant" }}
A:{{ .Content }}
U:{{ end }}{{ end }}
A:"""
SYSTEM """Say "Arr"."""
PARAMETER stop "<|im_end|>"
PARAMETER stop """""""
PARAMETER num_ctx 4096
PARAMETER temperature 0.7
LICENSE """apache-2.0"""
`,
  });
});
