/** Labels in every notation: several at once, one-hot, printed lists, spellings that differ, numbers. */
import { describe } from 'vitest';
import { asks, type Case, check, gives, jsonLines, lines, refuses, says, times } from './harness';

const note = (i: number) => `Letter ${i} came by the morning post`;
const rows = (make: (i: number) => unknown) => jsonLines(times(16, make));
const kinds = ['bill', 'love', 'junk'];
/** Bit k of i says whether letter i is of kind k. */
const has = (i: number, k: number) => ((i >> k) & 1) === 1;
const of = (i: number) => kinds.filter((_, k) => has(i, k));
const several = times(
  16,
  (i) =>
    [
      ['c', note(i)],
      ['l', of(i).join(' + ')],
    ] as const,
);
const numbered = times(
  16,
  (i) =>
    [
      ['c', note(i)],
      ['l', [0, 1, 2].filter((k) => has(i, k)).join(' + ')],
    ] as const,
);
const or = (i: number) => (of(i).length === 0 ? ['none'] : of(i));
const filled = times(
  16,
  (i) =>
    [
      ['c', note(i)],
      ['l', or(i).join(' + ')],
    ] as const,
);

describe('several labels at once', () => {
  const bits = (i: number) => kinds.map((_, k) => (has(i, k) ? 1 : 0));
  const table = (make: (i: number) => (string | number)[]): string =>
    lines(`text,${kinds.join(',')}`, ...times(16, (i) => `${note(i)},${make(i).join(',')}`));
  const list: Case[] = [
    {
      name: 'a column of 0 and 1 for each',
      file: 'a.csv',
      content: table(bits),
      ends: [gives(several), asks(/bill/, several)],
    },
    {
      name: 'columns of True and False',
      file: 'a.csv',
      content: table((i) => bits(i).map((bit) => (bit ? 'True' : 'False'))),
      ends: [gives(several), asks(/bill/, several)],
    },
    {
      name: 'columns of 0.0 and 1.0',
      file: 'a.csv',
      content: table((i) => bits(i).map((bit) => `${bit}.0`)),
      ends: [gives(several), asks(/bill/, several)],
    },
    {
      name: 'columns of 0 and 1 in JSON',
      file: 'a.jsonl',
      content: rows((i) => ({
        comment_text: note(i),
        ...Object.fromEntries(kinds.map((kind, k) => [kind, bits(i)[k]])),
      })),
      ends: [gives(several), asks(/bill/, several)],
    },
    {
      name: 'a list of 0 and 1',
      file: 'a.jsonl',
      content: rows((i) => ({ text: note(i), labels: bits(i) })),
      ends: [gives(numbered), says(/0 and 1|one-hot|position/), asks(/labels/)],
    },
    {
      name: 'a list of 1.0 and 0.0',
      file: 'a.jsonl',
      content: times(16, (i) => `{"text": "${note(i)}", "labels": [${bits(i).map((bit) => `${bit}.0`)}]}`).join('\n'),
      ends: [gives(numbered), asks(/labels/)],
    },
    {
      name: 'a list printed by Python',
      file: 'a.csv',
      content: lines(
        'text,labels',
        ...times(
          16,
          (i) =>
            `${note(i)},"[${of(i)
              .map((kind) => `'${kind}'`)
              .join(', ')}]"`,
        ),
      ),
      ends: gives(several),
    },
    {
      name: 'a list printed by numpy',
      file: 'a.csv',
      content: lines(
        'text,labels',
        ...times(
          16,
          (i) =>
            `${note(i)},[${of(i)
              .map((kind) => `'${kind}'`)
              .join(' ')}]`,
        ),
      ),
      ends: [gives(several), refuses(/labels/)],
    },
    {
      name: 'a set printed by Python',
      file: 'a.csv',
      content: lines(
        'text,labels',
        ...times(
          16,
          (i) =>
            `${note(i)},"{${or(i)
              .map((kind) => `'${kind}'`)
              .join(', ')}}"`,
        ),
      ),
      ends: [gives(filled), refuses(/labels/)],
    },
    {
      name: 'a tuple printed by Python',
      file: 'a.csv',
      content: lines(
        'text,labels',
        ...times(
          16,
          (i) =>
            `${note(i)},"(${or(i)
              .map((kind) => `'${kind}'`)
              .join(', ')},)"`,
        ),
      ),
      ends: [gives(filled), refuses(/labels/)],
    },
    {
      name: 'a list in JSON that breaks off',
      file: 'a.csv',
      content: lines('text,labels', ...times(16, (i) => `${note(i)},"[""bill"", ""lo"`)),
      ends: refuses(/labels|label/),
    },
    {
      name: 'a list of lists of strings',
      file: 'a.jsonl',
      content: rows((i) => ({ text: note(i), labels: of(i) })),
      ends: gives(several),
    },
    ...[', ', ',', '; ', ';', '|'].map((mark) => ({
      name: `one cell with “${mark}” between`,
      file: 'a.csv',
      content: lines('text,labels', ...times(16, (i) => `${note(i)},"${or(i).join(mark)}"`)),
      ends: [gives(filled), asks(/labels|label/, filled)],
    })),
  ];
  check(list);
});

describe('spellings of one class', () => {
  const spelled = (words: string[]) => (i: number) => words[i % words.length]!;
  const table = (words: string[]) => lines('text,label', ...times(16, (i) => `${note(i)},${spelled(words)(i)}`));
  check([
    {
      name: 'case and spaces',
      file: 'a.csv',
      content: table(['Bill', 'bill', 'BILL ', 'Love', 'love']),
      ends: [says(/“(Bill|bill|BILL)”.*“(Bill|bill|BILL)”|spell|case/), asks(/spell|case|same/)],
    },
    {
      name: 'underscore or hyphen',
      file: 'a.csv',
      content: table(['sea_mail', 'sea-mail', 'air mail', 'air_mail']),
      ends: [says(/sea.mail/), asks(/sea.mail/)],
    },
    {
      name: 'two spaces inside',
      file: 'a.csv',
      content: table(['sea mail', 'sea  mail', 'bill']),
      ends: [says(/sea {1,2}mail/), asks(/sea {1,2}mail/)],
    },
    {
      name: 'spaces that cannot be seen',
      file: 'a.csv',
      content: table(['bill', 'bill\u00a0', 'love']),
      ends: [
        gives(
          times(
            16,
            (i) =>
              [
                ['c', note(i)],
                ['l', ['bill', 'bill', 'love'][i % 3]!],
              ] as const,
          ),
        ),
        says(/bill/),
        asks(/bill/),
      ],
    },
  ]);
});

describe('numbers', () => {
  const stars = (i: number) => (i === 11 ? '4.5' : `${(i % 5) + 1}`);
  check([
    {
      name: 'one half star among whole ones',
      file: 'a.csv',
      content: lines('text,stars', ...times(32, (i) => `${note(i)},${stars(i)}`)),
      ends: [says(/4\.5/), asks(/4\.5|number/)],
    },
    {
      name: 'decimal commas in a file of semicolons',
      file: 'a.csv',
      content: lines('Text;Note', ...times(16, (i) => `${note(i)}, so to say;${i % 6},5`)),
      ends: [
        gives(
          times(
            16,
            (i) =>
              [
                ['c', `${note(i)}, so to say`],
                ['l', `${(i % 6) + 0.5}`],
              ] as const,
          ),
        ),
        says(/comma|0,5/),
        asks(/0,5|number/),
      ],
    },
    {
      name: 'labels that are numbers in text',
      file: 'a.csv',
      content: lines('text,label', ...times(16, (i) => `${note(i)},${i % 3}`)),
      ends: gives(
        times(
          16,
          (i) =>
            [
              ['c', note(i)],
              ['l', `${i % 3}`],
            ] as const,
        ),
      ),
    },
    {
      name: 'fractions are numbers to predict',
      file: 'a.csv',
      content: lines('text,label', ...times(16, (i) => `${note(i)},${i / 4}`)),
      ends: gives(
        times(
          16,
          (i) =>
            [
              ['c', note(i)],
              ['l', `${i / 4}`],
            ] as const,
        ),
      ),
    },
  ]);
});

describe('words with tags', () => {
  const words = ['Ann', 'wrote', 'from', 'Ulm'];
  const tags = ['B-PER', 'O', 'O', 'B-LOC'];
  const tagged = (written: string[]) =>
    times(
      9,
      () =>
        [
          ['w', words.join(' ')],
          ['g', written.join(' ')],
        ] as const,
    );
  const table = (w: string, t: string) => lines('tokens,ner_tags', ...times(9, () => `${w},${t}`));
  const python = (list: string[]) => `"[${list.map((x) => `'${x}'`).join(', ')}]"`;
  check([
    {
      name: 'lists printed by Python',
      file: 'a.csv',
      content: table(python(words), python(tags)),
      ends: gives(tagged(tags)),
    },
    {
      name: 'lists printed by numpy',
      file: 'a.csv',
      content: table(`['Ann' 'wrote' 'from' 'Ulm']`, '[1 0 0 5]'),
      ends: [gives(tagged(['1', '0', '0', '5'])), refuses(/tokens|ner_tags/)],
    },
    {
      name: 'lists in JSON',
      file: 'a.csv',
      content: table(
        `"${JSON.stringify(words).replaceAll('"', '""')}"`,
        `"${JSON.stringify(tags).replaceAll('"', '""')}"`,
      ),
      ends: gives(tagged(tags)),
    },
    {
      name: 'words with blanks between',
      file: 'a.csv',
      content: table(words.join(' '), tags.join(' ')),
      ends: [gives(tagged(tags)), refuses(/tokens|tags/), asks(/tokens|tags/)],
    },
    {
      name: 'one tag too few loses its row, said',
      file: 'a.jsonl',
      content: jsonLines(times(9, (i) => ({ tokens: words, ner_tags: i === 4 ? tags.slice(1) : tags }))),
      ends: gives(tagged(tags).slice(1), /[Rr]ow 5/),
    },
  ]);
});
