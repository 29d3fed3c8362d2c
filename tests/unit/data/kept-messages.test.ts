/** Every message's text reaches the model, or the row says that it does not. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { codes, errorOf } from './helpers';
import { opened, tokenized, turn, written } from './template-helpers';

const WITHOUT_SYSTEM =
  "{% for m in messages %}{% if m.role == 'user' %}<u>{{ m.content }}{% elif m.role == 'assistant' %}<a>{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}<a>{% endif %}";
const pirate = [turn('system', 'Answer as a pirate.'), turn('user', 'Where is it?'), turn('assistant', 'In the hold.')];
const two = [...pirate, turn('user', 'And when?'), turn('assistant', 'At dawn.')];

describe('a system message without a place', () => {
  test.each([
    ['gemma2', undefined],
    ['mistral', undefined],
    ['mistral-nemo', undefined],
    ['qwen2.5', WITHOUT_SYSTEM],
  ])('goes before the first question: %s', (name, template) => {
    const api = opened(name, [{ messages: pirate }, { messages: two }], template);
    for (const row of [1, 2]) {
      const { text, learned } = written(api, row);
      expect(text).toContain('Answer as a pirate.\n\nWhere is it?');
      expect(text.split('Answer as a pirate.')).toHaveLength(2);
      expect(learned).toContain('In');
      expect(learned).not.toContain('pirate');
    }
    const { problems, train } = tokenized(api);
    expect(train).toHaveLength(2);
    expect(problems.map(({ code }) => code)).toEqual(['system_folded']);
    expect(problems[0]!.message).toContain('2 rows (the first is row 1)');
    expect(problems[0]!.choices).toHaveLength(2);
  });

  test('is asked for in the same way', () => {
    const { text } = written(opened('gemma2', [{ messages: pirate }]), 1);
    const api = opened('gemma2', [{ messages: pirate }]);
    const ids = api.encodePrompt('Where is it?', 'Answer as a pirate.');
    expect(
      text.startsWith(api.decode(ids).split('\nmodel')[0]!.trimEnd().replace('user\n', '<bos><start_of_turn>user\n')),
    ).toBe(true);
  });

  test('is left out, or its row is, if the recipe says so', () => {
    const api = opened('gemma2', [{ messages: pirate }, { messages: pirate.slice(1) }]);
    expect(written(api, 1, { system_fallback: 'leave_out' }).text).not.toContain('pirate');
    expect(codes(tokenized(api, { system_fallback: 'leave_out' }))).toEqual(['system_left_out@1']);
    const dropped = tokenized(api, { system_fallback: 'leave_out_row' });
    expect(codes(dropped)).toEqual(['system_refused@1']);
    expect(dropped.problems[0]).toMatchObject({ dropped: true, message: expect.stringContaining('refuses') });
    expect(dropped.train).toHaveLength(1);
  });

  test.each([
    ['smollm3', 'a second one', [turn('system', 'Be brief.'), ...pirate]],
    ['gemma3', 'a second one', [turn('system', 'Be brief.'), ...pirate]],
    ['llama2', 'a second one', [turn('system', 'Be brief.'), ...pirate]],
  ])('%s: %s joins the first', (name, _what, messages) => {
    const api = opened(name, [{ messages }]);
    expect(written(api, 1).text).toContain('Be brief.\n\nAnswer as a pirate.');
    expect(codes(tokenized(api))).toEqual(['role_order@1', 'system_joined@1'].slice(-1));
  });

  test.each(['smollm3', 'gemma3', 'llama2', 'mistral-nemo'])(
    '%s: one further down goes before the next question',
    (name) => {
      const messages = [
        ...pirate.slice(1),
        turn('system', 'Now in verse.'),
        turn('user', 'Again?'),
        turn('assistant', 'Aye.'),
      ];
      const api = opened(name, [{ messages }]);
      expect(written(api, 1).text).toContain('Now in verse.\n\nAgain?');
      expect(codes(tokenized(api))).toEqual(['system_folded@1']);
    },
  );

  test('with no question after it, its row is left out', () => {
    const messages = [...pirate.slice(1), turn('system', 'Well done.'), turn('assistant', 'Thanks.')];
    const result = tokenized(opened('smollm3', [{ messages }, { messages: pirate }]));
    expect(codes(result)).toEqual(['system_refused@1']);
    expect(result.train).toHaveLength(1);
  });

  test('has its place in most templates, and nothing is said', () => {
    for (const name of ['chatml', 'llama3.1', 'phi3', 'qwen3', 'tinyllama']) {
      const api = opened(name, [{ messages: pirate }]);
      expect(written(api, 1).text, name).toMatch(/pirate\.[\s\S]+Where is it\?/);
      expect(written(api, 1).text, name).not.toContain('pirate.\n\nWhere');
      expect(codes(tokenized(api)), name).toEqual([]);
    }
  });
});

describe('a message that the template does not write', () => {
  const weather = (result: string) => [
    turn('user', 'Weather?'),
    turn('assistant', '{"call": "weather"}'),
    turn('tool', result),
    turn('assistant', 'It rains 4 litres.'),
  ];
  test.each(['phi3', 'phi3.5', 'tinyllama'])('%s: its row is left out and counted', (name) => {
    // "4" is in the text elsewhere, and must not count as the tool's result.
    const rows = [{ messages: weather('rain') }, { messages: pirate }, { messages: weather('4') }];
    const { problems, train } = tokenized(opened(name, rows));
    expect(problems.map(({ code, row, dropped }) => [code, row, dropped])).toEqual([
      ['message_lost', 1, true],
      ['message_lost', 3, true],
    ]);
    expect(problems[0]!.message).toBe(
      'Row 1 would lose its tool result (message 3): the model’s chat template does not write it.',
    );
    expect(train).toHaveLength(1);
  });

  test.each([
    [
      'only the last question',
      "{% for m in messages %}{% if m.role == 'assistant' or loop.index0 >= messages|length - 2 %}<{{ m.role }}>{{ m.content }}{% endif %}{% endfor %}",
      'question',
    ],
    [
      'only the first answer',
      "{% for m in messages %}{% if m.role == 'user' or loop.index0 <= 1 %}<{{ m.role }}>{{ m.content }}{% endif %}{% endfor %}",
      'answer',
    ],
    ['ten letters of each', '{% for m in messages %}<{{ m.role }}>{{ m.content[:10] }}{% endfor %}', 'question'],
  ])('%s', (_what, template, lost) => {
    const api = opened(
      'qwen2.5',
      [
        {
          messages: [
            turn('user', 'One question, please?'),
            turn('assistant', 'First.'),
            turn('user', 'Two'),
            turn('assistant', 'Second.'),
          ],
        },
      ],
      template,
    );
    expect(errorOf(() => tokenized(api)).message).toContain(`would lose its ${lost}`);
  });

  test('tool results that are written as JSON are there', () => {
    const api = opened('llama3.1', [{ messages: weather('"wet" and\ngrey') }]);
    expect(codes(tokenized(api))).toEqual([]);
  });

  test('a changed text is told', () => {
    // It takes "/think" out of system messages, where it is a switch.
    const api = opened('smollm3', [{ messages: [turn('system', 'Use /think well.'), ...pirate.slice(1)] }]);
    expect(codes(tokenized(api))).toEqual(['text_changed@1']);
  });
});

describe('thoughts', () => {
  const sums = [
    turn('user', '2+2?'),
    turn('assistant', '4', { reasoning_content: 'Two and two.' }),
    turn('user', '3+3?'),
    turn('assistant', '6', { reasoning_content: 'Three and three.' }),
  ];
  test('go into the field that the template reads', () => {
    const { text, learned } = written(opened('qwen3', [{ messages: sums.slice(0, 2) }]), 1);
    expect(text).toContain('<|im_start|>assistant\n<think>\nTwo and two.\n</think>\n\n4<|im_end|>');
    expect(learned).toBe('<think>\nTwo and two.\n</think>\n\n4<|im_end|>\n');
  });

  test.each(['qwen2.5', 'llama3.1', 'phi3', 'gemma3', 'mistral-nemo'])('%s: go before the answer elsewhere', (name) => {
    const api = opened(name, [{ messages: sums }]);
    const { text, learned } = written(api, 1);
    expect(text).toContain('<think>\nTwo and two.\n</think>\n\n4');
    expect(learned.replaceAll('▁', ' ')).toMatch(/Two and two\.[\s\S]+¦[\s\S]*Three and three\./);
    expect(codes(tokenized(api))).toEqual([]);
  });

  test('of earlier answers are said to be left out', () => {
    const api = opened('qwen3', [{ messages: sums }, { messages: sums.slice(0, 2) }]);
    const { text } = written(api, 1);
    expect(text).toContain('Three and three.');
    expect(text).not.toContain('Two and two.');
    expect(codes(tokenized(api))).toEqual(['thoughts_left_out@1']);
    // The same, written into the answers.
    const inline = sums.map(({ role, content, ...rest }) => {
      const thoughts = (rest as { reasoning_content?: string }).reasoning_content;
      return turn(role, thoughts ? `<think>\n${thoughts}\n</think>\n\n${content}` : content);
    });
    const other = opened('qwen3', [{ messages: inline }, { messages: inline.slice(0, 2) }]);
    expect(written(other, 1)).toEqual(written(api, 1));
    expect(codes(tokenized(other))).toEqual(['thoughts_left_out@1']);
  });

  test('are put into the last answer where the template strips them from all', () => {
    const r1 =
      "{% for m in messages %}{% if m.role == 'user' %}<User>{{ m.content }}{% else %}<Assistant>{% if '</think>' in m.content %}{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}{{ eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<Assistant><think>\n' }}{% endif %}";
    const api = opened('qwen3', [{ messages: sums }, { messages: sums.slice(0, 2) }], r1);
    expect(written(api, 2).text).toBe('<User>2+2?<Assistant><think>\nTwo and two.\n</think>\n\n4<|im_end|>');
    // The prompt opens the thoughts, so they are what is learned.
    expect(written(api, 2).learned).toBe('Two and two.\n</think>\n\n4<|im_end|>');
    expect(written(api, 1).text).toMatch(/<Assistant>4.*<Assistant><think>\nThree and three\.\n<\/think>\n\n6/);
    expect(codes(tokenized(api))).toEqual(['thoughts_left_out@1']);
  });

  test('that there are none of stay as the template has it', () => {
    const plain = sums.map(({ role, content }) => turn(role, content));
    expect(written(opened('qwen3', [{ messages: plain }]), 1).learned).toBe(
      '4<|im_end|>\n ¦ <think>\n\n</think>\n\n6<|im_end|>\n',
    );
  });

  test('of many answers are learned in many answers', () => {
    const many = Array.from({ length: 80 }, (_, i) =>
      i % 2 === 0
        ? turn('user', `Question ${i}`)
        : turn('assistant', `Answer ${i}`, { reasoning_content: `Thought ${i}.` }),
    );
    const { learned } = written(opened('qwen2.5', [{ messages: many }]), 1);
    expect(learned.split(' ¦ ')).toEqual(
      Array.from(
        { length: 40 },
        (_, i) => `<think>\nThought ${2 * i + 1}.\n</think>\n\nAnswer ${2 * i + 1}<|im_end|>\n`,
      ),
    );
  });
});

describe('thoughts as transformers writes them', () => {
  const { conversations } = JSON.parse(
    readFileSync(new URL('../../fixtures/templates/thoughts.json', import.meta.url), 'utf8'),
  ) as { conversations: { name: string; messages: object[]; text: string }[] };

  test.each(conversations.map(({ name, messages, text }) => [name, messages, text] as const))(
    '%s',
    (_name, messages, text) => {
      expect(written(opened('qwen3', [{ messages }]), 1).text).toBe(text);
    },
  );
});

describe('code', () => {
  const body = '    if x:\n        return 0\n    return 1\n';
  test.each(['qwen2.5', 'qwen3', 'chatml', 'phi3', 'llama3.1', 'gemma2', 'llama2', 'mistral'])(
    '%s: keeps its first indentation',
    (name) => {
      const rows = [
        { prompt: 'def f(x):\n', completion: body },
        { messages: [turn('user', 'Go on.'), turn('assistant', body)] },
        { messages: [turn('user', 'Go on.'), turn('assistant', '\treturn 0')] },
      ];
      const pairs = opened(name, rows.slice(0, 1));
      const chats = opened(name, rows.slice(1));
      expect(written(pairs, 1).text).toContain('    if x:\n        return 0\n    return 1');
      // Phi-3's tokeniser lets <|assistant|> swallow the white space behind it.
      if (name !== 'phi3') expect(written(pairs, 1).learned.replaceAll('▁', ' ')).toContain('    if x:');
      expect(written(chats, 1).text).toContain('    if x:\n        return 0\n    return 1');
      expect(written(chats, 2).text).toContain('\treturn 0');
      for (const api of [pairs, chats]) expect(codes(tokenized(api))).toEqual([]);
    },
  );

  test.each([
    [' Paris', 'Paris'],
    ['  Paris \n', 'Paris'],
    ['\n\nParis', 'Paris'],
    ['    x = 1', '    x = 1'],
    ['\n  - a\n  - b\n', '  - a\n  - b'],
    ['\tx', '\tx'],
  ])('the answer %j is %j in a chat', (completion, expected) => {
    const { text } = written(opened('chatml', [{ prompt: 'Say it.', completion }]), 1);
    expect(text).toContain(`<|im_start|>assistant\n${expected}<|im_end|>`);
  });
});
