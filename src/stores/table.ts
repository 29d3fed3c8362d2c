/** Which examples the table shows, and in which order. Worked out in slices, so that the page stays free however many there are. */
import { create } from 'zustand';
import { useData } from './data';
import { type Balance, type Query, type Shown, showExamples, TableStopped } from './table-view';

export type { Balance, Query };

export const everything: Query = {
  text: '',
  finding: null,
  label: null,
  side: null,
  sample: null,
  sort: 'row',
  down: false,
};

interface TableState extends Shown {
  query: Query;
  /** Share of the work that is done; null when nothing is being worked out. */
  progress: number | null;
  ask: (change: Partial<Query>, rowsOfFinding?: readonly number[]) => void;
  /** Stops the work and shows every example again. */
  cancel: () => void;
}

const nothing: Shown = { order: null, balance: null, spaced: [], tokens: null };

let controller: AbortController | null = null;
/** The rows of the finding that is asked for. */
let findingRows: readonly number[] = [];

export const useTable = create<TableState>()((set, get) => ({
  ...nothing,
  query: everything,
  progress: null,

  ask(change, rowsOfFinding) {
    if (rowsOfFinding) findingRows = rowsOfFinding;
    set({ query: { ...get().query, ...change } });
    void work();
  },

  cancel() {
    controller?.abort();
    controller = null;
    set({ query: everything, order: null, tokens: null, progress: null });
  },
}));

async function work(): Promise<void> {
  controller?.abort();
  const mine = new AbortController();
  controller = mine;
  const { dataset, tokens } = useData.getState();
  if (!dataset) return useTable.setState({ ...nothing, progress: null });
  const { query } = useTable.getState();
  useTable.setState({ progress: 0 });
  const onProgress = (share: number) => {
    if (controller === mine) useTable.setState({ progress: share });
  };
  try {
    const facts = { byExample: tokens?.byExample ?? null, findingRows };
    const shown = await showExamples(dataset, query, facts, { onProgress, signal: mine.signal });
    if (controller === mine) useTable.setState({ ...shown, progress: null });
  } catch (cause) {
    if (!(cause instanceof TableStopped)) throw cause;
  }
}

// Rows that an edit takes away must not be shown for a moment, and another dataset is shown whole.
useData.subscribe((state, before) => {
  const { query } = useTable.getState();
  if (state.source !== before.source) {
    findingRows = [];
    useTable.setState({ ...nothing, query: everything });
  }
  if (state.dataset !== before.dataset) {
    // What was found before an edit is not known of the rows after it.
    useTable.setState({ ...nothing, query: { ...useTable.getState().query, finding: null } });
    void work();
  } else if (state.tokens !== before.tokens && state.tokens && (query.sort === 'tokens' || query.side !== null)) {
    void work();
  }
});
if (useData.getState().dataset) void work();
