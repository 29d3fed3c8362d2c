/** What real templates do with each role, as one reads in their source. */
import { expect, test } from 'vitest';
import { PLAIN_CHAT_TEMPLATE } from '../../../src/base/plain-chat-template';
import { ChatTemplate } from '../../../src/data/chat-template';
import { templateGaps } from '../../../src/data/template-facts';
import { createDataApi } from '../../../src/workers/data/service';
import { errorOf, tokenizerFiles } from './helpers';
import { filesOf, templateOf } from './template-helpers';

const ALTERNATING = { usersInARow: 'refused', assistantFirst: 'refused', laterSystem: 'refused' };

test.each([
  ['gemma2', { system: 'refused', toolResults: 'refused', indents: false, ...ALTERNATING }],
  ['gemma3', { system: 'written', secondSystem: 'refused', tools: 'dropped', indents: false, ...ALTERNATING }],
  ['llama2', { system: 'written', secondSystem: 'refused', indents: false, ...ALTERNATING }],
  ['llama3.1', { system: 'written', secondSystem: 'written', tools: 'written', toolCalls: 'written' }],
  ['mistral', { system: 'refused', ...ALTERNATING }],
  // It writes a system message only if the last message is a question.
  [
    'mistral-nemo',
    { system: 'dropped', tools: 'written', toolCalls: 'written', toolResults: 'refused', ...ALTERNATING },
  ],
  ['phi3', { system: 'written', toolResults: 'dropped', toolCalls: 'dropped', indents: true }],
  ['phi3.5', { system: 'written', toolResults: 'dropped' }],
  ['tinyllama', { system: 'written', toolResults: 'dropped' }],
  ['smollm3', { system: 'written', secondSystem: 'dropped', laterSystem: 'dropped', toolResults: 'written' }],
  ['qwen2.5', { system: 'written', laterSystem: 'written', toolResults: 'written', toolCalls: 'written' }],
  [
    'qwen3',
    { toolCalls: 'written', thoughts: { how: 'field', field: 'reasoning_content', earlier: 'dropped' }, indents: true },
  ],
  ['qwen3-2507', { thoughts: { how: 'inline', field: null, earlier: 'written' } }],
])('%s', (name, expected) => {
  expect(templateOf(name).facts).toMatchObject(expected);
});

const special = { bos_token: '<s>', eos_token: '</s>' };
const factsOf = (source: string) => new ChatTemplate(source, special).facts;

test('the plain template writes every role', () => {
  expect(templateGaps(factsOf(PLAIN_CHAT_TEMPLATE))).toEqual([
    'leaves out descriptions of tools',
    'leaves out tool calls',
  ]);
});

test.each([
  [
    'thinking',
    '{% for m in messages %}<{{ m.role }}>{% if m.thinking %}[{{ m.thinking }}]{% endif %}{{ m.content }}{% endfor %}',
  ],
  ['reasoning', "{% for m in messages %}<{{ m.role }}>{{ m.reasoning or '' }}{{ m.content }}{% endfor %}"],
  ['thought', "{% for m in messages %}<{{ m.role }}>{{ m['thought'] or '' }}{{ m.content }}{% endfor %}"],
])('a template that reads thoughts from %s', (field, source) => {
  expect(factsOf(source).thoughts).toEqual({ how: 'field', field, earlier: 'written' });
});

test('a template that only mentions a field does not read it', () => {
  const source = '{# thinking #}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}';
  expect(factsOf(source).thoughts).toEqual({ how: 'inline', field: null, earlier: 'written' });
});

test('a template that strips thoughts from every answer, like DeepSeek R1’s', () => {
  const source =
    "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' and '</think>' in m.content %}{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}{% endfor %}";
  expect(factsOf(source).thoughts).toMatchObject({ how: 'spliced', earlier: 'dropped' });
  expect(templateGaps(factsOf(source))).toContain('leaves out thoughts');
});

test('a template that raises at everything is still opened', () => {
  const facts = factsOf("{{ raise_exception('Only on Sundays.') }}");
  expect(facts).toMatchObject({ system: 'refused', toolResults: 'refused', usersInARow: 'refused' });
});

test('gaps come with the tokeniser', () => {
  const api = createDataApi();
  expect(api.openTokenizer(filesOf('gemma2')).templateGaps).toEqual([
    'refuses system messages',
    'leaves out descriptions of tools',
    'refuses tool calls',
    'refuses tool results',
    'refuses two questions in a row',
    'refuses an answer before the first question',
  ]);
  expect(api.openTokenizer(filesOf('mistral-nemo')).templateGaps[0]).toBe('leaves out system messages');
  const base = { ...tokenizerFiles('tests/fixtures/tokenizers/gpt2'), chatTemplate: null };
  expect(api.openTokenizer(base).templateGaps).toEqual([]);
  expect(
    errorOf(() =>
      api.openTokenizer({
        ...base,
        chatTemplate: '{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}',
      }),
    ).details,
  ).toContain('did not finish');
});
