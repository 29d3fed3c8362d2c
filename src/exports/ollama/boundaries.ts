/**
 * What a chat template writes around messages, found by trying it: the texts before, between and behind the messages of a conversation in
 * which questions and answers take turns. Most templates write the same there whatever the messages say; one that does not has no
 * boundaries.
 */

export interface Turn {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface Boundaries {
  /** Before the first question of a conversation without a system prompt. */
  start: string;
  /** Before and behind a system prompt, up to the first question. */
  system: { before: string; behind: string };
  /** Between a question and its answer, and between an answer and the next question. */
  answer: string;
  question: string;
  /** Behind the last question: the model goes on from here. */
  prompt: string;
}

/** Writes conversations that end with a question, up to the start of the answer; null for one that is rejected. */
export type WritesChat = (conversations: readonly Turn[][]) => Promise<(string | null)[]>;

export interface FoundBoundaries {
  boundaries: Boundaries;
  /** White space around a message is not written. */
  strips: boolean;
}

const turns = (...contents: string[]): Turn[] =>
  contents.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));
const system = (content: string): Turn => ({ role: 'system', content });

/** Words that no template contains. */
const [S, Q, A, NEXT] = ['Zxqvsystem', 'Zxqvquestion', 'Zxqvanswer', 'Zxqvnext'];
const PROBES = [turns(Q, A, NEXT), [system(S), ...turns(Q)]];

/** What people write: one question, several, lines, code, other scripts. */
const TRIALS: readonly Turn[][] = [
  turns('Hi'),
  turns('What is 2 + 2?', '4', 'And doubled?', '8', 'Once more?'),
  [system('You are a pirate.\nBe brief.'), ...turns('Who are you?', 'Arr, a pirate!', 'Where is the gold?')],
  turns('for (i = 0; i < n; i++) { a[i] = "{{ x }}"; }', 'It fills `a`:\n\n1. first\n2. second', 'Größe, 東京 🙂'),
  [system('Answer in JSON: {"a": [1, 2]}'), ...turns('List "a" & <b>\'s\n\ncolours')],
];
const PADDED = turns(' \n Hello \n', '  Well, \n', '\n And now? ');

/** Why a template has no boundaries, as the second half of a sentence. */
export type NoBoundaries = 'rejects' | 'varies' | 'date';

/** `now`: templates that write today's date have no boundaries either, as it would be tomorrow's text. */
export async function findBoundaries(write: WritesChat, now: Date): Promise<FoundBoundaries | NoBoundaries> {
  const [plain, withSystem] = await write(PROBES);
  if (plain == null || withSystem == null) return 'rejects';
  const around = split(plain, [Q, A, NEXT]);
  const behindSystem = split(withSystem, [S, Q]);
  if (!around || !behindSystem) return 'varies';
  const [start, answer, question, prompt] = around as [string, string, string, string];
  const [before, behind] = behindSystem as [string, string];
  const boundaries = { start, system: { before, behind }, answer, question, prompt };
  if ([...around, ...behindSystem].some((text) => saysDate(text, now))) return 'date';
  const written = await write([...TRIALS, PADDED]);
  const same = (conversation: readonly Turn[], i: number) => written[i] === writeChat(boundaries, conversation);
  if (!TRIALS.every(same)) return 'varies';
  return { boundaries, strips: !same(PADDED, TRIALS.length) };
}

/** A conversation that ends with a question, up to the start of the answer. */
export function writeChat(
  { start, system, answer, question, prompt }: Boundaries,
  conversation: readonly Turn[],
): string {
  const told = conversation.filter(({ role }) => role === 'system').map(({ content }) => content);
  const rest = conversation.map(({ role, content }) =>
    role === 'user' ? content : role === 'assistant' ? `${answer}${content}${question}` : '',
  );
  const head = told.length > 0 ? `${system.before}${told.join('\n\n')}${system.behind}` : start;
  return `${head}${rest.join('')}${prompt}`;
}

/** The text between words that must each be there once, in this order. */
function split(text: string, words: readonly string[]): string[] | null {
  const parts: string[] = [];
  let rest = text;
  for (const word of words) {
    const at = rest.indexOf(word);
    if (at < 0 || rest.indexOf(word, at + 1) >= 0) return null;
    parts.push(rest.slice(0, at));
    rest = rest.slice(at + word.length);
  }
  return [...parts, rest];
}

/** Whether a text has today's date, as templates write it: 05 Mar 2026, March 5, 2026, 2026-03-05. */
function saysDate(text: string, now: Date): boolean {
  const [day, year] = [now.getDate(), now.getFullYear()];
  const two = (n: number) => String(n).padStart(2, '0');
  const month = now.toLocaleString('en', { month: 'long' });
  const short = month.slice(0, 3);
  const spellings = [`0?${day} (${short}|${month}),? ${year}`, `(${short}|${month}) 0?${day},? ${year}`];
  return new RegExp(`${spellings.join('|')}|${year}-${two(now.getMonth() + 1)}-${two(day)}`).test(text);
}
