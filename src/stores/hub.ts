/** The Hugging Face Hub on the Model page: the curated shelf, a search, and the details of one model. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { HubHit, HubModel, HubSettings, ShelfModel } from '../hub/descriptions';
import { HUB } from '../hub/hub-id';
import { toErrorData } from './errors';
import { latestOnly } from './latest';
import { usePreferences } from './preferences';
import { getSession } from './session';

interface HubState {
  shelf: ShelfModel[];
  /** Why the shelf is empty, if it is. */
  shelfError: ErrorData | null;
  settings: HubSettings;
  settingsError: ErrorData | null;
  query: string;
  /** The last search; null before the first. */
  searched: string | null;
  searching: boolean;
  hits: HubHit[];
  searchError: ErrorData | null;
  /** The name or address whose details are open, if any. */
  looking: string | null;
  model: HubModel | null;
  modelError: ErrorData | null;
  loadShelf: () => Promise<void>;
  /** Restores the address chosen on an earlier visit. */
  recall: () => Promise<void>;
  setSettings: (settings: HubSettings) => Promise<boolean>;
  setQuery: (query: string) => void;
  /** Searches; for a model's name or address it opens the details instead. */
  find: () => Promise<void>;
  clearSearch: () => void;
  look: (nameOrUrl: string) => Promise<void>;
  closeLook: () => void;
}

const shelving = latestOnly();
let shelfTurn = 0;

/** Cards keep their known plans until new ones arrive. */
function withPlans(fresh: ShelfModel[], before: ShelfModel[]): ShelfModel[] {
  return fresh.map((card) => {
    const known = before.find(({ source }) => source === card.source);
    return card.precisions.length > 0 || !known ? card : { ...card, precisions: known.precisions };
  });
}

const searching = latestOnly();
const looking = latestOnly();
let searchAbort: AbortController | null = null;
let lookAbort: AbortController | null = null;

/** `org/name`, `hf:…` or an address, rather than words to search for. */
export function isModelName(text: string): boolean {
  return /^(hf:|https?:\/\/)\S+$/.test(text) || /^[\w.-]+\/[\w.-]+(@[\w./-]+)?$/.test(text);
}

/** Whether a source is the model of a card, at any commit. A GGUF file of the repository is another model. */
export function isModelOf(source: string, card: string): boolean {
  return source === card || (source.startsWith(`${card}@`) && !source.toLowerCase().endsWith('.gguf'));
}

export const useHub = create<HubState>()((set, get) => ({
  shelf: [],
  shelfError: null,
  settings: { endpoint: HUB, token: null },
  settingsError: null,
  query: '',
  searched: null,
  searching: false,
  hits: [],
  searchError: null,
  looking: null,
  model: null,
  modelError: null,

  async loadShelf() {
    const turn = ++shelfTurn;
    const result = await shelving.run(() => getSession().shelf((shelf) => turn === shelfTurn && set({ shelf })));
    if (!result) return;
    if ('value' in result) set({ shelf: withPlans(result.value, get().shelf), shelfError: null });
    else set({ shelfError: toErrorData(result.error, 'The list of models could not be read.', 'Reload the page.') });
  },

  async recall() {
    const session = getSession();
    const settings = { ...session.hubSettings(), endpoint: usePreferences.getState().hubEndpoint };
    try {
      await session.setHubSettings(settings);
    } catch {
      // The stored address has been edited into an invalid one: use the Hub's own.
    }
    set({ settings: session.hubSettings() });
  },

  async setSettings(settings) {
    try {
      await getSession().setHubSettings(settings);
    } catch (cause) {
      set({ settingsError: toErrorData(cause, 'These settings cannot be used.') });
      return false;
    }
    // As normalised by the session, e.g. without a trailing slash.
    const normalised = getSession().hubSettings();
    usePreferences.getState().set({ hubEndpoint: normalised.endpoint });
    set({ settings: normalised, settingsError: null });
    // The token may give access to a model that was hidden before.
    const { looking: name } = get();
    if (name !== null) void get().look(name);
    return true;
  },

  setQuery: (query) => set({ query }),

  async find() {
    const query = get().query.trim();
    if (query === '') return;
    if (isModelName(query)) {
      searching.cancel();
      set({ searched: null, searching: false, hits: [], searchError: null });
      return get().look(query);
    }
    searchAbort?.abort();
    const abort = new AbortController();
    searchAbort = abort;
    set({ searching: true, searched: query, searchError: null });
    const result = await searching.run(() => getSession().searchHub(query, abort.signal));
    if (!result) return;
    if ('value' in result) set({ searching: false, hits: result.value });
    else {
      const searchError = toErrorData(result.error, 'The search failed.', 'Try again in a moment.');
      set({ searching: false, hits: [], searchError });
    }
  },

  clearSearch() {
    searchAbort?.abort();
    searching.cancel();
    set({ query: '', searched: null, searching: false, hits: [], searchError: null });
  },

  async look(nameOrUrl) {
    lookAbort?.abort();
    const abort = new AbortController();
    lookAbort = abort;
    set({ looking: nameOrUrl, model: null, modelError: null });
    const result = await looking.run(() => getSession().describeModel(nameOrUrl, abort.signal));
    if (!result) return;
    if ('value' in result) set({ model: result.value });
    else set({ modelError: toErrorData(result.error, `${nameOrUrl} could not be looked up.`, 'Try again.') });
  },

  closeLook() {
    lookAbort?.abort();
    looking.cancel();
    set({ looking: null, model: null, modelError: null });
  },
}));
