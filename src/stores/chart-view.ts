/** Where the charts of the run on the screen look: a step under the cursor, and the steps zoomed into. */
import { create } from 'zustand';

interface ChartViewState {
  /** Null when no chart has the cursor. */
  step: number | null;
  /** Null shows the whole run. */
  range: readonly [from: number, to: number] | null;
  setStep: (step: number | null) => void;
  setRange: (range: readonly [from: number, to: number] | null) => void;
}

export const useChartView = create<ChartViewState>()((set, get) => ({
  step: null,
  range: null,
  setStep: (step) => step !== get().step && set({ step }),
  setRange: (range) => set({ range }),
}));
