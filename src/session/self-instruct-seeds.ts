/** A person's file of seed tasks, in any format that a dataset may have. */
import { TabtuneError } from '../base/errors';
import type { Example } from '../data/types';
import { defaultRecipe } from '../recipe/defaults';
import { readingOf } from '../recipe/sections';
import { readSeedTasks, type SeedTask, seedTasksOf } from '../self-instruct';
import type { DataHost } from './data-host';

let read = 0;

/** JSON may have several examples of a task, as in the paper; any other file has rows with a prompt and an answer. */
export async function seedsIn(file: File, data: DataHost): Promise<SeedTask[]> {
  if (/\.jsonl?$/i.test(file.name)) return readSeedTasks(await file.text(), file.name);
  const section = readingOf(defaultRecipe().dataset);
  const bytes = () => file.arrayBuffer();
  const { examples } = await data.parse({ key: `seeds ${++read}`, name: file.name, section, read: bytes });
  return seedTasksOf(
    examples.map((example) => ({ ...pairOf(example, file.name), where: `${file.name}, row ${example.row}` })),
    file.name,
  );
}

function pairOf(example: Example, file: string): { instruction: string; output: string } {
  if (example.kind === 'prompt_completion') return { instruction: example.prompt, output: example.completion };
  if (example.kind === 'messages') {
    const turns = example.messages.filter(({ role }) => role !== 'system');
    const [asked, answered] = turns;
    if (turns.length === 2 && asked!.role === 'user' && answered!.role === 'assistant') {
      return { instruction: asked!.content, output: answered!.content };
    }
  }
  throw new TabtuneError({
    code: 'bad_data',
    message: 'A seed task is one prompt with its answer, and this row is something else.',
    where: `${file}, row ${example.row}`,
    action: 'Give a file with a column of prompts and one of answers.',
  });
}
