/**
 * Pairs, judged answers and their batches, compared exactly with what TRL's DPO, KTO, reward, CPO and ORPO trainers make of the same
 * rows (tests/oracle/make_preference_fixtures.py): ids, where answers begin, truncation, rows left out, order, mismatched answers.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { judgedBatch, pairBatch } from '../../../src/data/preference-batches';
import { judgedData, pairData, promptData } from '../../../src/data/preference-data';
import type { Example, PaddedRows, Turns } from '../../../src/data/types';
import { allOf } from './helpers';
import { modelOf, prepared } from './preference-helpers';
import { filesOf } from './template-helpers';

const read = (file: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/preferences/${file}.json`, import.meta.url), 'utf8'));

interface Answer {
  ids: number[];
  /** Tokens before the answer. */
  prompt: number;
}
interface Padded {
  padded: number;
  rows: Answer[];
}
interface Prepared {
  rows: string[];
  dpo: { tokens: { chosen: number[]; rejected: number[]; prompt: number }[]; kept: string[]; batches: Padded[] };
  kto: { kept: [string, boolean][]; batches: (Padded & { mismatched: Padded; good: number[] })[] };
  reward: { kept: string[]; tokens: { chosen: number[]; rejected: number[] }[] };
  cpo: ({ name: string; refused: true } | { name: string; refused?: false; chosen: Answer; rejected: Answer })[];
  /** As GRPO's trainer tokenises them. */
  prompts: number[][];
}

const { limit, rows: perBatch } = read('meta');
const pairs: Record<'chats' | 'plain', { name: string; prompt: Turns; chosen: Turns; rejected: Turns }[]> =
  read('pairs');
const PAD = 0;

const listed = (ids: ArrayLike<number>) => Array.from(ids);

/** The rows of a batch without their padding, and how many tokens of each are not learned. */
function rowsOf({ batchSize, length, ids, lengths, labels }: PaddedRows & { labels: Int32Array }): Answer[] {
  return Array.from({ length: batchSize }, (_, r) => {
    const own = ids.subarray(r * length, r * length + lengths[r]!);
    const trained = labels.subarray(r * length, (r + 1) * length);
    const prompt = trained.findIndex((label) => label !== -100);
    expect(listed(trained)).toEqual([
      ...Array(prompt).fill(-100),
      ...own.subarray(prompt),
      ...Array(length - own.length).fill(-100),
    ]);
    expect(ids.subarray(r * length + own.length, (r + 1) * length).every((id) => id === PAD)).toBe(true);
    return { ids: listed(own), prompt };
  });
}

const names = readdirSync(new URL('../../fixtures/preferences', import.meta.url))
  .map((file) => file.replace('.json', ''))
  .filter((name) => !['meta', 'pairs', 'training'].includes(name));

test('there are fixtures of five families and more, and of templates that write prompts in two ways', () => {
  expect(names).toEqual(expect.arrayContaining(['llama3', 'mistral', 'qwen3', 'gemma3', 'smollm2', 'phi3']));
  expect(names).toEqual(expect.arrayContaining(['opens-thoughts', 'drops-thoughts', 'joins-letters']));
});

interface Fixture {
  /** Whose tokenizer it is, and whose template if it has none of its own. */
  model: string;
  template: string | null;
  chats: Prepared;
  plain?: Prepared;
}

describe.each(names)('%s', (name) => {
  const fixture: Fixture = read(name);
  const parts = fixture.plain ? (['chats', 'plain'] as const) : (['chats'] as const);

  describe.each(parts)('%s', (what) => {
    const expected = fixture[what]!;
    // Plain text is concatenated without a template, as TRL does it.
    const model = modelOf(
      filesOf(fixture.model, fixture.template ?? undefined),
      what === 'plain' ? { template: null } : {},
    );
    const eos = model.options.eosToken!;
    const filled = (turns: Turns): Turns => (typeof turns === 'string' ? turns.replace('<EOS>', eos) : turns);
    const examples: Example[] = expected.rows.map((row, i) => {
      const { prompt, chosen, rejected } = pairs[what].find((pair) => pair.name === row)!;
      return { kind: 'pair', row: i + 1, prompt, chosen: filled(chosen), rejected: filled(rejected) };
    });
    const nameOf = ({ row }: { row: number }) => expected.rows[row - 1]!;
    const made = (objective: Parameters<typeof prepared>[1], max_length: number | 'auto') =>
      prepared(model, objective, examples, { max_length, templated_text: 'text' });

    test('a pair is tokenised as for DPO', () => {
      const out = allOf('pair', made(pairData(), 'auto').train).map(({ ids, rejected, promptLength }) => ({
        chosen: listed(ids),
        rejected: listed(rejected),
        prompt: promptLength,
      }));
      expect(out).toEqual(expected.dpo.tokens);
    });

    test('pairs are truncated, left out and put into batches as for DPO', () => {
      const kept = allOf('pair', made(pairData(), limit).train);
      expect(kept.map(nameOf)).toEqual(expected.dpo.kept);
      const batches: Padded[] = [];
      for (let i = 0; i < kept.length; i += perBatch) {
        const batch = pairBatch(kept.slice(i, i + perBatch), PAD, 1);
        batches.push({ padded: batch.length, rows: rowsOf(batch) });
      }
      expect(batches).toEqual(expected.dpo.batches);
    });

    test('pairs are taken apart, and answers mismatched, as for KTO', () => {
      const kept = allOf('judged', made(judgedData(), limit).train);
      expect(kept.map((example) => [nameOf(example), example.good])).toEqual(expected.kto.kept);
      const batches: unknown[] = [];
      for (let i = 0; i < kept.length; i += perBatch) {
        const batch = judgedBatch(kept.slice(i, i + perBatch), PAD, 1);
        const rows = rowsOf(batch);
        const [matched, mismatched] = [rows.slice(0, batch.answers), rows.slice(batch.answers)];
        batches.push({ matched, mismatched, good: listed(batch.good) });
      }
      const theirs = expected.kto.batches.map(({ rows, mismatched, good }) => ({
        matched: rows,
        mismatched: mismatched.rows,
        good,
      }));
      expect(batches).toEqual(theirs);
    });

    test('whole texts are tokenised and left out as for a reward model', () => {
      const kept = allOf('pair', made(pairData({ wholeTexts: true }), limit).train);
      expect(kept.map(nameOf)).toEqual(expected.reward.kept);
      const out = kept.map(({ ids, rejected }) => ({ chosen: listed(ids), rejected: listed(rejected) }));
      expect(out).toEqual(expected.reward.tokens);
    });

    test('prompts are tokenised as for GRPO', () => {
      const ids = allOf('prompt', made(promptData({ answerTokens: 8 }), 'auto').train).map((prompt) =>
        listed(prompt.ids),
      );
      // There is nothing to answer in an empty prompt.
      expect(ids).toEqual(expected.prompts.filter((prompt) => prompt.length > 0));
    });

    test('pairs are tokenised and truncated as for CPO and ORPO', () => {
      const kept = allOf('pair', made(pairData({ alwaysEos: true }), limit).train);
      const ours = new Map(
        kept.map((pair) => {
          const { ids, rejected, promptLength, rejectedPromptLength = promptLength } = pair;
          const chosen = { ids: listed(ids), prompt: promptLength };
          return [nameOf(pair), { chosen, rejected: { ids: listed(rejected), prompt: rejectedPromptLength } }];
        }),
      );
      let compared = 0;
      for (const row of expected.cpo) {
        if (row.refused) continue;
        const { chosen, rejected } = row;
        // TRL keeps prompts that fill the limit, with nothing to learn.
        const empty = [chosen, rejected].some(({ ids, prompt }) => prompt >= ids.length);
        expect(ours.get(row.name), row.name).toEqual(empty ? undefined : { chosen, rejected });
        compared++;
      }
      expect(compared).toBeGreaterThanOrEqual(expected.rows.length - 2);
    });
  });
});
