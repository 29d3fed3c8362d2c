/**
 * Several datasets read as one. Each is read as if it were alone, its columns detected on their own, and its rows are numbered
 * behind those of the one before it.
 */
import { TabtuneError } from '../base/errors';
import type { ReadingSection } from '../recipe/sections';
import { ProblemList } from './problems';
import type { Example, ParsedDataset } from './types';

/** The files of a mix in one piece of bytes: a header that says where each begins, and then their bytes. */
export interface MixedFile {
  source: string;
  name: string;
  bytes: Uint8Array;
  section: ReadingSection;
}

interface Header {
  files: { source: string; name: string; length: number; section: ReadingSection }[];
}

export function packMix(files: readonly MixedFile[]): ArrayBuffer {
  const header: Header = {
    files: files.map(({ source, name, bytes, section }) => ({ source, name, length: bytes.length, section })),
  };
  const head = new TextEncoder().encode(JSON.stringify(header));
  const packed = new Uint8Array(4 + head.length + files.reduce((sum, { bytes }) => sum + bytes.length, 0));
  new DataView(packed.buffer).setUint32(0, head.length);
  packed.set(head, 4);
  let at = 4 + head.length;
  for (const { bytes } of files) {
    packed.set(bytes, at);
    at += bytes.length;
  }
  return packed.buffer;
}

/** What `packMix` has made: it never comes from a stranger. */
export function unpackMix(packed: Uint8Array): MixedFile[] {
  const length = new DataView(packed.buffer, packed.byteOffset).getUint32(0);
  const { files } = JSON.parse(new TextDecoder().decode(packed.subarray(4, 4 + length))) as Header;
  let at = 4 + length;
  return files.map(({ length: size, ...file }) => {
    const bytes = packed.slice(at, at + size);
    at += size;
    return { ...file, bytes };
  });
}

/** Conversations and pairs of prompt and answer teach the same; no others do. */
const teaches: Record<Example['kind'], string> = {
  messages: 'answers to prompts',
  prompt_completion: 'answers to prompts',
  text: 'plain text',
  labelled: 'labels of texts',
  tagged: 'labels of words',
  pair: 'the better of two answers',
  judged: 'good and bad answers',
  prompt: 'prompts without answers',
};

/** A number to predict, one class, or several. */
const labelsOf = ({ examples }: ParsedDataset) =>
  examples[0]?.kind === 'labelled' && typeof examples[0].labels === 'number' ? 'numbers' : 'classes';

/** Throws bad_data for datasets that teach different things. */
export function mixDatasets(parts: readonly { source: string; dataset: ParsedDataset }[]): ParsedDataset {
  const [first, ...others] = parts as [(typeof parts)[number], ...typeof parts];
  const kind = (dataset: ParsedDataset) => dataset.examples[0]!.kind;
  for (const { source, dataset } of others) {
    const [a, b] = [teaches[kind(first.dataset)], teaches[kind(dataset)]];
    const numbers = a === b && kind(dataset) === 'labelled' && labelsOf(first.dataset) !== labelsOf(dataset);
    if (a === b && !numbers) continue;
    throw new TabtuneError({
      code: 'bad_data',
      message: numbers
        ? `${first.dataset.name} and ${dataset.name} do not mix: one has numbers to predict, the other classes.`
        : `${first.dataset.name} and ${dataset.name} do not mix: the first teaches ${a}, the second ${b}.`,
      where: source,
      action: 'Take one of them out of the mix, or map its columns so that both teach the same.',
      choices: [{ label: 'Train on the first only', set: { 'dataset.mix': undefined } }],
    });
  }
  const problems = new ProblemList();
  const examples: Example[] = [];
  const sources: NonNullable<ParsedDataset['sources']> = [];
  let before = 0;
  for (const [from, { source, dataset }] of parts.entries()) {
    const at = before;
    sources.push({ source, name: dataset.name, examples: dataset.examples.length, firstRow: at + 1 });
    for (const example of dataset.examples) examples.push({ ...example, row: example.row + at, from });
    for (const { row, further, choices: _, ...problem } of dataset.problems) {
      problems.add({
        ...problem,
        message: `${dataset.name}: ${problem.message}`,
        ...(row !== undefined && { row: row + at }),
        ...(further && { further: further.map((other) => other + at) }),
      });
    }
    const last = dataset.examples.reduce((most, { row }) => Math.max(most, row), dataset.totalRows);
    before = at + last;
  }
  const sum = (of: (dataset: ParsedDataset) => number) => parts.reduce((total, { dataset }) => total + of(dataset), 0);
  const { dataset } = first;
  return {
    ...dataset,
    name: parts.map((part) => part.dataset.name).join(' + '),
    format: parts.find((part) => part.dataset.format === 'messages')?.dataset.format ?? dataset.format,
    detected: `A mix of ${parts.length} datasets. ${parts.map((part) => `${part.dataset.name}: ${part.dataset.detected}`).join(' ')}`,
    examples,
    problems: problems.list(),
    totalRows: sum(({ totalRows }) => totalRows),
    leftOut: sum(({ leftOut }) => leftOut),
    sources,
    readOnly: true,
  };
}

/** Whether a section names more than one dataset. */
export const isMix = ({ mix }: Pick<ReadingSection, 'mix'>): boolean =>
  mix !== undefined && Object.keys(mix).length > 0;
