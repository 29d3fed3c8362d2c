/** (IA)³ (Liu et al., 2022): learned scaling factors for activations. Implemented in src/engine/methods/ia3.ts. */
import { ia3Kind } from '../formats/peft/ia3';
import type { MethodDescriptor } from './method';
import { peftFormat } from './peft-format';
import { MODEL_FOLDER, PEFT_FOLDER } from './shared-facts';
import { INIT_ADAPTER, listProblems, MODULES_TO_SAVE, moduleProblems } from './shared-fields';

export interface Ia3Method {
  type: 'ia3';
  /** `auto`: PEFT's choice for the family. */
  target_modules: 'auto' | string[];
  /** The target_modules whose input is scaled instead of their output. */
  feedforward_modules: 'auto' | string[];
  modules_to_save: string[];
  init_adapter: string | null;
}

export const ia3: MethodDescriptor<Ia3Method> = {
  type: 'ia3',
  order: 20,
  label: 'IA³',
  trains: 'adapter',
  virtualTokens: false,
  merges: true,
  beginsAsBase: true,
  trainers: ['trl'],
  card: {
    group: 'adapter',
    text: 'Trains one scaling factor per channel. For few examples, or when the file must be tiny.',
    memory: 'barely more than the model, plus activations',
    file: 'well under 1 % of the model',
    speed: 'fast; no overhead once merged',
  },
  facts: {
    trained: 'a scaling factor for each key, value and inner feed-forward channel, plus a classifier’s head',
    saved: `${PEFT_FOLDER}; or merged, as ${MODEL_FOLDER}`,
    papers: [
      {
        by: 'Liu et al., 2022',
        title: 'Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning',
        arxiv: '2205.05638',
      },
    ],
  },
  fields: {
    target_modules: {
      kind: 'modules',
      word: 'auto',
      label: 'Target modules',
      help: 'Linear layers that are scaled: auto for PEFT’s choice, or names such as k_proj.',
      default: 'auto',
      source: 'PEFT',
    },
    feedforward_modules: {
      kind: 'modules',
      word: 'auto',
      label: 'Feed-forward modules',
      help: 'Target modules whose input is scaled instead of their output.',
      default: 'auto',
      source: 'PEFT',
    },
    modules_to_save: MODULES_TO_SAVE,
    init_adapter: INIT_ADAPTER,
  },
  defaults: {
    'training.learning_rate': [{ default: 1e-3, usual: [5e-4, 1e-2], source: 'PEFT’s method comparison' }],
  },
  // pirate-chat: validation loss falls from 6.51 to 5.52 in 12 steps (to 6.26 at 1e-2).
  tinyModelRate: 5e-2,
  summary: () => 'IA³',
  sentence: () => 'Scaling factors for activations; the rest of the model is frozen.',
  noun: () => 'An (IA)³ adapter',
  *problems(section) {
    yield* moduleProblems(section, 'auto');
    const { target_modules: targets, feedforward_modules: inner } = section;
    // An empty list is valid: every module's output is scaled.
    if (Array.isArray(inner) && inner.length > 0) yield* listProblems('method.feedforward_modules', inner, 'auto');
    const missing = Array.isArray(inner) && Array.isArray(targets) && inner.find((name) => !targets.includes(name));
    if (missing) {
      yield {
        where: 'method.feedforward_modules',
        message: `names ${missing}, which is not among target_modules.`,
        action: 'Add it there.',
      };
    }
  },
  modulesToSave: ({ modules_to_save }) => modules_to_save,
  files: peftFormat({
    kind: ia3Kind,
    section: ({ config: { target_modules, feedforward_modules } }, modules_to_save) => ({
      type: 'ia3',
      target_modules,
      feedforward_modules,
      modules_to_save,
      init_adapter: null,
    }),
    // The engine knows which modules of the model the names match.
    config: (_section, exported) => exported as never,
    modulesToSave: ({ modules_to_save }) => modules_to_save,
    withSaved: (section, modules_to_save) => ({ ...section, modules_to_save }),
  }),
};
