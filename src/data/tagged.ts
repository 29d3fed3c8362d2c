/**
 * Words with one tag each: named entities in BIO (B- starts a name, I- continues it, O is outside; also IOB1 and
 * BIOES), or plain tags such as parts of speech.
 */
import { asList } from './columns';
import { rareProblem } from './labelled';
import { excerpt } from './problems';
import { field } from './raw-table';
import { empty, type Outcome } from './row-text';
import { tagBalance } from './stats';
import { kind, type Note } from './to-messages';
import type { DataProblem, Example } from './types';

export function taggedRow(
  row: number,
  value: Record<string, unknown>,
  mapping: Record<string, string>,
  blanks = false,
): Outcome {
  const notes: Note[] = [];
  const words = listOf(value, mapping.tokens!, blanks);
  const given = listOf(value, mapping.tags!, blanks);
  const failure = words.failure ?? given.failure;
  if (failure) return { example: null, failure, notes };
  if (words.list.length === 0) return empty('empty_text', mapping.tokens!, notes);
  if (words.list.length !== given.list.length) {
    const message = `has ${count(words.list.length, 'word')} and ${count(given.list.length, 'tag')}`;
    return { example: null, failure: { code: 'unequal_lengths', message }, notes };
  }
  const tokens: string[] = [];
  const tags: string[] = [];
  for (const [i, word] of words.list.entries()) {
    const token = word === null ? '' : String(word);
    const tag = given.list[i] === null ? '' : String(given.list[i]).trim();
    if (token.trim() === '') {
      notes.push({ code: 'empty_word', message: `has no text for word ${i + 1}` });
      continue;
    }
    if (tag === '') {
      const message = `has no tag for word ${i + 1}, “${excerpt(token, 30)}”`;
      return { example: null, failure: { code: 'missing_tag', message }, notes };
    }
    tokens.push(token);
    tags.push(tag);
  }
  if (tokens.length === 0) return empty('empty_text', mapping.tokens!, notes);
  return { example: { kind: 'tagged', row, tokens, tags }, notes };
}

const count = (n: number, thing: string) => `${n} ${thing}${n === 1 ? '' : 's'}`;

function listOf(value: Record<string, unknown>, column: string, blanks: boolean): { list: unknown[]; failure?: Note } {
  const found = field(value, column);
  const name = excerpt(column, 40);
  if (found === undefined) return { list: [], failure: { code: 'missing_field', message: `has no “${name}”` } };
  const list = asList(found);
  if (list) return { list };
  if (blanks && typeof found === 'string' && found.trim() !== '') return { list: found.trim().split(/\s+/) };
  return { list: [], failure: { code: 'not_a_list', message: `has ${kind(found)} in “${name}”` } };
}

/** Whether the tags are named entity tags: O, or a letter of BIO, BIOES or BILOU before a hyphen. */
function isBio(tags: Iterable<string>): boolean {
  let named = false;
  for (const tag of tags) {
    if (/^[BIESLU]-./.test(tag)) named = true;
    else if (tag !== 'O') return false;
  }
  return named;
}

/** Words whose I-, E- or L- continues nothing, because there is no B- or I- of the same type before them. */
function orphans(tags: readonly string[]): number[] {
  return tags.flatMap((tag, i) => {
    if (!/^[IEL]-/.test(tag)) return [];
    const before = tags[i - 1] ?? 'O';
    return /^[BI]-/.test(before) && before.slice(2) === tag.slice(2) ? [] : [i];
  });
}

/** Reports unusual tags, by row where possible. */
export function tagProblems(examples: readonly Example[]): DataProblem[] {
  const tagged = examples.filter((e) => e.kind === 'tagged');
  const balance = tagBalance(tagged);
  const problems: DataProblem[] = [];
  if (isBio(balance.map(({ label }) => label))) {
    const lost = tagged.flatMap((example) => orphans(example.tags).map((at) => ({ example, at })));
    const begun = balance.reduce((n, { label, count }) => (label.startsWith('B-') ? n + count : n), 0);
    if (lost.length > begun) {
      problems.push({
        severity: 'warning',
        code: 'iob1_tags',
        message: 'Most names start with an I- tag, so the tags are IOB1, in which B- only separates adjacent names.',
        action: 'They are learned unchanged. An I- after O or after another name counts as the start of a name.',
        dropped: false,
      });
    } else {
      for (const { example, at } of lost) {
        problems.push({
          severity: 'warning',
          code: 'orphan_inside',
          row: example.row,
          message: `Row ${example.row} has the tag ${example.tags[at]} at “${excerpt(example.tokens[at]!, 30)}” (word ${at + 1}) without a B-${example.tags[at]!.slice(2)} before it.`,
          action: 'It was kept and counts as the start of a name.',
          dropped: false,
        });
      }
    }
  }
  const numbers = balance.filter(({ label }) => /^\d+$/.test(label));
  if (numbers.length > 0 && numbers.length < balance.length) {
    const fewer = numbers.length * 2 <= balance.length;
    const odd = fewer ? numbers[0]! : balance.find(({ label }) => !/^\d+$/.test(label))!;
    problems.push({
      severity: 'warning',
      code: 'mixed_labels',
      row: odd.row,
      message: `Row ${odd.row} has the tag “${excerpt(odd.label, 30)}”, ${fewer ? 'a number where most tags are words' : 'a word where most tags are numbers'}.`,
      action: 'All tags were read as names. Check the rows for mistakes.',
      dropped: false,
    });
  }
  if (balance.length === 1 && tagged.length > 1) {
    problems.push({
      severity: 'warning',
      code: 'single_label',
      message: `All words have the same tag, “${excerpt(balance[0]!.label, 30)}”.`,
      action: 'Add examples with other tags, or map another column.',
      dropped: false,
    });
  }
  const rare = rareProblem(balance);
  if (rare) problems.push(rare);
  return problems;
}
