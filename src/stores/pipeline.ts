/**
 * Keeps model, dataset, tokens and forecast in sync with the recipe: each is requested again only when a field that it
 * depends on has changed. Runs outside React, so that it does not depend on the open page.
 */
import { lengthInputs } from '../recipe/length-inputs';
import { readingOf } from '../recipe/sections';
import type { Recipe } from '../recipe/types';
import { useCompare } from './compare';
import { useData } from './data';
import { useExports } from './exports';
import { changesForData } from './goal';
import { useModel } from './model';
import { usePlan } from './plan';
import { useRecipe } from './recipe';
import { useTraining } from './training';

interface Keys {
  model: string;
  data: string;
  tokens: string;
  plan: string;
  view: string;
}

/** In milliseconds. */
const settleAfter = 200;

/** A limit that memory decides changes with all that takes memory. */
const lengthKey = (recipe: Recipe): unknown => (recipe.dataset.max_length === 'auto' ? lengthInputs(recipe) : null);

/** What takes up room in the context besides the texts: the recipe's virtual tokens, or those of the adapter that it continues. */
function roomOf({ method }: Recipe): unknown[] {
  return ['num_virtual_tokens' in method && method.num_virtual_tokens, 'init_adapter' in method && method.init_adapter];
}

function keysOf(recipe: Recipe): Omit<Keys, 'view'> {
  const model = JSON.stringify([recipe.model.source, recipe.model.quantization]);
  const data = JSON.stringify([recipe.dataset.source, readingOf(recipe.dataset)]);
  return {
    model,
    data,
    tokens: JSON.stringify([
      model,
      recipe.dataset,
      recipe.objective,
      recipe.training.seed,
      lengthKey(recipe),
      roomOf(recipe),
    ]),
    plan: JSON.stringify({ ...recipe, name: '' }),
  };
}

/** Returns a function that stops it. */
export function startPipeline(): () => void {
  const done: Partial<Keys> = {};
  let timer: ReturnType<typeof setTimeout> | null = null;
  /** The tokenised dataset: an edit makes a new one under the same keys. */
  let tokenized: unknown = null;

  /** The open data's goal, unless a person has chosen one for them. Says whether the recipe has changed. */
  function followData(): boolean {
    const { recipe, whole, goalChosenFor, follow } = useRecipe.getState();
    const { dataset } = useData.getState();
    const model = useModel.getState().info;
    if (!whole || !dataset || !model || goalChosenFor === recipe.dataset.source) return false;
    const changes = changesForData(recipe, dataset.format, model);
    if (changes) follow(changes);
    return changes !== null;
  }

  function step() {
    const { recipe } = useRecipe.getState();
    // The engine's only model is in use: changes are applied when the run has ended.
    if (useTraining.getState().phase !== 'idle') return;
    const keys = keysOf(recipe);
    if (keys.model !== done.model) {
      done.model = keys.model;
      done.tokens = done.plan = done.view = undefined;
      // First: while the old model still counts as ready, the other steps would request tokens from it.
      void useModel.getState().open(recipe.model);
      useData.getState().forgetTokens();
      usePlan.getState().forget();
      useCompare.getState().forgetAdapter();
      useExports.getState().forget();
    }
    if (keys.data !== done.data) {
      done.data = keys.data;
      done.tokens = done.plan = done.view = undefined;
      usePlan.getState().forget();
      void useData.getState().open(recipe.dataset);
    }
    const data = useData.getState();
    if (useModel.getState().status !== 'ready' || data.status !== 'ready' || !data.dataset) return;
    // Then the change of the recipe comes back here.
    if (followData()) return;
    if (data.dataset !== tokenized || keys.tokens !== done.tokens) {
      tokenized = data.dataset;
      done.tokens = keys.tokens;
      done.plan = done.view = undefined;
      void data.tokenize(recipe);
    }
    if (!useData.getState().tokens) return;
    if (keys.plan !== done.plan) {
      done.plan = keys.plan;
      void usePlan.getState().update(recipe);
    }
    const view = JSON.stringify([keys.tokens, data.row]);
    if (view !== done.view) {
      done.view = view;
      void data.look(recipe);
    }
  }
  function soon() {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(step, settleAfter);
  }

  const unsubscribe = [
    useRecipe.subscribe((state, before) => {
      if (state.recipe === before.recipe) return;
      // A new source comes from a click and is applied at once; sliders and typing send many changes.
      const { dataset } = state.recipe;
      const otherModel = keysOf(state.recipe).model !== keysOf(before.recipe).model;
      if (otherModel || dataset.source !== before.recipe.dataset.source) step();
      else soon();
    }),
    useModel.subscribe((state, before) => state.status !== before.status && step()),
    useData.subscribe((state, before) => {
      if (state.status !== before.status || state.dataset !== before.dataset || state.tokens !== before.tokens) step();
      else if (state.row !== before.row) soon();
    }),
    useTraining.subscribe((state, before) => {
      if (state.phase === before.phase || state.phase !== 'idle') return;
      // The run has measured the time of a step, which changes the forecast.
      done.plan = undefined;
      step();
    }),
  ];
  step();
  return () => {
    if (timer !== null) clearTimeout(timer);
    for (const stop of unsubscribe) stop();
  };
}
