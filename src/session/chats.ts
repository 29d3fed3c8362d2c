/** How the open model's conversations are written, for exports that have to write them the same way. */
import type { PromptStyle } from '../data/prompt-style';
import type { Example } from '../data/types';
import type { ExportSource } from '../exports/export';
import type { DataHost } from './data-host';
import type { OpenModel } from './models';
import { promptOf } from './sample-prompts';

/** `examples` are those of the run's dataset, which may be gone; null if the adapter came from files. */
export const chatsOf = (
  { tokenizer }: Pick<OpenModel, 'tokenizer'>,
  data: Pick<DataHost, 'writeChats'>,
  style: () => Promise<PromptStyle | null>,
  examples: (() => Promise<readonly Example[]>) | null,
): NonNullable<ExportSource['chats']> => ({
  async write(conversations) {
    // Conversations are written as the data were that were tokenised last, which are then the run's.
    const known = await style();
    const written = await data.writeChats(tokenizer, conversations);
    return known ? written : { ...written, texts: null };
  },
  // Without the dataset nobody knows; the export does not need it.
  system: async () => (examples ? sharedSystem(await examples().catch(() => [])) : null),
});

/** The system prompt that all examples have; one of several is not the model's own. */
export function sharedSystem(examples: readonly Example[]): string | null {
  let shared: string | null = null;
  for (const [i, example] of examples.entries()) {
    const system = promptOf(example)?.system ?? null;
    if (system === null || (i > 0 && system !== shared)) return null;
    shared = system;
  }
  return shared;
}
