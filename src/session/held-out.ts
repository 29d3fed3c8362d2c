/** The data of a run as the run split it: what it has learned from, and what was held out. */
import { permutation, Stream } from '../base/random';
import type { Example, ParsedDataset, TokenizedDataset } from '../data/types';
import type { Recipe } from '../recipe/types';
import type { RunRecord } from '../storage/types';
import type { DataSplit, SplitPrompt } from './comparison-types';
import type { DataSession } from './datasets';
import { examplesFingerprint } from './run-inputs';
import { promptOf } from './sample-prompts';

export interface SplitNeeds {
  datasets: DataSession;
  /** The recipe as its run had it. */
  continued(recipe: Recipe): Promise<Recipe>;
}

/** Prompts of either side that are offered. */
const MOST = 500;

export interface OpenSplit {
  recipe: Recipe;
  parsed: ParsedDataset;
  /** One example each, whether the run packed them or not: the split is made before that. */
  tokenized: TokenizedDataset;
  doubt: string | null;
}

/** Without a run nothing is known of what was learned from. */
export async function openSplit(needs: SplitNeeds, given: Recipe, run: RunRecord | null): Promise<OpenSplit> {
  const { datasets } = needs;
  const resolved = await needs.continued(given);
  const max_length = run?.maxLength ?? resolved.dataset.max_length;
  const recipe = { ...resolved, dataset: { ...resolved.dataset, max_length, packing: false } };
  const parsed = await datasets.examples(recipe.dataset);
  const tokenized = await datasets.tokenize(recipe);
  return { recipe, parsed, tokenized, doubt: await doubtOf(datasets, run, resolved, tokenized) };
}

async function doubtOf(
  datasets: DataSession,
  run: RunRecord | null,
  { dataset }: Recipe,
  tokenized: TokenizedDataset,
): Promise<string | null> {
  if (!run) return 'It is not known what this adapter was trained on, so it may have learned from these.';
  const before = run.inputs;
  if (!before)
    return 'This run was made by an older version that did not note its data, so these may have been learned from.';
  if (run.changes?.some(({ what }) => what.includes('dataset') || what.includes('examples'))) {
    return 'The data changed while this run was interrupted, so these may have been learned from before that.';
  }
  const same = (await datasets.fingerprint(dataset)).sha256 === before.dataset.sha256;
  const split = dataset.packing || (await examplesFingerprint(tokenized)).sha256 === before.examples.sha256;
  return same && split ? null : 'The file has changed since this run, so these may have been learned from.';
}

/** `learned` are prompts that other runs have learned from. */
export async function promptsOf(
  { recipe, parsed, tokenized, doubt }: OpenSplit,
  learned: ReadonlySet<string>,
): Promise<DataSplit> {
  const byRow = new Map(parsed.examples.map((example) => [example.row, example]));
  const trained = await distinctPrompts(byRow, tokenized.train);
  const order = permutation(trained.length, recipe.training.seed, Stream.shuffle);
  const known = new Set([...learned, ...trained.map(({ text }) => text)]);
  // The same question with another answer may be on both sides.
  const validation = await distinctPrompts(byRow, tokenized.validation);
  const heldOut = validation.filter(({ text }) => !known.has(text));
  return {
    dataset: parsed.name,
    heldOut: heldOut.slice(0, MOST),
    trained: Array.from(order.subarray(0, MOST), (i) => trained[i]!),
    heldOutTotal: heldOut.length,
    trainedTotal: trained.length,
    doubt,
  };
}

/** What a run has learned from. */
export async function learnedPrompts({ parsed, tokenized }: OpenSplit): Promise<string[]> {
  const byRow = new Map(parsed.examples.map((example) => [example.row, example]));
  return (await distinctPrompts(byRow, tokenized.train)).map(({ text }) => text);
}

/** Rows at a time: between them the page can do something else. */
const ROWS = 2000;

async function distinctPrompts(
  byRow: ReadonlyMap<number, Example>,
  side: readonly { row: number }[],
): Promise<SplitPrompt[]> {
  const found = new Map<string, SplitPrompt>();
  for (const [i, { row }] of side.entries()) {
    if (i > 0 && i % ROWS === 0) await new Promise((resolve) => setTimeout(resolve));
    const example = byRow.get(row);
    const prompt = example ? promptOf(example) : null;
    if (prompt && prompt.text.trim() !== '' && !found.has(prompt.text)) found.set(prompt.text, { row, ...prompt });
  }
  return [...found.values()];
}
