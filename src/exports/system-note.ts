/** Said of files that hold a piece of the data: the system prompt that all examples share. */
const MOST_CHARACTERS = 200;

/** `where`: "in page.json". Empty if there is no such prompt. */
export function systemNotes(system: string | null, where: string): string[] {
  const text = (system ?? '').replace(/\s+/g, ' ').trim();
  if (text === '') return [];
  const characters = [...text];
  const shown = characters.length > MOST_CHARACTERS ? `${characters.slice(0, MOST_CHARACTERS).join('')}…` : text;
  return [`The system prompt of the training data is in it, ${where}: “${shown}”`];
}
