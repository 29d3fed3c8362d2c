/** Self-Instruct (Wang et al., "Self-Instruct: Aligning Language Models with Self-Generated Instructions", ACL 2023). */

export interface Instance {
  /** Empty for a task that needs none. */
  input: string;
  output: string;
}

export interface SeedTask {
  instruction: string;
  instances: Instance[];
  /** Whether its answers are a few labels; null if nobody said. */
  classification: boolean | null;
}

export interface Nearest {
  instruction: string;
  /** ROUGE-L F. */
  score: number;
}

/** An instruction that a model wrote and that passed the filters, with what became of it. */
export interface WrittenTask {
  instruction: string;
  round: number;
  /** The ten most similar ones that were there before, most similar first. */
  nearest: Nearest[];
  /** The model's own answer; null until it has been asked. */
  classification: boolean | null;
  /** Null until they have been written; empty if none was usable. */
  instances: Instance[] | null;
  model: string;
  seed: number;
}

/** The names are those of the paper's code, or of the API that it calls. */
export interface SelfInstructSettings {
  /** Instructions to keep before it ends. */
  num_instructions_to_generate: number;
  temperature: number;
  top_p: number;
  presence_penalty: number;
  max_tokens: number;
  /** Prompts in one round. */
  request_batch_size: number;
  use_clf_seed_tasks_only: boolean;
  include_seed_tasks: boolean;
  max_instances_to_generate: number;
  seed: number;
}

/** Why an instruction was dropped, in the order in which it is asked. */
export const instructionFilters = [
  'cut',
  'too_short',
  'too_long',
  'word_list',
  'write_a_program',
  'punctuation',
  'not_ascii',
  'similar',
] as const;
export type InstructionFilter = (typeof instructionFilters)[number];

/** Why an instance was dropped, in the order in which it is asked. */
export const instanceFilters = [
  'cut',
  'same_as_input',
  'no_output',
  'ends_with_colon',
  'different_outputs',
  'duplicate',
  'too_many',
] as const;
export type InstanceFilter = (typeof instanceFilters)[number];

/** What was written, and how much of it each filter took. */
export interface Funnel {
  instructions: { written: number; dropped: Record<InstructionFilter, number> };
  instances: { written: number; dropped: Record<InstanceFilter, number> };
}

/** Everything that is needed to continue. Kept after every change. */
export interface SelfInstructDraft {
  version: 1;
  settings: SelfInstructSettings;
  seeds: SeedTask[];
  /** Rounds that are over. */
  rounds: number;
  /** Rounds in a row that kept nothing. */
  barren: number;
  tasks: WrittenTask[];
  funnel: Funnel;
  /** The latest of what was dropped, newest last. */
  dropped: { text: string; why: InstructionFilter; nearest?: Nearest }[];
}
