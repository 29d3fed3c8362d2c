/** Recipe fields and checks shared by several methods. */
import type { FieldSpec, Refusal } from '../recipe/spec';

export const INIT_ADAPTER: FieldSpec = {
  kind: 'text',
  label: 'Continue from',
  help: 'Adapter to continue training: a PEFT or AdapterHub folder (file:PATH) or a run of this browser (run:ID); null starts a new one.',
  default: null,
  placeholder: 'file:my-adapter',
  source: 'PEFT',
};

export const MODULES_TO_SAVE: FieldSpec = {
  kind: 'modules',
  word: null,
  label: 'Fully trained modules',
  help: 'Modules to train and save in full along with the adapter, such as lm_head; a classifier’s head always is. As in PEFT, a name stands for every module whose path ends in it: norm is also input_layernorm, model.norm is not.',
  default: [],
  source: 'PEFT',
};

export const NUM_VIRTUAL_TOKENS: FieldSpec = {
  kind: 'int',
  label: 'Virtual tokens',
  help: 'Number of virtual tokens before every text: more can learn more, but take up context.',
  default: 20,
  min: 1,
  max: 1000,
  step: 1,
  usual: [8, 100],
  source: 'PEFT’s method comparison',
};

export const ENCODER_HIDDEN_SIZE: FieldSpec = {
  kind: 'length',
  label: 'Network width',
  help: 'Hidden width of the network that produces the virtual tokens; empty uses the model’s.',
  default: null,
  min: 1,
  max: 16_384,
  step: 64,
  placeholder: 'the model’s width',
  source: 'PEFT',
};

/** Any text that suits the task works, as long as the model knows its words. */
export const START_TEXT = 'Read the text carefully and answer as well as you can.';

/** The fields shared by sections that name modules. */
interface ModuleSection {
  target_modules: string | string[];
  modules_to_save: string[];
}

/** Checks a list of modules, or the `word` that may stand in for a list (null: none may). */
export function* listProblems(where: string, value: string | string[], word: string | null): Generator<Refusal> {
  if (typeof value === 'string') return;
  if (value.length === 0 && word !== null) {
    yield { where, message: 'names no module, so nothing would be trained.', action: `Use ${word}.` };
  }
  const misplaced = value.find((name) => name === 'all-linear' || name === 'auto');
  if (misplaced !== undefined) {
    yield word === misplaced
      ? { where, message: `lists ${word}.`, action: `Write "${word}" without brackets.` }
      : { where, message: `lists ${misplaced}, which is not a module name.` };
  }
  const twice = value.find((name, i) => value.indexOf(name) !== i);
  if (twice !== undefined) yield { where, message: `names ${twice} twice.` };
}

/** `word` is what target_modules may be instead of a list. */
export function* moduleProblems(section: ModuleSection, word: string): Generator<Refusal> {
  const { target_modules: targets, modules_to_save: saved } = section;
  yield* listProblems('method.target_modules', targets, word);
  yield* listProblems('method.modules_to_save', saved, null);
  const odd = saved.find((name) => !/^[\w-]+(\.[\w-]+)*$/.test(name));
  if (odd !== undefined) {
    yield { where: 'method.modules_to_save', message: `lists ${JSON.stringify(odd)}, which is not a module name.` };
  }
  const both = Array.isArray(targets) ? saved.find((name) => targets.includes(name)) : undefined;
  if (both !== undefined) {
    yield {
      where: 'method.modules_to_save',
      message: `names ${both}, which is also in target_modules.`,
      action: 'Remove it from one of the two.',
    };
  }
}
