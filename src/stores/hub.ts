/** The Hugging Face Hub on the Model page: the curated shelf, a search, and the details of one model. */
import { create } from 'zustand';
import { type ErrorData, TabtuneError } from '../base/errors';
import type { HubHit, HubModel, HubSettings, Quantization, ShelfModel } from '../hub/descriptions';
import { checkEndpoint } from '../hub/hub-endpoint';
import { HUB } from '../hub/hub-id';
import { toErrorData } from './errors';
import { changeHub, chosenHub, mayAsk, tokenAsked } from './hub-choice';
import { latestOnly } from './latest';
import { usePreferences } from './preferences';
import { useScreen } from './screen';
import { getSession } from './session';
import { runActive, useTraining } from './training';

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
  /** The precision that it was advised in; null leaves it to the memory of the GPU. */
  advised: Quantization | null;
  model: HubModel | null;
  modelError: ErrorData | null;
  loadShelf: () => Promise<void>;
  /** Tells the session which Hub this tab has chosen. */
  recall: () => Promise<void>;
  /** False if they cannot be used, or if the page has to reload first: see `elsewhere`. */
  setSettings: (settings: HubSettings) => Promise<boolean>;
  /** Settings of a Hub that this page may not ask until it reloads with it. */
  elsewhere: HubSettings | null;
  goElsewhere: () => void;
  stayHere: () => void;
  setQuery: (query: string) => void;
  /** Searches; for a model's name or address it opens the details instead. */
  find: () => Promise<void>;
  clearSearch: () => void;
  look: (nameOrUrl: string, advised?: Quantization | null) => Promise<void>;
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

const runInProgress = () =>
  new TabtuneError({
    code: 'internal',
    message: 'A run is in progress, and another Hub needs a reload of the page.',
    action: 'Stop the run, or wait until it ends. Then change the address.',
  });

export const useHub = create<HubState>()((set, get) => ({
  shelf: [],
  shelfError: null,
  settings: { endpoint: HUB, token: null },
  settingsError: null,
  elsewhere: null,
  query: '',
  searched: null,
  searching: false,
  hits: [],
  searchError: null,
  looking: null,
  advised: null,
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
    await session.setHubSettings({ ...session.hubSettings(), endpoint: chosenHub() });
    set({ settings: session.hubSettings() });
    if (tokenAsked()) useScreen.getState().openDialog('hub');
  },

  async setSettings(settings) {
    try {
      const endpoint = checkEndpoint(settings.endpoint);
      if (!mayAsk(endpoint)) {
        if (runActive(useTraining.getState())) throw runInProgress();
        set({ elsewhere: { ...settings, endpoint }, settingsError: null });
        return false;
      }
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
    const { looking: name, advised } = get();
    if (name !== null) void get().look(name, advised);
    return true;
  },

  goElsewhere() {
    const { elsewhere } = get();
    if (!elsewhere) return;
    usePreferences.getState().set({ hubEndpoint: elsewhere.endpoint });
    changeHub(elsewhere.endpoint, elsewhere.token !== null);
  },

  stayHere: () => set({ elsewhere: null }),

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

  async look(nameOrUrl, advised = null) {
    lookAbort?.abort();
    const abort = new AbortController();
    lookAbort = abort;
    set({ looking: nameOrUrl, advised, model: null, modelError: null });
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
