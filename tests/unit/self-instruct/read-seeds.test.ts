import { describe, expect, it } from 'vitest';
import { readSeedTasks } from '../../../src/self-instruct';

describe('a file of seeds', () => {
  it('is read in the paper’s form, with what else is in it left aside', () => {
    const line = JSON.stringify({
      id: 'seed_task_0',
      instruction: ' Name it. ',
      instances: [{ input: '', output: 'It.' }],
      is_classification: true,
    });
    expect(readSeedTasks(`\uFEFF${line}\r\n\r\n`, 'a.jsonl')).toEqual([
      { instruction: 'Name it.', instances: [{ input: '', output: 'It.' }], classification: true },
    ]);
  });

  it('may have prompts and answers, and rows of one prompt are one task', () => {
    const rows = [
      { prompt: 'Add.', input: '1 + 1', completion: 2 },
      { prompt: 'Add.', input: '2 + 2', completion: '4' },
      { question: 'Why?', answer: 'So.' },
    ];
    const tasks = [
      {
        instruction: 'Add.',
        instances: [
          { input: '1 + 1', output: '2' },
          { input: '2 + 2', output: '4' },
        ],
        classification: null,
      },
      { instruction: 'Why?', instances: [{ input: '', output: 'So.' }], classification: null },
    ];
    expect(readSeedTasks(JSON.stringify(rows), 'a.json')).toEqual(tasks);
    expect(readSeedTasks(rows.map((row) => JSON.stringify(row)).join('\n'), 'a.jsonl')).toEqual(tasks);
  });

  it.each([
    ['', 'There is no task in this file.', 'f'],
    ['{"instruction": "A"}\nnonsense', 'This line is not JSON.', 'f, line 2'],
    ['[1]', 'This is not an object.', 'f, entry 1'],
    ['[{"output": "B"}]', 'This task has no instruction.', 'f, entry 1'],
    ['[{"instruction": "A", "output": "B"}, {"instruction": "C"}]', 'This task has no output.', 'f, entry 2'],
    ['{"instruction": "A", "instances": []}', 'This task has no list of instances.', 'f'],
    ['{"instruction": "A", "instances": [{"output": []}]}', 'The output is not text.', 'f, instance 1'],
  ])('%s is refused with its place', (text, message, where) => {
    expect(() => readSeedTasks(text, 'f')).toThrow(expect.objectContaining({ code: 'bad_data', message, where }));
  });
});
