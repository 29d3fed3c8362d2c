/** The open dataset: its examples, their tokens, and the one example that is selected. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { ReadingProgress } from '../data/reading-progress';
import type { DataProblem, ParsedDataset, TokenizedDataset, TokenView } from '../data/types';
import type { DatasetSection, Recipe } from '../recipe/types';
import { toErrorData } from './errors';
import { latestOnly } from './latest';
import { getSession } from './session';

interface DataState {
  status: 'idle' | 'opening' | 'ready' | 'failed';
  source: string | null;
  dataset: ParsedDataset | null;
  error: ErrorData | null;
  /** How far the reading of the file is. */
  reading: ReadingProgress | null;
  tokenizing: boolean;
  /** Share of the examples that are tokenised, 0 to 1. */
  tokenized: number;
  tokens: TokenizedDataset | null;
  tokenError: ErrorData | null;
  importing: boolean;
  importError: ErrorData | null;
  /** Example.row of the selected example. */
  row: number | null;
  view: TokenView | null;
  viewError: ErrorData | null;
  open: (section: DatasetSection) => Promise<void>;
  tokenize: (recipe: Recipe) => Promise<void>;
  forgetTokens: () => void;
  importFile: (file: File) => Promise<string | null>;
  selectRow: (row: number | null) => void;
  look: (recipe: Recipe) => Promise<void>;
  /** The open dataset's file has been written, and this is what it holds now. */
  changed: (dataset: ParsedDataset) => void;
}

/** What was found while reading the file, then while tokenising its examples. */
export const problemsOf = ({ dataset, tokens }: Pick<DataState, 'dataset' | 'tokens'>): DataProblem[] => [
  ...(dataset?.problems ?? []),
  ...(tokens?.problems ?? []),
];

const noTokens = { tokens: null, tokenError: null, tokenizing: false, view: null, viewError: null };

const opening = latestOnly();
/** Numbers the files that were opened: an older one says nothing more. */
let openings = 0;
const tokenizing = latestOnly();
/** Numbers the attempts to tokenise: an older one says nothing more. */
let attempt = 0;
const viewing = latestOnly();

export const useData = create<DataState>()((set, get) => ({
  status: 'idle',
  source: null,
  dataset: null,
  error: null,
  reading: null,
  tokenizing: false,
  tokenized: 0,
  tokens: null,
  tokenError: null,
  importing: false,
  importError: null,
  row: null,
  view: null,
  viewError: null,

  async open(section) {
    const fresh = get().source !== section.source;
    tokenizing.cancel();
    viewing.cancel();
    // In one step: listeners must never see the old dataset as ready but without tokens.
    set({
      ...noTokens,
      status: 'opening',
      source: section.source,
      error: null,
      reading: null,
      ...(fresh ? { dataset: null, row: null } : {}),
    });
    const mine = ++openings;
    const onProgress = (reading: ReadingProgress) => {
      if (mine === openings) set({ reading });
    };
    const result = await opening.run(() => getSession().openDataset(section, { onProgress }));
    if (!result) return;
    set({ reading: null });
    if ('value' in result) {
      const dataset = result.value;
      const row = dataset.examples.some((example) => example.row === get().row)
        ? get().row
        : (dataset.examples[0]?.row ?? null);
      set({ status: 'ready', dataset, row });
    } else {
      const error = toErrorData(result.error, 'The dataset could not be opened.', 'Try another file.');
      set({ status: 'failed', dataset: null, row: null, error });
    }
  },

  async tokenize(recipe) {
    set({ tokenizing: true, tokenized: 0, tokenError: null });
    const mine = ++attempt;
    // In whole percents: each of them draws the page.
    const onProgress = (done: number, total: number) => {
      const tokenized = Math.floor((100 * done) / total) / 100;
      if (mine === attempt && tokenized !== get().tokenized) set({ tokenized });
    };
    const result = await tokenizing.run(() => getSession().tokenize(recipe, onProgress));
    if (!result) return;
    if ('value' in result) set({ tokenizing: false, tokens: result.value });
    else {
      const tokenError = toErrorData(result.error, 'The examples could not be tokenised.');
      set({ tokenizing: false, tokens: null, tokenError });
    }
  },

  forgetTokens() {
    tokenizing.cancel();
    viewing.cancel();
    set(noTokens);
  },

  async importFile(file) {
    set({ importing: true, importError: null });
    try {
      return await getSession().importDataset(file);
    } catch (cause) {
      set({ importError: toErrorData(cause, `${file.name} could not be read.`) });
      return null;
    } finally {
      set({ importing: false });
    }
  },

  selectRow: (row) => set({ row }),

  async look(recipe) {
    const { row } = get();
    if (row === null) {
      viewing.cancel();
      set({ view: null, viewError: null });
      return;
    }
    const result = await viewing.run(() => getSession().viewTokens(recipe, row));
    if (!result) return;
    if ('value' in result) set({ view: result.value, viewError: null });
    else set({ view: null, viewError: toErrorData(result.error, 'The tokens of this example cannot be shown.') });
  },

  changed(dataset) {
    tokenizing.cancel();
    viewing.cancel();
    const row = dataset.examples.some((example) => example.row === get().row)
      ? get().row
      : (dataset.examples[0]?.row ?? null);
    set({ ...noTokens, dataset, row, importError: null });
  },
}));
