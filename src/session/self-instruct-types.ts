/** What the screen and the headless runner ask of Self-Instruct. */
import type { SeedTask, SelfInstructDraft } from '../self-instruct';

/** What the model is asked now. */
export interface WritingNow {
  stage: 'instructions' | 'classification' | 'instances';
  /** Prompts of this stage that are answered, and all of them. */
  done: number;
  total: number;
  /** The latest text of one of them. */
  text: string;
}

export type WritingEnd = 'enough' | 'barren' | 'cancelled';

export interface SelfInstruct {
  /** What was kept of the last time; null if there is nothing. */
  stored(): Promise<SelfInstructDraft | null>;
  keep(draft: SelfInstructDraft): Promise<void>;
  discard(): Promise<void>;
  /** Seed tasks of a person's own: JSON as in the paper, or any dataset of prompts and answers. Throws bad_data with the row. */
  readSeeds(file: File): Promise<SeedTask[]>;
  /**
   * Goes on writing with the open model and its adapter until there is enough, or until the signal fires. Everything that is
   * kept is stored at once. Instructions of a round that was interrupted are asked for again, and come out the same.
   */
  run(
    draft: SelfInstructDraft,
    onDraft: (draft: SelfInstructDraft) => void,
    onNow: (now: WritingNow) => void,
    signal?: AbortSignal,
  ): Promise<WritingEnd>;
}
