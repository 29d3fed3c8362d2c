/** What a model's chat template does to a conversation: nothing gets lost in silence, nothing is written twice or changed. */
import { describe, expect, test } from 'vitest';
import { TabtuneError } from '../../../../src/base/errors';
import type { TokenizerFiles } from '../../../../src/data/tokenizer-files';
import type { TextSpan, TokenizedDataset } from '../../../../src/data/types';
import type { ObjectiveSection } from '../../../../src/recipe/types';
import { createDataApi } from '../../../../src/workers/data/service';
import { STORIES, section, tokenizerFiles, utf8 } from '../helpers';
import { SFT } from '../objectives';
import { jsonLines, sectionOf, times } from './harness';

const turn = (role: string, open: string, close: string, content = 'm.content') =>
  `{% if m.role == '${role}' %}{{ '${open}' + ${content} + '${close}' }}{% endif %}`;
const loop = (...turns: string[]) => `{% for m in messages %}${turns.join('')}{% endfor %}`;
const prompted = "{% if add_generation_prompt %}{{ 'Bot> ' }}{% endif %}";
const user = turn('user', 'Person> ', '\\n');
const assistant = turn('assistant', 'Bot> ', '<|im_end|>\\n');

const templates = {
  'writes users and answers only': loop(user, assistant) + prompted,
  'refuses a system prompt': `{% if messages[0].role == 'system' %}{{ raise_exception('No system role') }}{% endif %}${loop(user, assistant)}${prompted}`,
  'writes the first message if it is a system prompt': `{% if messages[0].role == 'system' %}{{ '# ' + messages[0].content + '\\n' }}{% endif %}${loop(user, assistant)}${prompted}`,
  'trims every text':
    loop(
      turn('user', 'Person> ', '\\n', '(m.content | trim)'),
      turn('assistant', 'Bot> ', '<|im_end|>\\n', '(m.content | trim)'),
    ) + prompted,
  'writes thoughts of a field':
    loop(
      user,
      turn('system', '# ', '\\n'),
      "{% if m.role == 'assistant' %}{{ 'Bot> ' }}{% if m.reasoning_content %}{{ '<think>\\n' + m.reasoning_content + '\\n</think>\\n\\n' }}{% else %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}{{ m.content + '<|im_end|>\\n' }}{% endif %}",
    ) + prompted,
  'begins with the BOS token': `{{ bos_token }}${loop(user, assistant, turn('system', '# ', '\\n'))}${prompted}`,
};

/** That it is lost, or where it went; not only that it is there. */
const DROPS_SYSTEM =
  /system[^\n]*(drop|not write|does not|leaves? out|left out|lost|ignor|fold|merge|without|no system)|(drop|leaves? out|lost|ignor|fold|merge|without)[^\n]*system/i;
const DROPS_TOOL =
  /tool[^\n]*(drop|not write|does not|leaves? out|left out|lost|ignor|fold|merge|without)|(drop|leaves? out|lost|ignor|fold|merge|without)[^\n]*tool/i;

interface Seen {
  tokens: TokenizedDataset;
  spans: TextSpan[];
  ids: number[];
  text: string;
  learned: string;
  said: string;
}

async function see(
  files: Partial<TokenizerFiles>,
  name: string,
  content: string,
  changes: Parameters<typeof section>[0] = {},
  objective: ObjectiveSection = SFT,
): Promise<Seen | TabtuneError> {
  const api = createDataApi();
  const settings = section(changes);
  try {
    api.openTokenizer(tokenizerFiles(STORIES, files));
    const dataset = await api.parse(name, utf8(content).buffer as ArrayBuffer, settings);
    const tokens = api.tokenize(settings, objective, 4096, 42);
    const { row } = dataset.examples[0]!;
    const { spans } = api.viewSpans(1000, row, settings, objective, tokens.maxLength);
    const view = api.viewTokens(row, settings, objective, tokens.maxLength);
    return {
      tokens,
      spans,
      ids: view.tokens.map(({ id }) => id),
      text: spans.map(({ text }) => text).join(''),
      learned: spans.flatMap(({ text, trained }) => (trained ? [text] : [])).join('|'),
      said: [...dataset.problems, ...tokens.problems].map((p) => `${p.message} ${p.action}`).join('\n'),
    };
  } catch (error) {
    if (error instanceof TabtuneError && error.code !== 'internal') return error;
    throw error;
  }
}

const chat = (...turns: [string, string][]) =>
  jsonLines(
    times(6, (i) => ({ messages: turns.map(([role, content]) => ({ role, content: content.replace('#', `${i}`) })) })),
  );

/**
 * A text that the template drops: it is in what the model reads, or it is said, or asked about. Every answer that is offered keeps
 * its word: with it, the rows train.
 */
async function keptOrSaid(template: keyof typeof templates, content: string, lost: string, word: RegExp) {
  const seen = await see({ chatTemplate: templates[template] }, 'a.jsonl', content);
  if (seen instanceof TabtuneError) {
    expect(`${seen.toLine()} ${seen.details ?? ''}`).toMatch(word);
    for (const { set } of seen.choices ?? []) {
      const answered = await see({ chatTemplate: templates[template] }, 'a.jsonl', content, sectionOf(set));
      if (answered instanceof TabtuneError) throw answered;
      expect(answered.tokens.stats.examples).toBe(6);
    }
    return;
  }
  expect(seen.text.includes(lost) || word.test(seen.said), `${seen.text}\n${seen.said}`).toBe(true);
}

describe('a message that the template does not write', () => {
  const asked: [string, string][] = [
    ['user', 'Name star #.'],
    ['assistant', 'Star # is Vega.'],
  ];
  const first = chat(['system', 'Answer like a sailor.'], ...asked);
  const second = chat(['system', 'Be brief.'], ['system', 'Answer like a sailor.'], ...asked);
  const later = chat(...asked, ['system', 'Answer like a sailor.'], ...asked);
  const tool = chat(
    ['user', 'Name star #.'],
    ['assistant', 'LOOKUP #'],
    ['tool', 'Vega, 25 light years'],
    ['assistant', 'It is Vega.'],
  );
  test.each(Object.keys(templates) as (keyof typeof templates)[])('a system prompt, where it %s', (template) =>
    keptOrSaid(template, first, 'Answer like a sailor.', DROPS_SYSTEM),
  );
  test.each(Object.keys(templates) as (keyof typeof templates)[])('a second system prompt, where it %s', (template) =>
    keptOrSaid(template, second, 'Answer like a sailor.', DROPS_SYSTEM),
  );
  test.each(Object.keys(templates) as (keyof typeof templates)[])(
    'a system prompt in the middle, where it %s',
    (template) => keptOrSaid(template, later, 'Answer like a sailor.', DROPS_SYSTEM),
  );
  test.each(Object.keys(templates) as (keyof typeof templates)[])('the result of a tool, where it %s', (template) =>
    keptOrSaid(template, tool, 'Vega, 25 light years', DROPS_TOOL),
  );
  test.each(Object.keys(templates) as (keyof typeof templates)[])('Alpaca’s system column, where it %s', (template) =>
    keptOrSaid(
      template,
      JSON.stringify(
        times(6, (i) => ({
          instruction: `Name star ${i}.`,
          input: '',
          output: 'Vega.',
          system: 'Answer like a sailor.',
        })),
      ),
      'Answer like a sailor.',
      DROPS_SYSTEM,
    ),
  );
});

describe('thoughts', () => {
  const thinking = jsonLines(
    times(6, (i) => ({
      messages: [
        { role: 'user', content: `Name star ${i}.` },
        { role: 'assistant', reasoning_content: 'It is bright.', content: 'Vega.' },
      ],
    })),
  );
  test.each(Object.keys(templates) as (keyof typeof templates)[])('are learned once, where it %s', async (template) => {
    const seen = await see({ chatTemplate: templates[template] }, 'a.jsonl', thinking);
    if (seen instanceof TabtuneError) throw seen;
    expect(seen.text.split('It is bright.')).toHaveLength(2);
    expect(seen.learned).toContain('It is bright.');
    expect(seen.text.split('<think>')).toHaveLength(2);
  });
});

describe('text that already has its marks', () => {
  const bos = 1; // <|im_start|>, which the tokeniser's files name as BOS
  const adds = () => {
    const files = tokenizerFiles(STORIES);
    const json = JSON.parse(files.tokenizerJson);
    json.post_processor = {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<|im_start|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<|im_start|>': { id: '<|im_start|>', ids: [bos], tokens: ['<|im_start|>'] } },
    };
    const config = JSON.parse(files.tokenizerConfig!);
    return {
      tokenizerJson: JSON.stringify(json),
      tokenizerConfig: JSON.stringify({ ...config, chat_template: undefined, add_bos_token: true }),
    };
  };
  const begins = (seen: Seen | TabtuneError) => {
    if (seen instanceof TabtuneError) throw seen;
    return seen.ids.filter((id, i) => id === bos && i < 2);
  };
  test('one BOS before text that begins with it', async () => {
    const content = jsonLines(times(6, (i) => ({ text: `<|im_start|>Star ${i} is bright and far away.` })));
    expect(begins(await see(adds(), 'a.jsonl', content, {}, { type: 'pretraining' }))).toEqual([bos]);
    expect(begins(await see(adds(), 'a.jsonl', content))).toEqual([bos]);
  });
  test('one BOS before text that does not', async () => {
    const content = jsonLines(times(6, (i) => ({ text: `Star ${i} is bright and far away.` })));
    expect(begins(await see(adds(), 'a.jsonl', content))).toEqual([bos]);
  });
  test('one BOS before a prompt that begins with it, without a template', async () => {
    const content = jsonLines(times(6, (i) => ({ prompt: `<|im_start|>Star ${i}:`, completion: ' Vega' })));
    const seen = await see(adds(), 'a.jsonl', content);
    if (seen instanceof TabtuneError) expect(seen.choices?.length).toBeGreaterThan(0);
    else expect(begins(seen)).toEqual([bos]);
  });
  const written = [
    [
      'prompt and completion',
      (i: number) => ({
        prompt: `<|im_start|>user\nName star ${i}.<|im_end|>\n<|im_start|>assistant\n`,
        completion: 'Vega.<|im_end|>',
      }),
    ],
    [
      'instruction and output',
      (i: number) => ({
        instruction: `<|im_start|>user\nName star ${i}.<|im_end|>\n<|im_start|>assistant\n`,
        output: 'Vega.',
      }),
    ],
    [
      'messages',
      (i: number) => ({
        messages: [
          { role: 'user', content: `<|im_start|>user\nName star ${i}.<|im_end|>` },
          { role: 'assistant', content: 'Vega.<|im_end|>' },
        ],
      }),
    ],
  ] as const;
  test.each(written)('%s with the model’s own role marks are asked about, or not written twice', async (_, row) => {
    const seen = await see({}, 'a.jsonl', jsonLines(times<unknown>(6, row)));
    if (seen instanceof TabtuneError) {
      expect(seen.choices?.length).toBeGreaterThan(0);
      expect(seen.toLine()).toMatch(/template|mark|token/i);
    } else expect(seen.text.split('user\n')).toHaveLength(2);
  });
});

describe('nothing is changed on the way', () => {
  const code = (i: number) => `    if star == ${i}:\n        return True\n    return False\n`;
  const rows = {
    'prompt and completion': (i: number) => ({ prompt: `def f${i}(star):\n`, completion: code(i) }),
    'instruction and output': (i: number) => ({ instruction: `Write f${i}.`, input: '', output: code(i) }),
    messages: (i: number) => ({
      messages: [
        { role: 'user', content: `Write f${i}.` },
        { role: 'assistant', content: code(i) },
      ],
    }),
  };
  test.each(Object.entries(rows))('the first indentation of code in %s', async (_, row) => {
    for (const template of ['writes users and answers only', 'writes thoughts of a field'] as const) {
      const seen = await see({ chatTemplate: templates[template] }, 'a.jsonl', jsonLines(times<unknown>(6, row)));
      if (seen instanceof TabtuneError) throw seen;
      expect(seen.learned).toContain('    if star == 0:\n        return True');
    }
  });
  test('a template that trims it is not made to keep it', async () => {
    const seen = await see(
      { chatTemplate: templates['trims every text'] },
      'a.jsonl',
      jsonLines(times(6, rows.messages)),
    );
    if (seen instanceof TabtuneError) throw seen;
    expect(seen.learned).toContain('if star == 0:\n        return True');
  });
});

describe('long rows', () => {
  const milliseconds = async (work: () => Promise<unknown>) => {
    const started = performance.now();
    const result = await work();
    return { result, spent: performance.now() - started };
  };
  test.each(['writes users and answers only', 'writes thoughts of a field'] as const)(
    'a conversation of 800 messages costs linear time, where the template %s',
    async (template) => {
      const talk = (turns: number) =>
        jsonLines([{ messages: times(turns, (i) => ({ role: i % 2 ? 'assistant' : 'user', content: `Star ${i}?` })) }]);
      see({ chatTemplate: templates[template] }, 'a.jsonl', talk(50));
      const short = await milliseconds(() => see({ chatTemplate: templates[template] }, 'a.jsonl', talk(200)));
      const long = await milliseconds(() => see({ chatTemplate: templates[template] }, 'a.jsonl', talk(800)));
      for (const { result } of [short, long]) if (result instanceof TabtuneError) throw result;
      // Four times as much: 16 times as long would be quadratic. Opening the tokeniser counts in both.
      expect(long.spent / short.spent).toBeLessThan(9);
    },
  );
  test('a row that is too long is that row’s fault, and the others train', async () => {
    const content = jsonLines(
      times(6, (i) => ({ prompt: `Name star ${i}.`, completion: i === 2 ? 'Vega '.repeat(50_000) : 'Vega.' })),
    );
    const seen = await see({}, 'a.jsonl', content, { max_length: 64 });
    if (seen instanceof TabtuneError) throw seen;
    expect(seen.tokens.stats.examples).toBeGreaterThanOrEqual(5);
    expect(seen.said).toMatch(/[Rr]ow 3/);
  });
});

describe('max_length: auto', () => {
  const answers = (words: (i: number) => number) =>
    jsonLines(times(100, (i) => ({ prompt: `Name star ${i}.`, completion: `${'bright '.repeat(words(i))}${i}.` })));
  test.each([
    ['one row in twenty is far longer', (i: number) => (i % 20 === 3 ? 400 : 5)],
    ['one row in a hundred is far longer', (i: number) => (i === 77 ? 900 : 5)],
    ['rows of all lengths', (i: number) => i * 8],
    ['rows longer than 1,024 tokens, in a context of 4,096', (i: number) => (i % 10 === 0 ? 1600 : 20)],
  ])('cuts no answer that the context has room for: %s', async (_, words) => {
    const seen = await see({}, 'a.jsonl', answers(words));
    if (seen instanceof TabtuneError) throw seen;
    expect(seen.tokens.stats).toMatchObject({ examples: 100, truncated: 0 });
    expect(seen.tokens.maxLength).toBeGreaterThanOrEqual(seen.tokens.stats.longest);
  });
});
