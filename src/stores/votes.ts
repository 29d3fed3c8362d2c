/**
 * "Which is better?": two answers of the models on Compare to one prompt, a verdict, and the next pair. A person does not see which
 * model wrote which answer, and the sides are drawn. While one pair is read the next one is written.
 */
import { create } from 'zustand';
import { type ErrorData, TabtuneError } from '../base/errors';
import { Stream, uniform } from '../base/random';
import type { Contestant, KeptPrompt, ModelId, Verdict, Vote } from '../session/comparison-types';
import { useCompare, whileWorking } from './compare';
import { knownModels, modelOf, subjectOf } from './compared';
import { modelsOf, useComparing } from './comparing';
import { isCancelled, toErrorData } from './errors';
import { useMeasures } from './measures';
import { useModel } from './model';
import { HELD_OUT, promptsOf, usePromptSets } from './prompt-sets';
import { useRecipe } from './recipe';
import { getSession } from './session';
import { useTraining } from './training';

/** What answers: two models, or one model twice. */
export interface Contest {
  a: ModelId;
  b: ModelId;
}

export interface VotedPair {
  prompt: KeptPrompt;
  a: Contestant;
  b: Contestant;
  /** The answer of `b` is shown first. */
  swapped: boolean;
}

interface VotesState {
  votes: Vote[];
  known: boolean;
  error: ErrorData | null;
  /** Null: the first of `contestsOf`. */
  contest: Contest | null;
  temperatures: [number, number];
  /** The pair that waits for a verdict. */
  pair: VotedPair | null;
  /** Asking for verdicts. `writing`: the next pair is not there yet. */
  phase: 'off' | 'writing' | 'voting';
  /** Pairs that were not shown because both answers were the same. */
  same: number;
  load: () => Promise<void>;
  setContest: (contest: Contest) => void;
  setTemperature: (side: 0 | 1, temperature: number) => void;
  start: () => void;
  stop: () => void;
  vote: (verdict: Verdict) => void;
  skip: () => void;
  /** Whether there is a vote of this round to take back. */
  undoable: boolean;
  /** Takes back the last vote of this round, and shows its pair again. */
  undo: () => void;
  /** Votes are named by their time. */
  change: (at: number, verdict: Verdict) => void;
  remove: (at: number) => void;
  clear: () => void;
}

/** Answers are compared as a person reads them. */
const MOST_TOKENS = 64;
const TOP_P = 0.95;
/** Two samples of a model that is sure of itself are often the same. */
const MOST_TRIES = 4;

let abort: AbortController | null = null;
/** The pair that is being written while another one is read. */
let next: Promise<VotedPair | null> | null = null;
/** Pairs so far: each has seeds of its own. */
let drawn = 0;
/** The votes of this round, to be taken back. */
let before: { pair: VotedPair; at: number }[] = [];

/** The contests that the columns allow: every two models, and each model against itself. */
export function contestsOf(models: readonly ModelId[]): Contest[] {
  const distinct = [...new Set(models)];
  const others = distinct.flatMap((a, i) => distinct.slice(i + 1).map((b): Contest => ({ a, b })));
  // What was trained is what a person wants to improve.
  const itself = [...distinct].reverse().map((a): Contest => ({ a, b: a }));
  return [...itself, ...others];
}

export const keyOf = ({ a, b }: Contest): string => `${a} ${b}`;

export function contestOf({ contest }: Pick<VotesState, 'contest'>, models: readonly ModelId[]): Contest {
  const possible = contestsOf(models);
  return possible.find((one) => contest !== null && keyOf(one) === keyOf(contest)) ?? possible[0]!;
}

/** How often each model was the better one, and in how many verdicts it took part. Only pairs of different models count. */
export function standings(votes: readonly Vote[]): { name: string; won: number; of: number }[] {
  const found = new Map<string, { name: string; won: number; of: number }>();
  for (const { a, b, verdict } of votes) {
    if (a.model === b.model) continue;
    for (const [side, one] of [
      ['a', a],
      ['b', b],
    ] as const) {
      const own = found.get(one.model) ?? { name: one.name, won: 0, of: 0 };
      found.set(one.model, { name: one.name, won: own.won + (verdict === side ? 1 : 0), of: own.of + 1 });
    }
  }
  return [...found.values()];
}

export const useVotes = create<VotesState>()((set, get) => {
  let saving: Promise<void> = Promise.resolve();
  /**
   * Changes the votes on the screen, and then those that are stored, whatever another tab has added meanwhile. One after the other;
   * if what is stored cannot be read, nothing is written.
   */
  const edit = (change: (votes: Vote[]) => Vote[]) => {
    set(({ votes }) => ({ votes: change(votes) }));
    const work = async () => {
      const comparison = await getSession().comparison();
      await comparison.saveVotes(change(await comparison.votes()));
    };
    saving = saving.then(async () => {
      try {
        const locks = globalThis.navigator?.locks;
        await (locks ? locks.request('tabtune-votes', work) : work());
      } catch (cause) {
        set({ error: toErrorData(cause, 'The votes could not be saved.') });
      }
    });
  };

  async function writePair(signal: AbortSignal): Promise<VotedPair | null> {
    const { temperatures } = get();
    const { seed, strength } = useComparing.getState();
    const models = modelsOf(useComparing.getState());
    const contest = contestOf(get(), models);
    const prompts = await promptsToAsk();
    for (let attempt = 0; attempt < MOST_TRIES && !signal.aborted; attempt++) {
      const number = drawn++;
      const prompt = prompts[number % prompts.length]!;
      const one = (model: ModelId, side: 0 | 1): Contestant => ({
        model,
        name: modelOf(model, knownModels()).name ?? 'Base',
        temperature: temperatures[side],
        // Other numbers for each pair and side, so that one model gives two answers.
        seed: seed + 2 * number + side,
        text: '',
      });
      const sides = [one(contest.a, 0), one(contest.b, 1)] as const;
      const comparison = await getSession().comparison();
      const { answers } = await comparison.answer(
        sides.map(({ model, temperature, seed: own }) => ({
          ...{ model, strength: model === 'base' ? 0 : strength },
          sampling: { temperature, topP: TOP_P, seed: own },
        })),
        prompt,
        { maxNewTokens: MOST_TOKENS, temperature: 0, topP: TOP_P, seed },
        () => {},
        signal,
      );
      if (signal.aborted) return null;
      const failed = answers.find(({ error }) => error)?.error;
      if (failed) throw TabtuneError.fromData(failed);
      const [a, b] = sides.map((side, i) => ({ ...side, text: answers[i]!.text.trim() })) as [Contestant, Contestant];
      if (a.text === b.text) {
        set(({ same }) => ({ same: same + 1 }));
        continue;
      }
      return { prompt, a, b, swapped: uniform(seed, Stream.sample, number, 1) < 0.5 };
    }
    if (signal.aborted) return null;
    throw new TabtuneError({
      code: 'bad_recipe',
      message: `Both answers were the same for ${MOST_TRIES} prompts in a row, so there is nothing to choose between.`,
      action: 'Raise a temperature, or let two different models answer.',
    });
  }

  /** Shows the next pair as soon as it is written, and begins the one after it. */
  async function advance(): Promise<void> {
    const controller = abort;
    if (!controller) return;
    set({ pair: null, phase: 'writing' });
    try {
      await whileWorking(async () => {
        const pair = await (next ?? writePair(controller.signal));
        if (controller.signal.aborted || !pair) return;
        // A vote was taken back meanwhile: its pair is shown, and this one comes after it.
        if (get().pair) next = Promise.resolve(pair);
        else {
          set({ pair, phase: 'voting' });
          next = null;
        }
      });
      if (controller.signal.aborted || next) return;
      const { signal } = controller;
      next = new Promise((done, fail) => {
        whileWorking(async () => done(await writePair(signal))).catch(fail);
      });
      // Whoever waits for it sees what is wrong with it.
      next.catch(() => {});
    } catch (cause) {
      if (abort !== controller) return;
      get().stop();
      if (!isCancelled(cause)) set({ error: toErrorData(cause, 'The models could not answer.') });
    }
  }

  return {
    votes: [],
    known: false,
    error: null,
    contest: null,
    temperatures: [0.8, 0.8],
    pair: null,
    phase: 'off',
    same: 0,
    undoable: false,

    async load() {
      if (get().known) return;
      try {
        set({ votes: await (await getSession().comparison()).votes(), known: true });
      } catch (cause) {
        set({ error: toErrorData(cause, 'The votes could not be read.') });
      }
    },

    setContest(contest) {
      get().stop();
      set({ contest });
    },

    setTemperature(side, temperature) {
      get().stop();
      set(({ temperatures: [first, second] }) => ({
        temperatures: side === 0 ? [temperature, second] : [first, temperature],
      }));
    },

    start() {
      get().stop();
      abort = new AbortController();
      // Pairs that were skipped or voted on before do not come again: their numbers are in their seeds.
      const { seed } = useComparing.getState();
      drawn = Math.max(drawn, ...get().votes.map(({ a }) => Math.floor((a.seed - seed) / 2) + 1));
      before = [];
      useMeasures.getState().interrupt();
      set({ error: null, same: 0, undoable: false });
      void advance();
    },

    stop() {
      abort?.abort();
      abort = null;
      next = null;
      set({ pair: null, phase: 'off', undoable: false });
    },

    vote(verdict) {
      const { pair } = get();
      if (!pair) return;
      const { prompt, a, b } = pair;
      const { text, system } = prompt;
      const vote: Vote = { prompt: { text, ...(system ? { system } : {}) }, a, b, verdict, at: Date.now() };
      before.push({ pair, at: vote.at });
      edit((votes) => [...votes, vote]);
      set({ undoable: true });
      void advance();
    },

    skip() {
      if (get().pair) void advance();
    },

    undo() {
      const last = before.pop();
      const { pair: shown } = get();
      if (!last || !abort) return;
      edit((votes) => votes.filter(({ at }) => at !== last.at));
      set({ pair: last.pair, phase: 'voting', undoable: before.length > 0 });
      // The pair that was being read comes after it again.
      if (shown) next = Promise.resolve(shown);
    },

    change: (at, verdict) => edit((votes) => votes.map((vote) => (vote.at === at ? { ...vote, verdict } : vote))),
    remove(at) {
      edit((votes) => votes.filter((vote) => vote.at !== at));
      before = before.filter((one) => one.at !== at);
      set({ undoable: before.length > 0 });
    },

    clear() {
      edit(() => []);
      before = [];
      set({ undoable: false });
    },
  };
});

/**
 * The prompts of the chosen set; else those of the data. Votes will be trained on, so what is held out stays out, as a fair test of
 * the result, unless the data have nothing else.
 */
async function promptsToAsk(): Promise<KeptPrompt[]> {
  const { chosen, sets } = usePromptSets.getState();
  if (chosen !== HELD_OUT) {
    const own = promptsOf({ chosen, sets });
    if (own.length > 0) return own;
  }
  const comparison = await getSession().comparison();
  const { of, others } = subjectOf(modelsOf(useComparing.getState())) ?? {
    of: { recipe: useRecipe.getState().recipe },
    others: [],
  };
  const { heldOut, trained } = await comparison.split(of, others);
  if (trained.length > 0) return trained;
  if (heldOut.length > 0) return heldOut;
  throw new TabtuneError({
    code: 'bad_data',
    message: 'The data have no prompts that a model could answer.',
    action: 'Choose data with prompts, or write a set of prompts below.',
  });
}

// A run needs the GPU, and other columns answer differently.
useTraining.subscribe(({ phase }, before) => {
  if (phase !== before.phase && phase !== 'idle') useVotes.getState().stop();
});
useComparing.subscribe(({ chosen }, before) => {
  if (chosen !== before.chosen) useVotes.getState().stop();
});
useCompare.subscribe(({ adapter }, before) => {
  if (adapter !== before.adapter) useVotes.getState().stop();
});
useModel.subscribe(({ info }, { info: last }) => {
  if (info !== last) useVotes.getState().stop();
});
