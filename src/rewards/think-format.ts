/** Whether the answer thinks first, between tags, as TRL's think_format_reward checks it. */
import { NO_COLUMNS, type RewardCommon, type RewardDescriptor, ZERO_TO_ONE } from './reward';

export interface ThinkFormat extends RewardCommon {
  type: 'think_format';
  answer_tag: string | null;
}

/** The expression of TRL, whose `re.match` and DOTALL are ^ and s here. */
const THINK = /^<think>(?!.*<think>)(.*?)<\/think>.*$/s;

export const thinkFormat: RewardDescriptor<ThinkFormat> = {
  type: 'think_format',
  label: 'Thoughts, then answer',
  text: 'Gives 1 if the answer begins with one <think>…</think>, and 0 otherwise.',
  runs: 'worker',
  range: ZERO_TO_ONE,
  columns: NO_COLUMNS,
  fields: {
    answer_tag: {
      kind: 'text',
      label: 'Tag of the answer',
      help: 'With answer, what follows the thoughts must be <answer>…</answer> and nothing else. Empty: anything may follow.',
      default: null,
      source: 'TRL think_format_reward',
    },
  },
  *problems({ answer_tag }) {
    if (answer_tag !== null && !/^[A-Za-z][\w-]*$/.test(answer_tag)) {
      yield { key: 'answer_tag', message: 'must be a word, such as answer.' };
    }
  },
  scorer: ({ answer_tag }) => {
    if (answer_tag === null) return ({ completion }) => (THINK.test(completion) ? 1 : 0);
    const [open, close] = [`<${answer_tag}>`, `</${answer_tag}>`];
    return ({ completion }) => {
      if (!THINK.test(completion)) return 0;
      const rest = completion.slice(completion.indexOf('</think>') + '</think>'.length).trim();
      const once = (tag: string) => rest.indexOf(tag) === rest.lastIndexOf(tag);
      return rest.startsWith(open) && rest.endsWith(close) && once(open) && once(close) ? 1 : 0;
    };
  },
};
