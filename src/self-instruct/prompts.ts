/**
 * The three prompts of Self-Instruct: for instructions, for whether a task is one of classification, and for its examples. Each
 * is a request and the beginning of the answer. A chat model is asked the first, and goes on with the second as its own words,
 * so that it keeps to the numbers and names in it; a model without a chat template continues both as one text.
 */
import type { Instance, SeedTask } from './types';

export interface ModelPrompt {
  ask: string;
  begun: string;
  /** The answer ends before the first of these. */
  stops: string[];
}

/** How many instructions a prompt shows, and how many of them the model wrote itself. */
export const SHOWN = 8;
export const MACHINE_SHOWN = 2;
/** Seed tasks of each kind that show what is wanted. */
export const SHOTS = 4;

const TASKS = 'Come up with a series of tasks:';
const CLASSIFICATION_TASKS =
  'Come up with a series of classification tasks. Name the possible labels where there are any:';
const IS_IT = 'Is it classification?';
const WHETHER = 'Can the task be seen as a classification task with a finite number of output labels?';
const INPUT_FIRST =
  'Come up with examples for the tasks, several where that is possible. A task that needs no input gets its output at once.';
const OUTPUT_FIRST =
  'Given a classification task, write an input for each of its class labels. If it needs no input, write the labels alone.';

/** A line of the list, without what would look like the end of a heading. */
const listed = (instruction: string) => instruction.replace(/\s+/g, ' ').trim().replace(/:+$/, '');

export function instructionPrompt(shown: readonly string[], classification: boolean): ModelPrompt {
  const next = shown.length + 1;
  const end = shown.length + SHOWN;
  return {
    ask: classification ? CLASSIFICATION_TASKS : TASKS,
    begun: `${shown.map((one, i) => `${i + 1}. ${listed(one)}\n`).join('')}${next}.`,
    stops: ['\n\n', `\n${end}`, `${end}.`, `${end} .`],
  };
}

export function classificationPrompt(instruction: string, shots: readonly SeedTask[]): ModelPrompt {
  const shown = shots.map((seed) => `Task: ${seed.instruction}\n${IS_IT} ${seed.classification ? 'Yes' : 'No'}\n\n`);
  return {
    ask: WHETHER,
    begun: `${shown.join('')}Task: ${instruction.trim()}\n${IS_IT}`,
    stops: ['\n', 'Task'],
  };
}

/** As the paper's code reads it: any other answer is a no. */
export const saysYes = (answer: string): boolean => ['Yes', 'yes', 'YES'].includes(answer.trim());

const numbered = ({ input, output }: Instance, i: number) =>
  `Example ${i + 1}\n${input === '' ? '' : `Input: ${input}\n`}Output: ${output}\n`;

function shownExamples({ instruction, instances }: SeedTask, outputFirst: boolean): string {
  const task = `Task: ${instruction}\n`;
  if (outputFirst) return task + instances.map(({ input, output }) => `Class label: ${output}\n${input}\n`).join('');
  const [first] = instances;
  if (instances.length === 1 && first!.input === '') return `${task}Output: ${first!.output}\n`;
  return task + instances.map(numbered).join('');
}

export function instancePrompt(
  instruction: string,
  classification: boolean,
  shots: readonly SeedTask[],
  most: number,
): ModelPrompt {
  const shown = shots.map((seed) => `${shownExamples(seed, classification)}\n`);
  return {
    ask: classification ? OUTPUT_FIRST : INPUT_FIRST,
    begun: `${shown.join('')}Task: ${instruction.trim()}\n`,
    stops: [`Example ${most + 1}`, 'Task:'],
  };
}

/** Seed tasks that show what is asked for: of both kinds in turn, or of one. */
export function shotsOf(seeds: readonly SeedTask[], kind: 'both' | boolean): SeedTask[] {
  const of = (classification: boolean) => seeds.filter((one) => one.classification === classification).slice(0, SHOTS);
  if (kind !== 'both') return of(kind);
  const [yes, no] = [of(true), of(false)];
  return yes.flatMap((one, i) => (no[i] ? [one, no[i]] : []));
}
