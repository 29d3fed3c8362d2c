/** Of two answers the better one is told from the worse; a column that rates answers is understood or asked about. */
import { describe } from 'vitest';
import { asks, check, compared, type Ending, gives, jsonLines, lines, pairs, refuses, times } from './harness';

const ask = (i: number) => `Praise cake ${i}.`;
const good = (i: number) => `Cake ${i} melts on the tongue.`;
const bad = 'Cake is cake.';
const rows = (make: (i: number) => unknown) => jsonLines(times(8, make));
const eight = pairs(8, ask, good);
const odd = (i: number) => i % 2 === 1;
const both = compared(8, ask, good, () => bad);
/** Of eight rows every second one is good. */
const judged = times(8, (i) => [['u', ask(i)] as const, odd(i) ? (['a', good(i)] as const) : (['!a', bad] as const)]);

describe('preference pairs, under any names and in any order', () => {
  const names: [string, string][] = [
    ['chosen', 'rejected'],
    ['chosen_response', 'rejected_response'],
    ['preferred', 'dispreferred'],
    ['preferred_output', 'non_preferred_output'],
    ['better', 'worse'],
    ['good', 'bad'],
    ['winner', 'loser'],
    ['answer_good', 'answer_bad'],
    ['positive', 'negative'],
    ['accepted', 'rejected'],
    ['response_j', 'response_k'],
  ];
  const either: Ending[] = [gives(both), asks(/answer|which|better/i, both)];
  check(
    names.flatMap(([better, worse]) => [
      {
        name: `${worse} before ${better}`,
        file: 'a.jsonl',
        content: rows((i) => ({ question: ask(i), [worse]: bad, [better]: good(i) })),
        // StackExchange's j and k say nothing by their names.
        ends: better === 'response_j' ? [...either, refuses(/response_/)] : either,
      },
    ]),
  );
  const turns = (text: string) => [{ role: 'assistant', content: text }];
  check([
    {
      name: 'as lists of turns, with the prompt inside an object (OpenAI)',
      file: 'a.jsonl',
      content: rows((i) => ({
        input: { messages: [{ role: 'user', content: ask(i) }], tools: [], parallel_tool_calls: true },
        non_preferred_output: turns(bad),
        preferred_output: turns(good(i)),
      })),
      ends: gives(both),
    },
    {
      name: 'with the winner in a column',
      file: 'a.jsonl',
      content: rows((i) => ({
        prompt: ask(i),
        ...(odd(i) ? { response_a: good(i), response_b: bad } : { response_a: bad, response_b: good(i) }),
        winner: odd(i) ? 'a' : 'b',
      })),
      ends: gives(both),
    },
    {
      name: 'ShareGPT with chosen and rejected turns',
      file: 'a.json',
      content: JSON.stringify(
        times(8, (i) => ({
          conversations: [{ from: 'human', value: ask(i) }],
          rejected: { from: 'gpt', value: bad },
          chosen: { from: 'gpt', value: good(i) },
        })),
      ),
      ends: gives(both),
    },
    {
      name: 'two answers without a word on which is better',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), response_1: bad, response_2: good(i) })),
      ends: [asks(/response_/), refuses(/response_/)],
    },
    {
      name: 'only the worse answer',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), rejected: bad })),
      ends: [refuses(/rejected/), asks(/rejected/)],
    },
  ]);
});

describe('a column that rates the answer', () => {
  const marks: [string, unknown, unknown][] = [
    ['label', true, false],
    ['label', 1, 0],
    ['label', 'good', 'bad'],
    ['kto_tag', true, false],
    ['is_good', 1, 0],
    ['thumbs', 'up', 'down'],
    ['thumbs_up', true, false],
    ['feedback', 'positive', 'negative'],
    ['rating', 1, -1],
    ['quality', 'high', 'low'],
    ['accepted', 'yes', 'no'],
    ['helpful', 'TRUE', 'FALSE'],
    ['desirable', true, false],
    ['correct', 1, 0],
  ];
  const marked: Ending[] = [gives(judged), asks(/good|bad|wanted|rate|answer/i, judged)];
  check(
    marks.map(([column, yes, no]) => ({
      name: `${column}: ${JSON.stringify(yes)} or ${JSON.stringify(no)}`,
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), completion: odd(i) ? good(i) : bad, [column]: odd(i) ? yes : no })),
      ends: marked,
    })),
  );
  check([
    {
      name: 'True and False in CSV',
      file: 'a.csv',
      content: lines(
        'prompt,completion,label',
        ...times(8, (i) => `${ask(i)},${odd(i) ? good(i) : bad},${odd(i) ? 'True' : 'False'}`),
      ),
      ends: marked,
    },
    {
      name: 'kto_tag beside instruction and output',
      file: 'a.jsonl',
      content: rows((i) => ({ instruction: ask(i), input: '', output: odd(i) ? good(i) : bad, kto_tag: odd(i) })),
      ends: marked,
    },
    {
      name: 'label beside messages',
      file: 'a.json',
      content: JSON.stringify(
        times(8, (i) => ({
          messages: [
            { role: 'user', content: ask(i) },
            { role: 'assistant', content: odd(i) ? good(i) : bad },
          ],
          label: odd(i),
        })),
      ),
      ends: marked,
    },
    {
      name: 'mapping the answer by hand keeps the marks of bad ones',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), completion: odd(i) ? good(i) : bad, label: odd(i) })),
      given: { columns: 'prompt=prompt,completion=completion' },
      ends: marked,
    },
    {
      name: 'rows without a mark among those with one',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), completion: odd(i) ? good(i) : bad, label: i === 1 ? null : odd(i) })),
      ends: gives(
        judged.filter((_, i) => i !== 1),
        /Row 2 has nothing in “label”/,
      ),
    },
    {
      name: 'a score of many values is no mark, and is said not to be used',
      file: 'a.jsonl',
      content: rows((i) => ({ prompt: ask(i), completion: good(i), score: i / 8 })),
      ends: gives(eight, /score/),
    },
  ]);
});
