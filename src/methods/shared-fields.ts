/** Recipe fields and checks that several methods have. */
import type { FieldSpec, Refusal } from '../recipe/spec';

export const INIT_ADAPTER: FieldSpec = {
  kind: 'text',
  label: 'Continue from',
  help: 'A PEFT or AdapterHub folder to continue training (file:PATH); null starts a new adapter.',
  default: null,
  placeholder: 'file:my-adapter',
  source: 'PEFT',
};

export const MODULES_TO_SAVE: FieldSpec = {
  kind: 'modules',
  word: null,
  label: 'Modules trained whole',
  help: 'Modules to train and save whole beside the adapter, such as lm_head; a classifier’s head always is.',
  default: [],
  source: 'PEFT',
};

export const NUM_VIRTUAL_TOKENS: FieldSpec = {
  kind: 'int',
  label: 'Virtual tokens',
  help: 'Number of virtual tokens before every text: more can learn more, but take room in the context.',
  default: 20,
  min: 1,
  max: 1000,
  step: 1,
  usual: [8, 100],
  source: 'PEFT’s method comparison',
};

export const ENCODER_HIDDEN_SIZE: FieldSpec = {
  kind: 'length',
  label: 'Width of the network',
  help: 'Width of the network that produces the virtual tokens; empty takes the model’s.',
  default: null,
  min: 1,
  max: 16_384,
  step: 64,
  placeholder: 'the model’s width',
  source: 'PEFT',
};

/** Any text of the task's kind works; what counts is that its words are known to the model. */
export const START_TEXT = 'Read the text carefully and answer as well as you can.';

/** What a section with modules to continue from, targets and modules_to_save has in common. */
interface ModuleSection {
  target_modules: string | string[];
  modules_to_save: string[];
}

/** A list of modules, or the word that stands for them; null: a list only. */
export function* listProblems(where: string, value: string | string[], word: string | null): Generator<Refusal> {
  if (typeof value === 'string') return;
  if (value.length === 0 && word !== null) {
    yield { where, message: 'names no module, so nothing would be trained.', action: `Use ${word}.` };
  }
  const misplaced = value.find((name) => name === 'all-linear' || name === 'auto');
  if (misplaced !== undefined) {
    yield word === misplaced
      ? { where, message: `has ${word} in a list.`, action: `Write "${word}" without brackets.` }
      : { where, message: `has ${misplaced} in a list, which is no module’s name.` };
  }
  const twice = value.find((name, i) => value.indexOf(name) !== i);
  if (twice !== undefined) yield { where, message: `names ${twice} twice.` };
}

/** `word`: what target_modules may be instead of a list. */
export function* moduleProblems(section: ModuleSection, word: string): Generator<Refusal> {
  const { target_modules: targets, modules_to_save: saved } = section;
  yield* listProblems('method.target_modules', targets, word);
  yield* listProblems('method.modules_to_save', saved, null);
  const odd = saved.find((name) => !/^[\w-]+(\.[\w-]+)*$/.test(name));
  if (odd !== undefined) {
    yield { where: 'method.modules_to_save', message: `has ${JSON.stringify(odd)}, which is no module’s name.` };
  }
  const both = Array.isArray(targets) ? saved.find((name) => targets.includes(name)) : undefined;
  if (both !== undefined) {
    yield {
      where: 'method.modules_to_save',
      message: `names ${both}, which is among target_modules.`,
      action: 'Leave it out of one of them.',
    };
  }
}
