/**
 * Regular expressions as Python's `re` reads them, matched in time linear in pattern times text: PEFT's patterns also come
 * from strangers' files, where JavaScript's own matcher may backtrack for ever. A pattern becomes states, and a search visits
 * each state at each position of the text once. What that cannot do (backreferences, atomic groups, conditions) is refused.
 */

import { type Assertion, isWord, type Node, PatternError, PatternParser, type Test } from './python-regex-parser';

/** States of one pattern; counted repetitions are written out. */
const MOST_STATES = 5000;
/** Of a text; module paths have a hundred characters. */
const LONGEST_TEXT = 500;
/** Of one search. Only looks ahead and behind, which search anew at each position, come near. */
const MOST_VISITS = 4_000_000;
const SET_COST = 5;

type State =
  | { kind: 'char'; test: Test; next: number }
  | { kind: 'split'; next: number[] }
  | { kind: 'assert'; what: Assertion; next: number }
  | { kind: 'look'; body: number; behind: number | null; negated: boolean; next: number }
  | { kind: 'match' };

/** Writes a node's states, which lead to `next`; returns the first one. */
function emit(states: State[], node: Node, next: number): number {
  const add = (state: State): number => {
    if (states.length >= MOST_STATES) throw new PatternError('its repetitions are too large');
    return states.push(state) - 1;
  };
  switch (node.kind) {
    case 'char':
      return add({ kind: 'char', test: node.test, next });
    case 'assert':
      return add({ kind: 'assert', what: node.what, next });
    case 'sequence':
      return node.parts.reduceRight((after, part) => emit(states, part, after), next);
    case 'choice':
      return add({ kind: 'split', next: node.parts.map((part) => emit(states, part, next)) });
    case 'look': {
      const body = emit(states, node.body, add({ kind: 'match' }));
      return add({ kind: 'look', body, behind: node.behind, negated: node.negated, next });
    }
    case 'repeat': {
      const { body, min, max } = node;
      let after = next;
      if (max === Number.POSITIVE_INFINITY) {
        const loop: State = { kind: 'split', next: [next] };
        after = add(loop);
        loop.next.push(emit(states, body, after));
      } else {
        for (let i = min; i < max; i++) after = add({ kind: 'split', next: [next, emit(states, body, after)] });
      }
      for (let i = 0; i < min; i++) {
        // A body without states adds none, however often it is written out.
        const first = emit(states, body, after);
        if (first === after) break;
        after = first;
      }
      return after;
    }
  }
}

export interface PythonRegex {
  /** Whether the pattern matches from the start of the text, as `re.match` does. `spend` is told how many states were visited. */
  matchesStart(text: string, spend?: (visits: number) => void): boolean;
}

/** Throws a PatternError. */
export function compilePython(source: string): PythonRegex {
  const states: State[] = [{ kind: 'match' }];
  const start = emit(states, new PatternParser(source).parse(), 0);
  return {
    matchesStart(text, spend) {
      const chars = [...text];
      if (chars.length > LONGEST_TEXT) {
        throw new PatternError(`it would have to be matched with a name of ${chars.length} characters`);
      }
      const search = new Search(states, chars);
      const found = search.reaches(start, 0, null);
      spend?.(search.visits);
      return found;
    },
  };
}

/** A set of numbers below `size`. */
class Places {
  private readonly few: Set<number> | null;
  private readonly all: Uint8Array;

  constructor(size: number, sparse: boolean) {
    this.few = sparse ? new Set() : null;
    this.all = new Uint8Array(sparse ? 0 : size);
  }

  /** False if it is there already. */
  add(place: number): boolean {
    if (this.few) return this.few.size < this.few.add(place).size;
    if (this.all[place]) return false;
    this.all[place] = 1;
    return true;
  }
}

class Search {
  visits = 0;
  private readonly looks = new Map<number, boolean>();

  constructor(
    private readonly states: State[],
    private readonly chars: string[],
  ) {}

  /** Whether a match can be reached from a state at a position; if `end` is given, one that ends there. */
  reaches(start: number, from: number, end: number | null): boolean {
    const width = this.chars.length + 1;
    // A look ahead or behind usually visits few; a set is slower than an array.
    const sparse = this.visits > 0;
    const seen = new Places(this.states.length * width, sparse);
    const open: number[] = [start * width + from];
    while (open.length > 0) {
      const place = open.pop()!;
      if (!seen.add(place)) continue;
      this.visits += sparse ? SET_COST : 1;
      if (this.visits > MOST_VISITS) throw new PatternError('matching it takes too long');
      const at = place % width;
      const index = (place - at) / width;
      const state = this.states[index]!;
      switch (state.kind) {
        case 'match':
          if (end === null || at === end) return true;
          break;
        case 'char':
          if (at < this.chars.length && state.test(this.chars[at]!)) open.push(state.next * width + at + 1);
          break;
        case 'split':
          for (const next of state.next) open.push(next * width + at);
          break;
        case 'assert':
          if (this.holds(state.what, at)) open.push(state.next * width + at);
          break;
        case 'look':
          if (this.looked(state, place, at) !== state.negated) open.push(state.next * width + at);
          break;
      }
    }
    return false;
  }

  private looked({ body, behind }: Extract<State, { kind: 'look' }>, place: number, at: number): boolean {
    const known = this.looks.get(place);
    if (known !== undefined) return known;
    const from = behind === null ? at : at - behind;
    const found = from >= 0 && this.reaches(body, from, behind === null ? null : at);
    this.looks.set(place, found);
    return found;
  }

  private holds(what: Assertion, at: number): boolean {
    const { chars } = this;
    const last = chars.length;
    const word = (i: number) => i >= 0 && i < last && isWord(chars[i]!);
    switch (what) {
      case 'start':
        return at === 0;
      case 'line_start':
        return at === 0 || chars[at - 1] === '\n';
      case 'text_end':
        return at === last;
      case 'end':
        return at === last || (at === last - 1 && chars[at] === '\n');
      case 'line_end':
        return at === last || chars[at] === '\n';
      case 'word':
        return word(at - 1) !== word(at);
      case 'not_word':
        // Python before 3.14 finds none in an empty text.
        return last > 0 && word(at - 1) === word(at);
    }
  }
}
