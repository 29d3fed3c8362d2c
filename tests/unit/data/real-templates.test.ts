/**
 * Chat templates of real models, compared exactly with texts from transformers' apply_chat_template, and with ids and
 * loss masks from TRL's SFTTrainer (tests/oracle/make_template_fixtures.py).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ChatTemplate } from '../../../src/data/chat-template';
import { TextTokenizer } from '../../../src/data/tokenizer';
import type { ChatMessage } from '../../../src/data/types';
import type { DataApi } from '../../../src/workers/data/api';
import { createDataApi } from '../../../src/workers/data/service';
import { errorOf, jsonl, section, tokenizerFiles, utf8 } from './helpers';

const FOLDER = 'tests/fixtures/templates';
const read = (file: string) => readFileSync(new URL(`../../../${FOLDER}/${file}`, import.meta.url), 'utf8');

type Ranges = [start: number, end: number][];
interface Row {
  name: string;
  /** Null if the template rejects the conversation. */
  text: string | null;
  /** With the generation prompt; absent if that only appends `prompt_adds`. */
  prompt?: string | null;
  prompt_adds?: string;
  ids: number[];
  /** With TRL's assistant_only_loss, if TRL supports the template. */
  assistant_only?: Ranges;
  /** TRL's loss on the last answer, with everything before it as the prompt. */
  completion?: Ranges;
}
interface Fixture {
  tokenizer: string;
  special: Record<string, string>;
  conversations: Row[];
  texts: { text: string; ids: number[]; trained: Ranges }[];
  pairs: { prompt: string; completion: string; ids: number[]; trained: Ranges }[];
}

const conversations: { name: string; messages: ChatMessage[] }[] = JSON.parse(read('conversations.json'));
const messagesOf = new Map(conversations.map((c) => [c.name, c.messages]));
const names = readdirSync(new URL(`../../../${FOLDER}`, import.meta.url)).flatMap((f) =>
  f.endsWith('.jinja') ? [f.slice(0, -'.jinja'.length)] : [],
);

/** Removes white space, which templates trim, and composes characters, as some tokenisers do. */
const bare = (text: string) => text.normalize('NFC').replaceAll(/\s/g, '');

/** Ids and learned ranges of the rows of a file, from the data worker. */
function trainedBy(api: DataApi, rows: unknown[]): { ids: number[]; ranges: Ranges }[] {
  api.parse('rows.jsonl', utf8(jsonl(rows)).buffer as ArrayBuffer, { format: 'auto', columns: null });
  return rows.map((_, i) => {
    // System messages without a place are left out, as the templates themselves do it.
    const writing = section({ system_fallback: 'leave_out' });
    const { tokens } = api.viewTokens(i + 1, writing, { type: 'sft', assistant_only_loss: true }, 100_000);
    const ranges: Ranges = [];
    tokens.forEach(({ trained }, t) => {
      if (!trained) return;
      if (ranges.at(-1)?.[1] === t) ranges.at(-1)![1] = t + 1;
      else ranges.push([t, t + 1]);
    });
    return { ids: tokens.map((t) => t.id), ranges };
  });
}

/**
 * What TRL learns and we do not, all of it part of the prompt: text that a template puts before an answer, and
 * everything that differs if the prompt is rendered differently on its own.
 */
type Differs = Record<string, (text: string, conversation: string) => boolean>;
const ON_PURPOSE: { completion: Differs; answers: Differs } = {
  completion: {
    // The system message moves into the last question, so the two renderings differ from there.
    'mistral-nemo': (text) => text.trim().endsWith('[/INST]'),
    // An answer loses its thoughts if another follows.
    qwen3: (text, conversation) => conversation === 'two answers in a row' && text.startsWith('First.<|im_end|>'),
  },
  answers: {
    // TRL's marks start before the line break at the end of the generation prompt.
    'qwen2.5': (text) => text === '\n',
    // <|assistant|> absorbs the following white space, including the answer's, and so counts as part of the answer.
    phi3: (text, conversation) => text === '<|assistant|>' && /space|newline/.test(conversation),
    'phi3.5': (text, conversation) => text === '<|assistant|>' && /space|newline/.test(conversation),
  },
};

/** Templates that leave out what a tool gave; such a row is not learned. */
const WITHOUT_TOOLS = ['phi3', 'phi3.5', 'tinyllama'];
const lost = (name: string, conversation: string) =>
  WITHOUT_TOOLS.includes(name) && messagesOf.get(conversation)!.some((m) => m.role === 'tool');

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(JSON.parse(read('meta.json')).now) });
});
afterAll(() => {
  vi.useRealTimers();
});

test('covers 17 templates and at least 30 conversations', () => {
  expect(names).toHaveLength(17);
  expect(conversations.length).toBeGreaterThanOrEqual(30);
  // TRL has training templates for some of them only.
  const known = names.filter((name) => read(`${name}.json`).includes('"assistant_only"'));
  expect(known.sort()).toEqual(['gemma2', 'gemma3', 'llama3', 'phi3', 'phi3.5', 'qwen2.5', 'qwen3', 'qwen3-2507']);
});

describe.each(names)('%s', (name) => {
  const fixture: Fixture = JSON.parse(read(`${name}.json`));
  const source = read(`${name}.jinja`);
  const files = tokenizerFiles(`tests/fixtures/tokenizers/${fixture.tokenizer}`);
  const config = { ...JSON.parse(files.tokenizerConfig!), ...fixture.special };
  const opened = { ...files, tokenizerConfig: JSON.stringify(config), chatTemplate: source };
  const tokenizer = new TextTokenizer(opened);
  const template = new ChatTemplate(source, tokenizer.special);
  const rendered = fixture.conversations.filter((row) => row.text !== null);

  test('gives the same texts and rejections', () => {
    for (const { name, text, prompt, prompt_adds } of fixture.conversations) {
      const messages = messagesOf.get(name)!;
      const cases: [boolean, string | null | undefined][] = [
        [false, text],
        [true, prompt_adds === undefined ? prompt : text + prompt_adds],
      ];
      for (const [add, expected] of cases) {
        if (expected === null) expect(errorOf(() => template.render(messages, add)).code, name).toBe('bad_model');
        else expect(template.render(messages, add), name).toBe(expected);
      }
    }
  });

  const trainedOn = (rows: unknown[]) => {
    const api = createDataApi();
    api.openTokenizer(opened);
    return trainedBy(api, rows);
  };
  test('gives the same ids, without a second BOS', () => {
    for (const { name, text, ids } of rendered) expect(tokenizer.encode(text!, false).ids, name).toEqual(ids);
  });

  // Rows with an empty answer are dropped when the file is read.
  const answers = rendered.filter(
    ({ name: conversation }) =>
      messagesOf.get(conversation)!.some((m) => m.role === 'assistant' && m.content.trim() !== '') &&
      !lost(name, conversation),
  );

  if (WITHOUT_TOOLS.includes(name))
    test('refuses a row whose tool result it would lose', () => {
      const rows = rendered.filter((row) => lost(name, row.name)).map((row) => messagesOf.get(row.name)!);
      expect(rows.length).toBeGreaterThan(0);
      for (const messages of rows) {
        expect(errorOf(() => trainedOn([{ messages }])).message).toContain('would lose its tool result');
      }
    });

  /** The text of tokens that are in mask `a` but not in `b`. */
  const onlyIn = (a: Ranges, b: Ranges, ids: readonly number[]): string[] => {
    const has = (ranges: Ranges, t: number) => ranges.some(([start, end]) => t >= start && t < end);
    const runs: number[][] = [];
    ids.forEach((id, t) => {
      if (!has(a, t) || has(b, t)) return;
      if (t > 0 && has(a, t - 1) && !has(b, t - 1)) runs.at(-1)!.push(id);
      else runs.push([id]);
    });
    return runs.map((run) => tokenizer.decode(run, false));
  };

  /** What TRL learns and we do not. Also checks that we never learn more than TRL. */
  const leftOut = (rows: Row[], masks: { ids: number[]; ranges: Ranges }[], which: 'completion' | 'assistant_only') =>
    rows.flatMap((row, i) => {
      const { ids, ranges } = masks[i]!;
      expect(ids, row.name).toEqual(row.ids);
      expect(onlyIn(ranges, row[which]!, ids), row.name).toEqual([]);
      return onlyIn(row[which]!, ranges, ids).map((text) => ({ conversation: row.name, text }));
    });

  test('masks the last answer like a completion in TRL', () => {
    const answered = answers.filter((row) => row.completion !== undefined);
    const rows = answered.map(({ name }) => {
      const messages = messagesOf.get(name)!;
      return { messages: messages.map((m, i) => (i < messages.length - 1 ? { ...m, train: false } : m)) };
    });
    const differences = leftOut(answered, trainedOn(rows), 'completion');
    expect(differences.filter(({ conversation, text }) => !ON_PURPOSE.completion[name]?.(text, conversation))).toEqual(
      [],
    );
  });

  const known = answers.filter((row) => row.assistant_only !== undefined);
  // TRL has training templates for only some of them.
  if (known.length > 0)
    test('masks all answers like TRL with assistant_only_loss', () => {
      const masks = trainedOn(known.map(({ name }) => ({ messages: messagesOf.get(name)! })));
      const differences = leftOut(known, masks, 'assistant_only');
      expect(differences.filter(({ conversation, text }) => !ON_PURPOSE.answers[name]?.(text, conversation))).toEqual(
        [],
      );
    });

  test('learns every answer with its end token, and no part of a prompt', () => {
    const masks = trainedOn(answers.map(({ name }) => ({ messages: messagesOf.get(name)! })));
    answers.forEach(({ name: conversation }, i) => {
      const messages = messagesOf.get(conversation)!;
      const { ids, ranges } = masks[i]!;
      const learned = ranges.map(([start, end]) => tokenizer.decode(ids.slice(start, end), false));
      const all = bare(learned.join(''));
      for (const { role, content } of messages) {
        // Some templates remove thoughts from earlier answers.
        const text = bare(content.split('</think>').at(-1)!);
        if (role === 'assistant') expect(all, conversation).toContain(text);
        else if (text !== '' && !messages.some((m) => m.role === 'assistant' && bare(m.content).includes(text))) {
          expect(all, conversation).not.toContain(text);
        }
      }
      ranges.forEach(([start, end]) => {
        const last = ids.slice(start, end).findLast((id) => tokenizer.showToken(id).replace('▁', '').trim() !== '');
        expect(tokenizer.isSpecial(last!) || last === tokenizer.eosTokenId, `${conversation}: ${learned}`).toBe(true);
      });
    });
  });

  test('prepares texts without a template like TRL', () => {
    const masks = (rows: unknown[]) => {
      const api = createDataApi();
      const { chat_template: _, ...base } = config;
      api.openTokenizer({ ...opened, chatTemplate: null, tokenizerConfig: JSON.stringify(base) });
      return trainedBy(api, rows);
    };
    // Rows with an empty text or prompt are dropped when the file is read.
    const texts = fixture.texts.filter((t) => t.text !== '');
    const pairs = fixture.pairs.filter((p) => p.prompt !== '');
    const given = [
      ...masks(texts.map(({ text }) => ({ text }))),
      ...masks(pairs.map(({ prompt, completion }) => ({ prompt, completion }))),
    ];
    // Nothing predicts the first token, so it is not shown as learned.
    const counted = (ranges: Ranges) => ranges.map(([start, end]) => [Math.max(start, 1), end]);
    expect(given).toEqual([...texts, ...pairs].map(({ ids, trained }) => ({ ids, ranges: counted(trained) })));
  });
});
