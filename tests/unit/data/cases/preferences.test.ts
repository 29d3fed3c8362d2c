/** Pairs, judged answers and prompts alone, in TRL's formats and in those of public datasets, with words of our own. */
import { describe, expect, test } from 'vitest';
import { asks, check, compared, type Ending, gives, jsonLines, lines, type Rows, read, says, times } from './harness';

const ask = (i: number) => `What grows in garden ${i}?`;
const better = (i: number) => `Roses, ${i} of them.`;
const worse = (i: number) => `Weeds, ${i} kinds.`;
const N = 10;
const rows = (make: (i: number) => unknown) => jsonLines(times(N, make));
const json = (make: (i: number) => unknown) => JSON.stringify(times(N, make));
const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const human = (value: string) => ({ from: 'human', value });
const gpt = (value: string) => ({ from: 'gpt', value });
const both = compared(N, ask, better, worse);
const odd = (i: number) => i % 2 === 1;
const file = (name: string, content: string, ends: Ending, given?: Record<string, string>) => ({
  name,
  file: content.startsWith('[') ? 'a.json' : 'a.jsonl',
  content,
  ends,
  ...(given && { given }),
});

describe('preference pairs with a prompt of their own', () => {
  check(
    [
      file(
        'TRL, plain',
        rows((i) => ({ prompt: ask(i), chosen: better(i), rejected: worse(i) })),
        gives(both),
      ),
      file(
        'TRL, conversational',
        rows((i) => ({
          prompt: [user(ask(i))],
          chosen: [assistant(better(i))],
          rejected: [assistant(worse(i))],
        })),
        gives(both),
      ),
      file(
        'ShareGPT lists',
        json((i) => ({ conversations: [human(ask(i))], chosen: [gpt(better(i))], rejected: [gpt(worse(i))] })),
        gives(both),
      ),
      file(
        'LLaMA-Factory, ShareGPT: an object each',
        json((i) => ({ conversations: [human(ask(i))], chosen: gpt(better(i)), rejected: gpt(worse(i)) })),
        gives(both),
      ),
      file(
        'LLaMA-Factory, Alpaca: the input belongs to the prompt',
        json((i) => ({ instruction: ask(i), input: `It is hot in ${i}.`, chosen: better(i), rejected: worse(i) })),
        gives(compared(N, (i) => `${ask(i)}\n\nIt is hot in ${i}.`, better, worse)),
      ),
      file(
        'Orca: system, question, chosen, rejected',
        rows((i) => ({ system: odd(i) ? 'Be brief.' : '', question: ask(i), chosen: better(i), rejected: worse(i) })),
        gives(compared(N, (i) => (odd(i) ? `system: Be brief.\nuser: ${ask(i)}` : ask(i)), better, worse)),
      ),
      file(
        'UltraFeedback: a text beside conversations that hold it',
        rows((i) => ({
          prompt: ask(i),
          prompt_id: `p${i}`,
          chosen: [user(ask(i)), assistant(better(i))],
          rejected: [user(ask(i)), assistant(worse(i))],
          score_chosen: 8 - (i % 2),
          score_rejected: 2 + (i % 3),
        })),
        gives(both, /score_chosen/),
      ),
      file(
        'a prompt that both answers repeat',
        rows((i) => ({ prompt: ask(i), chosen: `${ask(i)} ${better(i)}`, rejected: `${ask(i)} ${worse(i)}` })),
        gives(
          compared(
            N,
            ask,
            (i) => ` ${better(i)}`,
            (i) => ` ${worse(i)}`,
          ),
        ),
      ),
      file(
        'several turns before the answers',
        rows((i) => ({
          prompt: [user('Hello'), assistant('Hi.'), user(ask(i))],
          chosen: [assistant(better(i))],
          rejected: [assistant(worse(i))],
        })),
        gives(compared(N, (i) => `user: Hello\nassistant: Hi.\nuser: ${ask(i)}`, better, worse)),
      ),
      file(
        'CSV with lists as text, as pandas writes them',
        lines(
          'prompt,chosen,rejected',
          ...times(N, (i) => {
            const cell = (text: string) => `"[{'role': 'assistant', 'content': '${text}'}]"`;
            return `${ask(i)},${cell(better(i))},${cell(worse(i))}`;
          }),
        ),
        gives(both),
      ),
      file(
        'columns of other names, mapped by hand',
        rows((i) => ({ q: ask(i), left: worse(i), right: better(i) })),
        gives(both),
        { columns: 'prompt=q,chosen=right,rejected=left' },
      ),
    ].map((one) => (one.name.startsWith('CSV') ? { ...one, file: 'a.csv' } : one)),
  );
});

describe('preference pairs whose prompt is what both answers begin with', () => {
  const implicit: Ending = gives(both, /The prompt is what both answers begin with/);
  check([
    file(
      'conversations',
      rows((i) => ({
        chosen: [user(ask(i)), assistant(better(i))],
        rejected: [user(ask(i)), assistant(worse(i))],
      })),
      implicit,
    ),
    file(
      'ShareGPT conversations',
      json((i) => ({ chosen: [human(ask(i)), gpt(better(i))], rejected: [human(ask(i)), gpt(worse(i))] })),
      implicit,
    ),
    file(
      'Anthropic HH: conversations written as text',
      rows((i) => ({
        chosen: `\n\nHuman: ${ask(i)}\n\nAssistant: ${better(i)}`,
        rejected: `\n\nHuman: ${ask(i)}\n\nAssistant: ${worse(i)}`,
      })),
      implicit,
    ),
    file(
      'HH, several turns: what is alike in them is the prompt',
      rows((i) => ({
        chosen: `\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: ${ask(i)}\n\nAssistant: ${better(i)}`,
        rejected: `\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: ${ask(i)}\n\nAssistant: ${worse(i)}`,
      })),
      gives(compared(N, (i) => `user: Hi\nassistant: Hello.\nuser: ${ask(i)}`, better, worse)),
    ),
    file(
      'plain text: the space before the answers is theirs',
      rows((i) => ({ chosen: `${ask(i)} ${better(i)}`, rejected: `${ask(i)} ${worse(i)}` })),
      gives(
        compared(
          N,
          ask,
          (i) => ` ${better(i)}`,
          (i) => ` ${worse(i)}`,
        ),
      ),
    ),
  ]);

  // TRL 1.16's extract_prompt gives the same on each of these, printed by `python -c "from trl import extract_prompt; …"`.
  test.each([
    ['The sky is blue.', 'The sky is green.', 'The sky is', ' blue.', ' green.'],
    ['The sky is blue.', 'The sky is black.', 'The sky is bl', 'ue.', 'ack.'],
    ['Sky? Blue', 'Sky? Blue as ink', 'Sky? Blu', 'e', 'e as ink'],
    ['Sky?\nBlue', 'Sky?\nGreen', 'Sky?\n', 'Blue', 'Green'],
  ])('%j and %j as TRL takes them apart', async (chosen, rejected, prompt, good, bad) => {
    const { dataset } = await read('a.jsonl', jsonLines([{ chosen, rejected }]));
    expect(dataset?.examples).toEqual([{ kind: 'pair', row: 1, prompt, chosen: good, rejected: bad }]);
  });
});

describe('ratings become pairs', () => {
  const best = (i: number) => [
    { text: `Mud, ${i}.`, score: 2 },
    { text: better(i), score: 9 },
    { text: worse(i), score: -1 },
  ];
  check([
    file(
      'a score for each of two answers',
      rows((i) => ({
        prompt: ask(i),
        ...(odd(i) ? { response_a: better(i), response_b: worse(i) } : { response_a: worse(i), response_b: better(i) }),
        ...(odd(i) ? { score_a: 4.5, score_b: 1 } : { score_a: 1, score_b: 4.5 }),
      })),
      gives(both),
    ),
    file(
      'a list of answers with scores: the best and the worst',
      rows((i) => ({ question: ask(i), answers: best(i) })),
      gives(both, /judged best is paired with the one judged worst/),
    ),
    file(
      'ranks: 1 is the best',
      rows((i) => ({
        prompt: ask(i),
        answers: [
          { answer: worse(i), rank: 3, model: 'x' },
          { answer: better(i), rank: 1, model: 'y' },
          { answer: `Mud, ${i}.`, rank: 2, model: 'z' },
        ],
      })),
      gives(both),
    ),
    file(
      'UltraFeedback before it was paired: completions with overall_score',
      rows((i) => ({
        instruction: ask(i),
        completions: [
          { model: 'x', response: worse(i), overall_score: 3 },
          { model: 'y', response: better(i), overall_score: 8.5 },
        ],
      })),
      gives(both),
    ),
    file(
      'a list of answers beside a list of scores',
      rows((i) => ({ prompt: ask(i), responses: [worse(i), `Mud, ${i}.`, better(i)], scores: [0.1, 0.4, 0.9] })),
      gives(both),
    ),
    file(
      'answers that are judged alike are left out',
      rows((i) => ({ prompt: ask(i), responses: [better(i), worse(i)], scores: i === 3 ? [5, 5] : [7, 5] })),
      gives(
        both.filter((_, i) => i !== 3),
        /Row 4 does not say which of its answers is better/,
      ),
    ),
  ]);
});

describe('margins', () => {
  test('are read as numbers; one that is missing is told', async () => {
    const content = rows((i) => ({
      prompt: ask(i),
      chosen: better(i),
      rejected: worse(i),
      margin: i === 2 ? null : i / 2,
    }));
    const { dataset } = await read('a.jsonl', content);
    expect(dataset!.mapping.margin).toBe('margin');
    expect(dataset!.examples.map((example) => (example as { margin?: number }).margin)).toEqual(
      times(N, (i) => (i === 2 ? undefined : i / 2)),
    );
    expect(dataset!.problems.map(({ code, row }) => [code, row])).toEqual([['no_margin', 3]]);
  });
});

describe('answers with a mark', () => {
  const judged: Rows = times(N, (i) => [
    ['u', ask(i)] as const,
    odd(i) ? (['a', better(i)] as const) : (['!a', worse(i)] as const),
  ]);
  const answer = (i: number) => (odd(i) ? better(i) : worse(i));
  const marks: [string, unknown, unknown][] = [
    ['label', true, false],
    ['label', 1, 0],
    ['label', 'yes', 'no'],
    ['kto_tag', true, false],
    ['thumbs', '👍', '👎'],
    ['feedback', 'good', 'bad'],
  ];
  check([
    ...marks.map(([column, yes, no]) =>
      file(
        `${column}: ${yes} and ${no}`,
        rows((i) => ({ prompt: ask(i), completion: answer(i), [column]: odd(i) ? yes : no })),
        gives(judged),
      ),
    ),
    file(
      'TRL, conversational',
      rows((i) => ({ prompt: [user(ask(i))], completion: [assistant(answer(i))], label: odd(i) })),
      gives(judged),
    ),
    file(
      'LLaMA-Factory: messages and a label',
      json((i) => ({ messages: [user(ask(i)), assistant(answer(i))], label: odd(i) })),
      gives(judged),
    ),
    file(
      'LLaMA-Factory: ShareGPT and kto_tag',
      json((i) => ({ conversations: [human(ask(i)), gpt(answer(i))], kto_tag: odd(i) })),
      gives(judged),
    ),
    file(
      'the last answer of a longer conversation is the judged one',
      json((i) => ({ messages: [user('Hello'), assistant('Hi.'), user(ask(i)), assistant(answer(i))], label: odd(i) })),
      gives(
        times(N, (i) => [
          ['u', `user: Hello\nassistant: Hi.\nuser: ${ask(i)}`],
          [odd(i) ? 'a' : '!a', answer(i)],
        ]),
      ),
    ),
    file(
      'all of them good: answers to imitate, unless a person says otherwise',
      rows((i) => ({ prompt: ask(i), completion: better(i), label: true })),
      gives(times(N, (i) => [['u', ask(i)] as const, ['a', better(i)] as const])),
    ),
    file(
      'all of them good, as a person says: told',
      rows((i) => ({ prompt: ask(i), completion: better(i), label: true })),
      says(/All 10 answers are marked as good/),
      { format: 'unpaired_preference' },
    ),
    file(
      'no column that judges',
      rows((i) => ({ prompt: ask(i), completion: better(i) })),
      { asks: /No column of this file says which answers are good/ },
      { format: 'unpaired_preference' },
    ),
  ]);
});

describe('prompts alone', () => {
  const alone = (columns: (i: number) => object): Rows =>
    times(N, (i) => [['u', ask(i)] as const, ['k', JSON.stringify(columns(i))] as const]);
  check([
    file(
      'plain',
      rows((i) => ({ prompt: ask(i) })),
      gives(alone(() => ({}))),
    ),
    file(
      'conversational',
      rows((i) => ({ prompt: [user(ask(i))] })),
      gives(alone(() => ({}))),
    ),
    file(
      'with what rewards look at',
      rows((i) => ({ prompt: [user(ask(i))], ground_truth: `${i}`, level: i % 3 })),
      gives(alone((i) => ({ ground_truth: `${i}`, level: i % 3 }))),
    ),
    file(
      'verl: an object that says how to check',
      rows((i) => ({ prompt: [user(ask(i))], reward_model: { style: 'rule', ground_truth: `${i}` } })),
      gives(alone((i) => ({ reward_model: { style: 'rule', ground_truth: `${i}` } }))),
    ),
    file(
      'a question with its answer, as a person says: the answer is for rewards',
      rows((i) => ({ question: ask(i), answer: better(i) })),
      gives(alone((i) => ({ answer: better(i) }))),
      { format: 'prompt_only' },
    ),
    file(
      'the same without a word is an answer to imitate',
      rows((i) => ({ question: ask(i), answer: better(i) })),
      gives(times(N, (i) => [['u', ask(i)] as const, ['a', better(i)] as const])),
    ),
    file(
      'messages that all wait for an answer: a question',
      rows((i) => ({ messages: [user(ask(i))] })),
      asks(
        /no assistant message/,
        alone(() => ({})),
      ),
    ),
    file(
      'whole conversations, as a person says: the last answer is for rewards',
      rows((i) => ({ messages: [user(ask(i)), assistant(better(i))] })),
      gives(alone((i) => ({ answer: better(i) }))),
      { format: 'prompt_only' },
    ),
  ]);
});
