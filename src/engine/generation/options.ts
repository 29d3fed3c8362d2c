/** How tokens are sampled, and when generation ends. */

export interface SamplingOptions {
  /** 0 is greedy. */
  temperature: number;
  /** Keeps the smallest set of tokens whose probability reaches this; 1 keeps all. */
  topP: number;
  seed: number;
}

/** Length of an answer to a sample prompt. */
export const SAMPLE_TOKENS = 40;

export interface GenerateOptions extends SamplingOptions {
  maxNewTokens: number;
  stopTokenIds: number[];
}
