/** The answers that a run has learned from, with their rewards: those of the last steps, while the tab is open. */
import { create } from 'zustand';
import type { TrainEvent } from '../session/api';

type ShownRollout = Extract<TrainEvent, { type: 'rollouts' }>['rollouts'][number];

export interface StepRollouts {
  step: number;
  answers: readonly ShownRollout[];
}

/** Answers are a few hundred letters each, and steps have a few dozen of them. */
const MOST_STEPS = 100;

export const useRollouts = create<{
  /** Ascending. */
  steps: readonly StepRollouts[];
  /** Puts what a step rolled out in place of what the same or later steps did before the run was resumed. */
  add: (step: number, answers: readonly ShownRollout[]) => void;
  clear: () => void;
}>()((set) => ({
  steps: [],
  add: (step, answers) =>
    set(({ steps }) => ({ steps: [...steps.filter((one) => one.step < step), { step, answers }].slice(-MOST_STEPS) })),
  clear: () => set({ steps: [] }),
}));
