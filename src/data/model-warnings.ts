/** What a model lacks for a dataset. */
import type { TextOptions } from './objective-data';
import { isPreference, preferenceParts } from './preference-parts';
import type { DataProblem, Example } from './types';

/** Whether an example has messages, which a chat template writes. */
export const isChat = (example: Example): boolean =>
  example.kind === 'messages' ||
  (isPreference(example) && preferenceParts(example).some(({ turns }) => typeof turns !== 'string'));

export function templateWarnings(examples: readonly Example[], { template }: TextOptions): DataProblem[] {
  if (template !== null || !examples.some(isChat)) return [];
  return [
    {
      severity: 'warning',
      code: 'no_chat_template',
      message: 'This model has no chat template: it was not made for conversations.',
      action: 'They are written as “User: …” and “Assistant: …”. An instruct model learns chats better.',
      dropped: false,
    },
  ];
}

/** For objectives that teach a model to write: it has to learn where to stop. */
export function writingWarnings(examples: readonly Example[], options: TextOptions): DataProblem[] {
  const problems = templateWarnings(examples, options);
  if (options.template !== null || options.eosToken !== null) return problems;
  return [
    ...problems,
    {
      severity: 'warning',
      code: 'no_eos',
      message: 'This model’s tokeniser has no end-of-text token.',
      action: 'The model cannot learn where to stop; its answers continue until the length limit.',
      dropped: false,
    },
  ];
}
