/** What a new run is called, so that a list of runs is never the same line over and over. */
import { methodOf } from '../methods';
import { nameOfSource } from '../recipe/defaults';
import type { Recipe } from '../recipe/types';

/** As long as the name of a recipe may be. */
const LONGEST = 100;

/**
 * `pirate-chat LoRA r16`, or the name that a person gave the recipe; `pirate-chat LoRA r16 · 2` if a run is called that
 * already.
 */
export function runName({ name, dataset, method, model }: Recipe, taken: ReadonlySet<string>): string {
  const given = name !== nameOfSource(dataset.source);
  const summary = methodOf(method).summary(method, model.quantization !== 'none');
  // In the middle of a name only abbreviations begin with a capital letter.
  const how = summary.replace(/^[A-Z](?=[a-z]+[ -])/, (letter) => letter.toLowerCase());
  const base = given ? name : `${name} ${how}`;
  for (let n = 1; ; n++) {
    const ending = n === 1 ? '' : ` · ${n}`;
    const found = base.slice(0, LONGEST - ending.length).trim() + ending;
    if (!taken.has(found)) return found;
  }
}
