/** What each step of the funnel is called, and the funnel as a text. */
import type { FunnelStep, FunnelView } from './funnel';
import { MOST_SIMILAR } from './rounds';

export const stepWords: Record<FunnelStep['name'], string> = {
  written: 'written',
  cut: 'cut off at the length limit',
  too_short: 'three words or fewer',
  too_long: 'more than 150 words',
  word_list: 'needs images, files or maps',
  write_a_program: 'begins with “Write a program”',
  punctuation: 'begins with punctuation',
  not_ascii: 'begins with a letter beyond ASCII',
  similar: `ROUGE-L above ${MOST_SIMILAR} with another`,
  same_as_input: 'output equals input',
  no_output: 'no output',
  ends_with_colon: 'ends with a colon',
  different_outputs: 'same input, different outputs',
  duplicate: 'the same twice',
  too_many: 'more than asked for',
  kept: 'kept',
};

const NAME = 36;
const BAR = 30;

function lines(steps: readonly FunnelStep[]): string[] {
  const [{ left: written }] = steps as [FunnelStep];
  return steps.map(({ name, dropped, left }) => {
    const bar = '#'.repeat(written === 0 ? 0 : Math.round((BAR * left) / written));
    return `  ${stepWords[name].padEnd(NAME)}${dropped > 0 ? `-${dropped}`.padStart(6) : ' '.repeat(6)}${String(left).padStart(7)}  ${bar}`.trimEnd();
  });
}

const share = (part: number, whole: number) => (whole === 0 ? '' : `, ${Math.round((100 * part) / whole)} %`);

/** One line a step: what it took, what is left, and a bar. */
export function funnelText({ instructions, tasks, instances }: FunnelView): string {
  const kept = (steps: readonly FunnelStep[]) => steps.at(-1)!.left;
  return [
    `Instructions (${kept(instructions)} of ${instructions[0]!.left} kept${share(kept(instructions), instructions[0]!.left)})`,
    ...lines(instructions),
    `Tasks with usable examples: ${tasks.usable} of ${tasks.asked}${share(tasks.usable, tasks.asked)}`,
    `Examples (${kept(instances)} of ${instances[0]!.left} kept${share(kept(instances), instances[0]!.left)})`,
    ...lines(instances),
  ].join('\n');
}
