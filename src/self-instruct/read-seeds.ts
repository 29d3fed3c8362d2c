/**
 * A person's own seed tasks: JSON or JSON Lines of {instruction, instances: [{input, output}]} as in the paper, or of one
 * example each (instruction, input and output; or prompt and answer under one of their usual names).
 */
import { TabtuneError } from '../base/errors';
import { parseUntrusted } from '../base/json';
import type { Instance, SeedTask } from './types';

/** As many as a person can write; a dataset belongs on the Data page. */
export const MOST_SEEDS = 1000;
const INSTRUCTIONS = ['instruction', 'prompt', 'question', 'task'];
const INPUTS = ['input', 'context'];
const OUTPUTS = ['output', 'completion', 'response', 'answer', 'expected', 'reference'];

const bad = (message: string, where: string) =>
  new TabtuneError({
    code: 'bad_data',
    message,
    where,
    action: 'Write one task a line: {"instruction": "…", "instances": [{"input": "…", "output": "…"}]}.',
  });

/** Rows of the same instruction become one task. Throws bad_data with the line. */
export function readSeedTasks(text: string, file: string): SeedTask[] {
  const values = valuesOf(text.replace(/^\uFEFF/, ''), file);
  return merged(
    values.map(({ value, where }) => taskIn(value, where)),
    file,
  );
}

/** The same from rows that have been read already. */
export function seedTasksOf(rows: readonly { instruction: string; output: string; where: string }[], file: string) {
  return merged(
    rows.map(({ where, ...row }) => taskIn(row, where)),
    file,
  );
}

function merged(all: readonly SeedTask[], file: string): SeedTask[] {
  const tasks = new Map<string, SeedTask>();
  for (const task of all) {
    const known = tasks.get(task.instruction);
    if (!known) tasks.set(task.instruction, task);
    else {
      known.instances.push(...task.instances);
      known.classification ??= task.classification;
    }
  }
  if (tasks.size === 0) throw bad('There is no task in this file.', file);
  if (tasks.size > MOST_SEEDS) {
    throw bad(`This file has ${tasks.size} tasks, and there can be at most ${MOST_SEEDS} seeds.`, file);
  }
  return [...tasks.values()];
}

function valuesOf(text: string, file: string): { value: unknown; where: string }[] {
  const whole = parsed(text);
  if (Array.isArray(whole)) return whole.map((value, i) => ({ value, where: `${file}, entry ${i + 1}` }));
  if (whole !== undefined) return [{ value: whole, where: file }];
  return text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === '') return [];
    const where = `${file}, line ${i + 1}`;
    const value = parsed(line);
    if (value === undefined) throw bad('This line is not JSON.', where);
    return [{ value, where }];
  });
}

function parsed(text: string): unknown {
  try {
    return parseUntrusted(text);
  } catch {
    return undefined;
  }
}

function taskIn(value: unknown, where: string): SeedTask {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('This is not an object.', where);
  const fields = value as Record<string, unknown>;
  const instruction = textOf(fields, INSTRUCTIONS, where)?.trim();
  if (!instruction) throw bad('This task has no instruction.', where);
  const { instances, is_classification } = fields;
  const classification = typeof is_classification === 'boolean' ? is_classification : null;
  if (instances === undefined) return { instruction, instances: [instanceIn(fields, where)], classification };
  if (!Array.isArray(instances) || instances.length === 0) throw bad('This task has no list of instances.', where);
  return {
    instruction,
    classification,
    instances: instances.map((one, i) => {
      const place = `${where}, instance ${i + 1}`;
      if (typeof one !== 'object' || one === null) throw bad('This instance is not an object.', place);
      return instanceIn(one as Record<string, unknown>, place);
    }),
  };
}

function instanceIn(fields: Record<string, unknown>, where: string): Instance {
  const output = textOf(fields, OUTPUTS, where);
  if (output === undefined || output.trim() === '') throw bad('This task has no output.', where);
  return { input: textOf(fields, INPUTS, where) ?? '', output };
}

function textOf(fields: Record<string, unknown>, names: readonly string[], where: string): string | undefined {
  const name = names.find((one) => fields[one] !== undefined && fields[one] !== null);
  if (name === undefined) return undefined;
  const value = fields[name];
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') throw bad(`The ${name} is not text.`, where);
  return value;
}
