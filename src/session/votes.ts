/**
 * Votes on pairs of answers, kept as JSON Lines, and the datasets that they become: pairs for objectives that compare (DPO), and
 * single answers with a mark for those that judge (KTO). Both have the columns of TRL's datasets; what else is known of an
 * answer stands in further columns, which trainers leave alone.
 */
import { parseUntrusted } from '../base/json';
import { openFile, putFile } from '../storage/files';
import type { Contestant, Verdict, Vote } from './comparison-types';

const ID = 'votes/votes.jsonl';

/** Lines of what is stored that cannot be read (a newer version wrote them) are kept as they are. */
let unread: string[] = [];

export async function readVotes(): Promise<Vote[]> {
  const stored = await openFile(ID);
  const lines = stored ? new TextDecoder().decode(await stored.read()).split('\n') : [];
  const votes: Vote[] = [];
  unread = [];
  for (const line of lines) {
    if (line.trim() === '') continue;
    const vote = voteIn(line);
    if (vote) votes.push(vote);
    else unread.push(line);
  }
  return votes;
}

export async function writeVotes(votes: readonly Vote[]): Promise<void> {
  const lines = [...unread, ...votes.map((vote) => JSON.stringify(vote))];
  await putFile(ID, new TextEncoder().encode(lines.map((line) => `${line}\n`).join('')));
}

const verdicts: readonly Verdict[] = ['a', 'b', 'both_good', 'both_bad'];

function voteIn(line: string): Vote | null {
  try {
    const vote = parseUntrusted(line) as Vote;
    const written = [vote.prompt.text, vote.a.text, vote.b.text].every((text) => typeof text === 'string');
    return written && verdicts.includes(vote.verdict) ? vote : null;
  } catch {
    return null;
  }
}

/** Whether prompts and answers are written as messages, for models with a chat template, or as plain strings. */
export type VoteForm = 'messages' | 'text';

const asPrompt = ({ prompt }: Vote, form: VoteForm) =>
  form === 'text'
    ? // A model without roles reads instructions as the beginning of its text.
      [prompt.system, prompt.text].filter(Boolean).join('\n\n')
    : [...(prompt.system ? [{ role: 'system', content: prompt.system }] : []), { role: 'user', content: prompt.text }];

const asAnswer = ({ text }: Contestant, form: VoteForm) =>
  form === 'text' ? text : [{ role: 'assistant', content: text }];

const from = ({ name, temperature, seed }: Contestant) => `${name}, temperature ${temperature}, seed ${seed}`;

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** The votes that say which answer is better. */
export const decided = (votes: readonly Vote[]): Vote[] =>
  votes.filter(({ verdict }) => verdict === 'a' || verdict === 'b');

/** JSON Lines of pairs: `prompt`, `chosen`, `rejected`. Ties are left out. */
export const pairLines = (votes: readonly Vote[], form: VoteForm): string =>
  lines(
    decided(votes).map((vote) => {
      const [better, worse] = vote.verdict === 'a' ? [vote.a, vote.b] : [vote.b, vote.a];
      return {
        prompt: asPrompt(vote, form),
        chosen: asAnswer(better, form),
        rejected: asAnswer(worse, form),
        chosen_from: from(better),
        rejected_from: from(worse),
        voted_at: new Date(vote.at).toISOString(),
      };
    }),
  );

/** JSON Lines of single answers: `prompt`, `completion`, `label`. Of a pair, the better answer is good and the other bad. */
export const judgedLines = (votes: readonly Vote[], form: VoteForm): string =>
  lines(
    votes.flatMap((vote) =>
      (
        [
          ['a', vote.a],
          ['b', vote.b],
        ] as const
      ).map(([side, one]) => ({
        prompt: asPrompt(vote, form),
        completion: asAnswer(one, form),
        label: vote.verdict === side || vote.verdict === 'both_good',
        vote: vote.verdict === 'a' || vote.verdict === 'b' ? 'pair' : vote.verdict,
        completion_from: from(one),
        voted_at: new Date(vote.at).toISOString(),
      })),
    ),
  );
