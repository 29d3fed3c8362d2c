/** Files that votes become, with the rows that a reader must find in them, written out by hand. */
import type { Contestant, Verdict, Vote } from '../../src/session/comparison-types';
import { judgedLines, pairLines } from '../../src/session/votes';

const answer = (text: string, temperature: number): Contestant => ({
  ...{ model: 'run:a', name: 'pirate "one", step 40', temperature, seed: 7, text },
});

const vote = (prompt: Vote['prompt'], a: string, b: string, verdict: Verdict): Vote => ({
  ...{ prompt, a: answer(a, 0), b: answer(b, 0.7), verdict, at: Date.UTC(2026, 10, 30, 2, 5) },
});

/** The first has a system prompt and the others none; the texts hold what readers of JSON Lines have broken on. */
const SYSTEM = 'You are a pirate.\nBe brief.';
const STRANGE = 'Größe\u2028→ "42" \\n 🦜\ttab';
const votes: Vote[] = [
  vote({ text: 'Where is the gold?', system: SYSTEM }, 'Under the palm, matey!', 'It is in the bank.', 'a'),
  vote({ text: STRANGE }, 'No.', ` ${STRANGE}\n\n`, 'b'),
  vote({ text: '{"role": "user"}' }, '2026-11-30', 'Arr!', 'both_good'),
  vote({ text: '1234' }, 'I know not.', '', 'both_bad'),
];

export interface VoteFile {
  name: string;
  text: string;
  conversational: boolean;
  rows: { system: string | null; user: string; texts: Record<string, string>; label: boolean | null }[];
}

type Row = VoteFile['rows'][number];

/** Ties are no pairs. */
const pairs: Row[] = [
  {
    ...{ system: SYSTEM, user: 'Where is the gold?', label: null },
    texts: { chosen: 'Under the palm, matey!', rejected: 'It is in the bank.' },
  },
  { system: null, user: STRANGE, label: null, texts: { chosen: ` ${STRANGE}\n\n`, rejected: 'No.' } },
];

const judged: Row[] = (
  [
    [SYSTEM, 'Where is the gold?', 'Under the palm, matey!', true],
    [SYSTEM, 'Where is the gold?', 'It is in the bank.', false],
    [null, STRANGE, 'No.', false],
    [null, STRANGE, ` ${STRANGE}\n\n`, true],
    [null, '{"role": "user"}', '2026-11-30', true],
    [null, '{"role": "user"}', 'Arr!', true],
    [null, '1234', 'I know not.', false],
    [null, '1234', '', false],
  ] as const
).map(([system, user, completion, label]) => ({ system, user, texts: { completion }, label }));

export const voteFiles = (): VoteFile[] =>
  (['messages', 'text'] as const).flatMap((form) => [
    { name: `pairs as ${form}`, text: pairLines(votes, form), conversational: form === 'messages', rows: pairs },
    {
      ...{ name: `judged answers as ${form}`, text: judgedLines(votes, form), conversational: form === 'messages' },
      rows: judged,
    },
  ]);
