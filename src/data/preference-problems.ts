/** What is wrong with answers to compare as a whole, which no single row shows. */
import { wordsIn } from './preference-parts';
import type { DataProblem, Example } from './types';

type Pair = Extract<Example, { kind: 'pair' }>;
type Judged = Extract<Example, { kind: 'judged' }>;

const warning = (code: string, message: string, action: string): DataProblem => ({
  severity: 'warning',
  code,
  message,
  action,
  dropped: false,
});

export function preferenceProblems(examples: readonly Example[]): DataProblem[] {
  const pairs = examples.filter((example): example is Pair => example.kind === 'pair');
  const judged = examples.filter((example): example is Judged => example.kind === 'judged');
  return [...lengthGap(pairs), ...contradictions(pairs), ...balance(judged)];
}

/** Fewer pairs say nothing about lengths. */
const FEWEST_PAIRS = 8;
/** Better answers that are longer by a half, or in four pairs of five by a fifth, can be told by their length alone; a few words more say nothing. */
const [FAR, NEAR, MOST, FEWEST_WORDS] = [1.5, 1.2, 0.8, 5];

function lengthGap(pairs: readonly Pair[]): DataProblem[] {
  if (pairs.length < FEWEST_PAIRS) return [];
  const lengths = pairs.map(({ chosen, rejected }) => [wordsIn(chosen), wordsIn(rejected)] as const);
  const mean = (side: 0 | 1) => lengths.reduce((sum, words) => sum + words[side], 0) / lengths.length;
  const [good, bad] = [mean(0), mean(1)];
  const longer = good >= bad;
  const ratio = Math.max(good, bad) / Math.max(1, Math.min(good, bad));
  const count = lengths.filter(([x, y]) => (longer ? x > y : x < y)).length;
  const share = count / lengths.length;
  if (share < 0.5 || Math.abs(good - bad) < FEWEST_WORDS || !(ratio >= FAR || (ratio >= NEAR && share >= MOST)))
    return [];
  const [than, write] = longer ? ['longer', 'more'] : ['shorter', 'less'];
  return [
    warning(
      'length_gap',
      `Better answers have ${round(good)} words on average, worse ones ${round(bad)}: in ${Math.round(share * 100)} % of the pairs the better one is ${than}.`,
      `The model may learn to write ${write} rather than better. Add pairs of which the better answer is the ${longer ? 'shorter' : 'longer'} one, or leave out pairs that differ most.`,
    ),
  ];
}

const round = (words: number) => (words < 10 ? Number(words.toFixed(1)) : Math.round(words)).toLocaleString('en');

/** Two answers to one prompt, each of which is once the better one. */
function contradictions(pairs: readonly Pair[]): DataProblem[] {
  const seen = new Map<string, number>();
  const problems: DataProblem[] = [];
  for (const { row, prompt, chosen, rejected } of pairs) {
    const before = seen.get(JSON.stringify([prompt, rejected, chosen]));
    if (before !== undefined) {
      problems.push({
        ...warning(
          'contradicting_pair',
          `Row ${row} prefers the answer that row ${before} calls the worse one.`,
          'Both were kept, and pull in opposite directions.',
        ),
        row,
      });
    }
    const key = JSON.stringify([prompt, chosen, rejected]);
    if (!seen.has(key)) seen.set(key, row);
  }
  return problems;
}

/** Whether the two kinds are in balance depends on KTO's weights, and is its own warning. */
function balance(judged: readonly Judged[]): DataProblem[] {
  if (judged.length === 0) return [];
  const good = judged.filter((example) => example.good).length;
  const bad = judged.length - good;
  const count = (n: number) => n.toLocaleString('en');
  if (good === 0 || bad === 0) {
    return [
      warning(
        'one_verdict',
        `All ${count(judged.length)} answers are marked as ${good === 0 ? 'bad' : 'good'}.`,
        good === 0
          ? 'Nothing shows what a good answer is. Add some that are.'
          : 'Nothing shows what to avoid. Add bad ones, or train on these as answers to imitate.',
      ),
    ];
  }
  return [];
}
