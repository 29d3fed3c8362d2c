/**
 * How a chat template takes each role and feature. It is tried once with words that no template contains, because templates
 * leave out what they do not know without a word: tool results, a second system message, thoughts.
 */
import { type AnswerFacts, type GivenMessage, inThoughts, type Reception } from './template-messages';

export interface TemplateFacts extends AnswerFacts {
  /** A system message at the start. */
  system: Reception;
  /** A second one right after it. */
  secondSystem: Reception;
  /** One further down. */
  laterSystem: Reception;
  /** Descriptions of tools, calls of them in the field tool_calls, and their results. */
  tools: Reception;
  toolCalls: Reception;
  toolResults: Reception;
  usersInARow: Reception;
  assistantFirst: Reception;
}

interface Tried {
  /** Renders, or throws what the template raises. */
  try(messages: readonly GivenMessage[], tools?: unknown[] | null): string;
}

const ASKED = { role: 'user', content: 'Zxqvquestion' };
const ASKED_AGAIN = { role: 'user', content: 'Zxqvagain' };
const ANSWERED = { role: 'assistant', content: 'Zxqvanswer' };
const ANSWERED_AGAIN = { role: 'assistant', content: 'Zxqvend' };
const SYSTEM = { role: 'system', content: 'Zxqvsystem' };
const SECOND = { role: 'system', content: 'Zxqvsecond' };
const RESULT = { role: 'tool', content: 'Zxqvresult', name: 'Zxqvtool', tool_call_id: 'abcdefghi' };
const CALLED = {
  role: 'assistant',
  content: '',
  tool_calls: [{ id: 'abcdefghi', type: 'function', function: { name: 'Zxqvtool', arguments: { city: 'Zxqvcity' } } }],
};
const TOOL = {
  type: 'function',
  function: { name: 'Zxqvtool', description: 'Zxqvwhat', parameters: { type: 'object', properties: {} } },
};
/** The fields that templates read thoughts from, most common first. */
const FIELDS = ['reasoning_content', 'thinking', 'reasoning', 'thought', 'thoughts'];
const THOUGHT = 'Zxqvthought';

/** Never throws: what a template raises is how it takes something. */
export function templateFacts(template: Tried, source: string): TemplateFacts {
  const take = (messages: GivenMessage[], words: string[], tools: unknown[] | null = null): Reception => {
    let text: string;
    try {
      text = template.try(messages, tools);
    } catch {
      return 'refused';
    }
    return words.every((word) => text.includes(word)) ? 'written' : 'dropped';
  };
  const system = worst([
    take([SYSTEM, ASKED, ANSWERED], ['Zxqvsystem']),
    take([SYSTEM, ASKED, ANSWERED, ASKED_AGAIN, ANSWERED_AGAIN], ['Zxqvsystem']),
  ]);
  const field = FIELDS.find(
    (name) => source.includes(name) && take([ASKED, { ...ANSWERED, [name]: THOUGHT }], [THOUGHT]) === 'written',
  );
  const thinking = (answer: GivenMessage): GivenMessage =>
    field === undefined
      ? { ...answer, content: inThoughts(THOUGHT) + answer.content }
      : { ...answer, [field]: THOUGHT };
  const inline = field !== undefined || take([ASKED, thinking(ANSWERED)], [THOUGHT]) === 'written';
  return {
    system,
    secondSystem: take([SYSTEM, SECOND, ASKED, ANSWERED], ['Zxqvsystem', 'Zxqvsecond']),
    laterSystem: take([ASKED, ANSWERED, SECOND, ASKED_AGAIN, ANSWERED_AGAIN], ['Zxqvsecond']),
    tools: take([ASKED, ANSWERED], ['Zxqvtool'], [TOOL]),
    toolCalls: take([ASKED, CALLED, RESULT, ANSWERED], ['Zxqvtool', 'Zxqvcity']),
    // As they reach the template here: without the fields of a native call.
    toolResults: take([ASKED, ANSWERED, { role: 'tool', content: 'Zxqvresult' }, ANSWERED_AGAIN], ['Zxqvresult']),
    usersInARow: take([ASKED, ASKED_AGAIN, ANSWERED], ['Zxqvquestion', 'Zxqvagain']),
    assistantFirst: take([ANSWERED, ASKED, ANSWERED_AGAIN], ['Zxqvanswer']),
    thoughts: {
      how: field !== undefined ? 'field' : inline ? 'inline' : 'spliced',
      field: field ?? null,
      earlier: take([ASKED, thinking(ANSWERED), ASKED_AGAIN, ANSWERED_AGAIN], [THOUGHT]),
    },
    indents: take([ASKED, { ...ANSWERED, content: '    Zxqvanswer\nZxqvmore' }], ['    Zxqvanswer']) !== 'dropped',
  };
}

const worst = (all: Reception[]) =>
  all.find((one) => one === 'refused') ?? all.find((one) => one === 'dropped') ?? 'written';

const verb: Record<Exclude<Reception, 'written'>, string> = { dropped: 'leaves out', refused: 'refuses' };

/** What a template does not write, each in a sentence that goes on from "The chat template …". */
export function templateGaps(facts: TemplateFacts): string[] {
  const gaps: string[] = [];
  const say = (reception: Reception, what: string) => {
    if (reception !== 'written') gaps.push(`${verb[reception]} ${what}`);
  };
  say(facts.system, 'system messages');
  if (facts.system === 'written') {
    say(facts.secondSystem, 'a second system message');
    say(facts.laterSystem, 'system messages further down');
  }
  say(facts.tools, 'descriptions of tools');
  say(facts.toolCalls, 'tool calls');
  say(facts.toolResults, 'tool results');
  if (facts.thoughts.how === 'spliced') gaps.push('leaves out thoughts');
  else say(facts.thoughts.earlier, 'the thoughts of earlier answers');
  say(facts.usersInARow, 'two questions in a row');
  say(facts.assistantFirst, 'an answer before the first question');
  return gaps;
}
