/** What a person says of a page before it is written. */
import type { PageGeneration } from './manifest';

export interface PageOptions {
  /** By default the run's name. */
  title: string;
  /** A sentence or two below the title. */
  about: string;
  /** Examples that a visitor can press; empty ones are left out. */
  prompts: string[];
  /** Said to the model before every conversation. */
  system: string;
  generation: Partial<PageGeneration>;
}
