/** What is drawn and said of a run besides its loss. */

/** Figures of steps that are read together, on one axis. Where evaluations have them too, those are dots. */
export interface ChartInfo {
  title: string;
  /** How to read it, in one sentence. */
  help: string;
  lines: readonly { metric: string; label: string }[];
  /** Further lines: every metric of this form, named by what the group matches. */
  each?: RegExp;
}

/** The figures of a step, or of an evaluation, by name. */
export interface Figures {
  step: number;
  evaluation: boolean;
  metrics: Readonly<Record<string, number>>;
}

/** Something in a run's figures that a person should look at. */
export interface RunRemark {
  /** Unusual, and likely to spoil the result; or usual, and often misread. */
  tone: 'warning' | 'note';
  title: string;
  text: string;
}
