/**
 * Tagged words. Entities in BIO (also IOB1 and BIOES) count as wholes: one is right if its start, end and kind are right.
 * Their boundaries follow conlleval (Tjong Kim Sang and Buchholz, CoNLL-2000), like seqeval 1.2.2 by default: an I- that
 * continues nothing starts an entity. Plain tags, such as parts of speech, are scored word by word.
 */
import { TabtuneError } from '../base/errors';
import { classMetrics, type Evaluated } from './classification';
import { type Counts, confusionMatrix, macro, micro, scoreOf, weighted } from './report';

export interface Entity {
  kind: string;
  /** Words [start, end). */
  start: number;
  end: number;
}

interface Tag {
  mark: string;
  kind: string;
}

/** `B-PER` -> B, PER; a bare mark has the kind `_`. */
function split(tag: string): Tag {
  const rest = tag.slice(1);
  const at = rest.indexOf('-');
  return { mark: tag[0] ?? 'O', kind: (at === -1 ? rest : rest.slice(at + 1)) || '_' };
}

const OUTSIDE: Tag = { mark: 'O', kind: '_' };

function ends(before: Tag, now: Tag): boolean {
  if (before.mark === 'E' || before.mark === 'S') return true;
  if (before.mark === 'B' || before.mark === 'I') {
    if (now.mark === 'B' || now.mark === 'S' || now.mark === 'O') return true;
  }
  return before.mark !== 'O' && before.mark !== '.' && before.kind !== now.kind;
}

function begins(before: Tag, now: Tag): boolean {
  if (now.mark === 'B' || now.mark === 'S') return true;
  if (now.mark === 'E' || now.mark === 'I') {
    if (before.mark === 'E' || before.mark === 'S' || before.mark === 'O') return true;
  }
  return now.mark !== 'O' && now.mark !== '.' && before.kind !== now.kind;
}

/** The entities in a row of tags, as in seqeval's get_entities. */
export function entitiesOf(tags: readonly string[]): Entity[] {
  const found: Entity[] = [];
  let before: Tag = { mark: 'O', kind: '' };
  let start = 0;
  for (let i = 0; i <= tags.length; i++) {
    const now = i < tags.length ? split(tags[i]!) : OUTSIDE;
    if (ends(before, now)) found.push({ kind: before.kind, start, end: i });
    if (begins(before, now)) start = i;
    before = now;
  }
  return found;
}

/** Whether all labels are entity tags: O, or a mark of BIO, BIOES or BILOU before a hyphen. */
function areEntityTags(labels: readonly string[]): boolean {
  return labels.some((label) => label !== 'O') && labels.every((label) => /^(O|[BIESLU]-.+)$/.test(label));
}

/**
 * `predicted` and `expected` hold a row of tags for each text. For entities: precision, recall and F1 over all of them,
 * averages over their kinds, and the accuracy of the tags. The report has one row per kind and the confusion of the tags.
 */
export function tokenMetrics(
  labels: readonly string[],
  predicted: readonly (readonly string[])[],
  expected: readonly (readonly string[])[],
): Evaluated {
  const uneven = expected.findIndex((tags, i) => tags.length !== predicted[i]?.length);
  if (uneven !== -1 || predicted.length !== expected.length) {
    throw new TabtuneError({
      code: 'internal',
      message: 'The number of predicted tags differs from the number of words.',
      where: `text ${uneven === -1 ? expected.length + 1 : uneven + 1}`,
      action: 'Run the evaluation again.',
    });
  }
  const numbers = new Map(labels.map((label, i) => [label, i]));
  const numbered = (rows: readonly (readonly string[])[]) => rows.flat().map((tag) => numbers.get(tag)!);
  const said = numbered(predicted);
  const real = numbered(expected);
  if (!areEntityTags(labels)) return classMetrics(labels, said, real);

  // seqeval joins the texts with an O between them, which keeps entities apart.
  const byKind = new Map<string, Counts>();
  const countOf = (kind: string) => {
    const count = byKind.get(kind) ?? { hits: 0, predicted: 0, actual: 0 };
    byKind.set(kind, count);
    return count;
  };
  const keyOf = ({ kind, start, end }: Entity) => `${start} ${end} ${kind}`;
  expected.forEach((tags, i) => {
    const actual = entitiesOf(tags);
    const keys = new Set(actual.map(keyOf));
    for (const { kind } of actual) countOf(kind).actual++;
    for (const entity of entitiesOf(predicted[i]!)) {
      const count = countOf(entity.kind);
      count.predicted++;
      if (keys.has(keyOf(entity))) count.hits++;
    }
  });
  const kinds = [...byKind.keys()].sort();
  const perClass = kinds.map((kind) => scoreOf(kind, byKind.get(kind)!));
  const all = micro([...byKind.values()]);
  const right = real.filter((tag, i) => tag === said[i]).length;
  return {
    metrics: {
      precision: all.precision,
      recall: all.recall,
      f1: all.f1,
      f1_macro: macro(perClass).f1,
      f1_weighted: weighted(perClass).f1,
      accuracy: real.length === 0 ? Number.NaN : right / real.length,
    },
    report: { labels: [...labels], confusion: confusionMatrix(labels.length, said, real), perClass },
  };
}
