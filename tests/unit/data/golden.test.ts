/**
 * Compared exactly with fixtures from tests/oracle/make_text_fixtures.py: ids from the Rust tokenizers, renderings and
 * assistant masks from transformers, ids and labels from TRL's SFTTrainer.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PLAIN_CHAT_TEMPLATE } from '../../../src/base/plain-chat-template';
import { ChatTemplate, templateSource } from '../../../src/data/chat-template';
import { encodeRendered } from '../../../src/data/loss-mask';
import { type RenderOptions, renderExample } from '../../../src/data/render';
import { TextTokenizer } from '../../../src/data/tokenizer';
import type { ChatMessage, Example } from '../../../src/data/types';

const ROOT = new URL('../../../', import.meta.url);
const readText = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const readJson = (path: string) => JSON.parse(readText(path));
const optional = (path: string) => (existsSync(new URL(path, ROOT)) ? readText(path) : null);

interface Meta {
  cases: Record<string, { tokenizer: string; chat_template: string }>;
}
interface StringCase {
  text: string;
  ids: number[];
  ids_with_special?: number[];
  decoded?: string;
  decoded_without_special?: string;
}
interface ConversationCase {
  name: string;
  messages: ChatMessage[];
  text: string;
  ids: number[];
  text_with_generation_prompt: string;
  ids_with_generation_prompt: number[];
  assistant_mask: number[];
  completion_mask?: number[];
}
interface Trained {
  ids: number[];
  labels: number[];
}

const meta: Meta = readJson('tests/fixtures/text/meta.json');

describe.each(Object.entries(meta.cases))('%s', (name, { tokenizer: folder, chat_template }) => {
  const tokenizerConfig = optional(`${folder}/tokenizer_config.json`);
  const tokenizer = new TextTokenizer({
    tokenizerJson: readText(`${folder}/tokenizer.json`),
    tokenizerConfig,
    specialTokensMap: optional(`${folder}/special_tokens_map.json`),
    generationConfig: null,
  });
  const own = templateSource(optional(`${folder}/chat_template.jinja`), tokenizerConfig);
  const template = new ChatTemplate(own!, tokenizer.special);
  const marked = new ChatTemplate(chat_template, tokenizer.special);
  const fixture = (file: string) => readJson(`tests/fixtures/text/${name}/${file}.json`);

  const options = (changes: Partial<RenderOptions>): RenderOptions => ({
    template,
    plainTemplate: new ChatTemplate(PLAIN_CHAT_TEMPLATE, tokenizer.special),
    eosToken: tokenizer.special.eos_token ?? null,
    assistantOnlyLoss: true,
    systemFallback: 'first_question',
    templatedText: 'ask',
    separator: '',
    endTokens: [tokenizer.special.eos_token!],
    ...changes,
  });
  const trained = (example: Example, changes: Partial<RenderOptions>): Trained => {
    const { ids, trained } = encodeRendered(1, renderExample(example, options(changes)), tokenizer);
    return { ids: [...ids], labels: [...ids].map((id, i) => (trained[i] ? id : -100)) };
  };
  const mask = ({ labels }: Trained) => labels.map((label) => Number(label !== -100));

  const strings: StringCase[] = fixture('strings').strings;
  test.each(strings.map((s) => [s.text, s] as const))('encodes and decodes %j', (text, expected) => {
    expect(tokenizer.encode(text, false).ids).toEqual(expected.ids);
    expect(tokenizer.encode(text, true).ids).toEqual(expected.ids_with_special ?? expected.ids);
    expect(tokenizer.decode(expected.ids, false)).toBe(expected.decoded ?? text);
    expect(tokenizer.decode(expected.ids, true)).toBe(expected.decoded_without_special ?? text);
  });

  test('decodes a stream of tokens like the reference at every length', () => {
    for (const { ids, decoded } of fixture('strings').partial as { ids: number[]; decoded: string[] }[]) {
      decoded.forEach((text, i) => {
        expect(tokenizer.decode(ids.slice(0, i + 1), true)).toBe(text);
      });
    }
  });

  const conversations: ConversationCase[] = fixture('conversations').conversations;
  describe.each(conversations.map((c) => [c.name, c] as const))('%s', (_name, c) => {
    test('is rendered and tokenised like the reference', () => {
      expect(template.render(c.messages, false)).toBe(c.text);
      expect(template.render(c.messages, true)).toBe(c.text_with_generation_prompt);
      expect(tokenizer.encode(c.text, false).ids).toEqual(c.ids);
      expect(tokenizer.encode(c.text_with_generation_prompt, false).ids).toEqual(c.ids_with_generation_prompt);
    });

    test('is masked according to the generation marks', () => {
      const out = trained({ kind: 'messages', row: 1, messages: c.messages }, { template: marked });
      expect(out.ids).toEqual(c.ids);
      expect(mask(out)).toEqual(c.assistant_mask);
    });
  });

  const answered = conversations.filter((c) => c.completion_mask);
  test.each(answered.map((c) => [c.name, c] as const))(
    '%s: the last answer is masked like the reference',
    (_name, c) => {
      const messages = c.messages.map((m, i) => (i < c.messages.length - 1 ? { ...m, train: false as const } : m));
      expect(mask(trained({ kind: 'messages', row: 1, messages }, {}))).toEqual(c.completion_mask);
    },
  );

  test('without marks in the template, finds the same answers and the ends of their turns', () => {
    for (const c of conversations.filter((c) => c.assistant_mask.includes(1))) {
      const out = mask(trained({ kind: 'messages', row: 1, messages: c.messages }, {}));
      const expected = c.assistant_mask.map((m, i) => (m || isTurnEnd(c, i) ? 1 : 0));
      expect(out, c.name).toEqual(expected);
    }
  });
  /** ChatML's newline after an answer's end token. */
  const isTurnEnd = (c: ConversationCase, i: number) =>
    c.assistant_mask[i - 1] === 1 && c.ids[i - 1] === tokenizer.eosTokenId && tokenizer.showToken(c.ids[i]!) === '\n';

  const sft = fixture('sft');
  test('prepares plain text like TRL', () => {
    for (const { text, ids, labels } of sft.text as (Trained & { text: string })[]) {
      expect(trained({ kind: 'text', row: 1, text }, {}), text).toEqual({ ids, labels });
    }
  });

  test.each([
    ['prompt_completion', true],
    ['prompt_completion_all_tokens', false],
  ])('prepares %s like TRL', (key, assistantOnlyLoss) => {
    for (const { prompt, completion, ids, labels } of sft[key] as (Trained & {
      prompt: string;
      completion: string;
    })[]) {
      const out = trained(
        { kind: 'prompt_completion', row: 1, prompt, completion },
        { template: null, assistantOnlyLoss },
      );
      expect(out, `${prompt}|${completion}`).toEqual({ ids, labels });
    }
  });

  test('prepares conversations like TRL', () => {
    for (const { messages, ids, labels } of sft.messages_assistant_only_loss as (Trained & {
      messages: ChatMessage[];
    })[]) {
      expect(trained({ kind: 'messages', row: 1, messages }, { template: marked })).toEqual({ ids, labels });
    }
    for (const { messages, ids, labels } of sft.messages_all_tokens as (Trained & { messages: ChatMessage[] })[]) {
      expect(trained({ kind: 'messages', row: 1, messages }, { assistantOnlyLoss: false })).toEqual({ ids, labels });
    }
  });
});
