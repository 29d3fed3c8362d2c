/** What Ollama has to know about a model besides its weights: how it chats, when an answer ends, what it was trained with. */
import type { ExportSource } from '../export';
import { type Boundaries, findBoundaries, type NoBoundaries } from './boundaries';
import { COMPLETION_TEMPLATE, chatTemplate } from './go-template';

export interface Described {
  /** Null: the model's own template, in its GGUF file, is left to Ollama. */
  template: string | null;
  system: string | null;
  stops: string[];
  notes: string[];
}

const REASONS: Record<NoBoundaries, string> = {
  rejects: 'rejects an ordinary conversation',
  varies: 'does more than put text around messages',
  date: 'writes today’s date',
};

const STRIPS =
  'The model’s chat template takes away white space around messages; Ollama’s cannot, so questions should not begin or end with it.';
/** Ollama looks for .Tools in the template, and refuses requests that bring tools where it finds none. */
const NO_TOOLS =
  'Ollama will not offer tools to this model: its chat template describes tools, but the TEMPLATE in the Modelfile writes messages only. To call tools, run the GGUF model with llama.cpp (`llama-server --jinja`), which uses the model’s own chat template.';

/** `begin`: the token that llama.cpp puts before a text by itself, so that the template must not; null if it does not. */
export async function describeChats(
  chats: NonNullable<ExportSource['chats']>,
  begin: string | null,
  now: Date,
): Promise<Described> {
  const { write } = chats;
  const system = await chats.system();
  const { texts, ends, tools } = await write([[{ role: 'user', content: 'Hi' }]]);
  const stops = [...new Set(ends)].filter((text) => text !== '');
  if (texts === null) {
    const note =
      'The model has no chat template and is not known to have learned from conversations, so Ollama gives it each question as it is, after the earlier ones.';
    return { template: COMPLETION_TEMPLATE, system, stops, notes: [note] };
  }
  const found = await findBoundaries(async (chats) => (await write(chats)).texts!, now);
  if (typeof found === 'string') {
    const note = `The Modelfile has no TEMPLATE, because the model’s chat template ${REASONS[found]}, which Ollama’s kind of template cannot be made to do. Versions of Ollama that run the chat template in the GGUF file need none; others may write conversations wrongly.`;
    return { template: null, system, stops, notes: [note] };
  }
  const notes = [...(found.strips ? [STRIPS] : []), ...(tools ? [NO_TOOLS] : [])];
  return { template: chatTemplate(withoutBegin(found.boundaries, begin)), system, stops, notes };
}

function withoutBegin({ start, system, ...rest }: Boundaries, begin: string | null): Boundaries {
  const cut = (text: string) => (begin && text.startsWith(begin) ? text.slice(begin.length) : text);
  return { ...rest, start: cut(start), system: { ...system, before: cut(system.before) } };
}
