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

/** How several prompts are answered at once. */
export interface BatchGenerateOptions {
  /** 0 is greedy. */
  temperature: number;
  topP: number;
  /** Keeps the so many most likely tokens; 0 keeps all. */
  topK: number;
  maxNewTokens: number;
  stopTokenIds: readonly number[];
  /**
   * The random number of a token is a function of (seed, draw, answer, position), so an answer does not depend on what it is batched
   * with, but for rounding on graphics cards, whose sums follow the number of rows; a resumed run draws the same.
   */
  seed: number;
  draw: number;
  /** Number of the first answer; the others follow. */
  firstAnswer?: number;
  /** Taken off the logits of tokens that the answer has already, as in OpenAI's API; none when left out. Log-probabilities are those after it. */
  presencePenalty?: number;
  /** At most so many are in one pass; what fits the memory for it when left out. Answers do not depend on it, but for rounding on graphics cards. */
  rowsAtOnce?: number;
}

export interface BatchAnswer {
  /** The stop token that ended it is the last one. */
  ids: Int32Array;
  finished: boolean;
  /** log softmax(logits / temperature) of each token as it was drawn, top-k and top-p left out; at temperature 0, of 1. */
  logProbs: Float32Array;
}
