/**
 * Passes as objectives see them: the policy on the tape, the reference off it, and inputs that do not overwrite each
 * other.
 */
import { floatInput, int32Input } from '../kernels/inputs';
import { withoutTape } from '../kernels/tape';
import { inference, type Method } from '../methods/method';
import { type MakeFloats, type MakeInput, textInput } from '../models/input';
import type { LanguageModel } from '../models/model';
import type { AnswerToScore, Draw, Objective, Pass, Scores, ShownRollout, View } from '../objectives/objective';
import type { Hooks } from '../types';
import { forwardOnly } from './checkpointing';
import type { Side } from './value-model';

/** What the passes of a run have in common. */
export interface PassSetup {
  model: LanguageModel;
  method: Method | null;
  objective: Objective;
  /** The adapter as it was loaded, if the run continues one; otherwise the reference is the base. */
  reference?: Method | null;
  /** The value model, if the objective trains one. */
  value?: Side | null;
  /** Whoever scores answers and shows them; left out where no objective asks. */
  outside?: Outside;
  /** The tokens that end an answer, and the one that fills rows; left out where no objective answers prompts. */
  tokens?: SpecialTokens;
}

export interface SpecialTokens {
  stop: readonly number[];
  pad: number;
}

/** What a run asks of the page, which has the rewards and the text of tokens. */
export interface Outside {
  score(answers: readonly AnswerToScore[]): Promise<Scores>;
  show(step: number, rollouts: readonly ShownRollout[]): void;
}

export interface PassOptions {
  /** The policy's. */
  hooks: Hooks;
  /** The value model's, in training; outside it, those of inference. */
  valueHooks?: Hooks;
  scale: number;
  withGradient: boolean;
  smoothing?: number;
  draw?: Draw;
}

/**
 * int32Input overwrites the last input of the same use and shape, which a backward pass may still need: from the second
 * on, the uses of a pass are numbered.
 */
function numberedInputs(): Makers {
  const counts = new Map<string, number>();
  const numbered = (use: string): string => {
    const count = (counts.get(use) ?? 0) + 1;
    counts.set(use, count);
    return count === 1 ? use : `${use} ${count}`;
  };
  return {
    ints: (use, values, shape) => int32Input(numbered(use), values, shape),
    floats: (use, values, shape) => floatInput(numbered(use), values, shape),
  };
}

interface Makers {
  ints: MakeInput;
  floats: MakeFloats;
}

/** The same, for another side of the pass. */
const named = ({ ints, floats }: Makers, side: string): Makers => ({
  ints: (use, values, shape) => ints(`${side} ${use}`, values, shape),
  floats: (use, values, shape) => floats(`${side} ${use}`, values, shape),
});

function recordedView(model: LanguageModel, hooks: Hooks, make: Makers): View {
  return {
    model,
    hooks,
    hidden: (rows, states) => model.hidden(textInput(model, rows, { states, make: make.ints }), hooks),
    ...make,
    run: (compute) => compute(),
  };
}

/** A side without gradients; `use` keeps its inputs separate from the policy's. */
export function unrecordedView(model: LanguageModel, given: Hooks, use: string): View {
  const hooks = forwardOnly(given);
  const make = named({ ints: int32Input, floats: floatInput }, use);
  const run: View['run'] = (compute) => withoutTape(compute);
  return {
    model,
    hooks,
    hidden: (rows, states) => run(() => model.hidden(textInput(model, rows, { states, make: make.ints }), hooks)),
    ...make,
    run,
  };
}

/** The model that the policy is compared with. */
export function referenceView({ model, method, objective, reference }: PassSetup): View {
  if (!objective.usesReference) throw new Error('An objective that calls reference() must set usesReference.');
  // At strength 0 every method is the base: those that train its weights train copies of them.
  const hooks = reference ? reference.hooks(inference()) : (method?.hooks(inference(0)) ?? {});
  return unrecordedView(model, hooks, 'reference');
}

const valueSide = ({ value }: PassSetup) => {
  if (!value) throw new Error('An objective that calls value() must set usesValue.');
  return value;
};

/** The model that predicts rewards, outside training. */
export function valueView(setup: PassSetup): View {
  const { model, method } = valueSide(setup);
  return unrecordedView(model, method.hooks(inference()), 'value');
}

export function createPass(setup: PassSetup, options: PassOptions): Pass {
  const { hooks, valueHooks, withGradient, smoothing = 0, draw = { seed: 0, pass: 0 } } = options;
  const numbered = numberedInputs();
  return {
    policy: recordedView(setup.model, hooks, numbered),
    reference: () => referenceView(setup),
    value: () =>
      valueHooks ? recordedView(valueSide(setup).model, valueHooks, named(numbered, 'value')) : valueView(setup),
    get scale() {
      return options.scale;
    },
    smoothing,
    withGradient,
    draw,
  };
}
