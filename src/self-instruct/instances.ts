/** From a model's answer to examples of a task, and the filters that the paper's code has for them. */
import { type Instance, type InstanceFilter, instanceFilters } from './types';

const EXAMPLE = /Example\s?\p{Nd}*\.?/u;
const OUTPUT = /Output\s*\p{Nd}*\s*:/u;
const INPUT = /Input\s*\p{Nd}*\s*:/u;
const FIRST_INPUT = /^Input\s*\p{Nd}*\s*:/u;
const LABEL = 'Class label:';

/** Input first: examples with a number each, or a single one. */
export function inputFirst(answer: string): Instance[] {
  const text = answer.trim();
  if (EXAMPLE.test(text)) {
    return text
      .split(EXAMPLE)
      .map((one) => one.trim())
      .filter((one) => one !== '')
      .map(inputAndOutput);
  }
  return OUTPUT.test(text) ? [inputAndOutput(text)] : [];
}

function inputAndOutput(text: string): Instance {
  const parts = text.split(OUTPUT);
  const [input, output] = parts.length > 1 ? [parts[0]!, parts[1]!] : ['', text];
  return { input: input.trim().replace(FIRST_INPUT, '').trim(), output: output.trim().split(INPUT)[0]!.trim() };
}

/** Output first: a label in a line, and an input for it below. */
export function outputFirst(answer: string): Instance[] {
  return answer
    .split(LABEL)
    .slice(1)
    .map((one) => {
      const text = one.trim();
      const end = text.indexOf('\n');
      return end < 0
        ? { input: '', output: text }
        : { input: text.slice(end + 1).trim(), output: text.slice(0, end).trim() };
    });
}

export interface KeptInstances {
  kept: Instance[];
  written: number;
  dropped: Record<InstanceFilter, number>;
}

const unusable = ({ input, output }: Instance): InstanceFilter | null => {
  if (input === output) return 'same_as_input';
  if (output === '') return 'no_output';
  return input.endsWith(':') || output.endsWith(':') ? 'ends_with_colon' : null;
};

/** `cut`: the answer ended because of its length, so its last example is not whole. */
export function keepInstances(written: readonly Instance[], cut: boolean, most: number): KeptInstances {
  const dropped = noInstances();
  const whole = cut ? written.slice(0, -1) : written;
  dropped.cut = written.length - whole.length;
  const usable = whole.filter((one) => {
    const why = unusable(one);
    if (why) dropped[why]++;
    return why === null;
  });
  const outputs = new Map<string, string>();
  const differ = usable.some(({ input, output }) => {
    if (input === '') return false;
    const other = outputs.get(input);
    outputs.set(input, other ?? output);
    return other !== undefined && other !== output;
  });
  if (differ) {
    dropped.different_outputs = usable.length;
    return { kept: [], written: written.length, dropped };
  }
  const different = [...new Map(usable.map((one) => [JSON.stringify([one.input, one.output]), one])).values()];
  dropped.duplicate = usable.length - different.length;
  const kept = different.slice(0, most);
  dropped.too_many = different.length - kept.length;
  return { kept, written: written.length, dropped };
}

export const noInstances = (): Record<InstanceFilter, number> =>
  Object.fromEntries(instanceFilters.map((name) => [name, 0])) as Record<InstanceFilter, number>;
