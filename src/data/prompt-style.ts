/** How prompts are written for a model without a chat template; one with a template needs none of it. */
export interface PromptStyle {
  /** As conversations, in the plain template that its training data were written in. */
  plainChat: boolean;
  /** Otherwise: between a prompt and its answer. */
  separator: string;
}

/** How a model's conversations are written, with what begins and ends them. */
export interface WrittenChats {
  /**
   * Each up to the start of the next answer; null where the template rejects it. All null for a model without a template that was
   * trained on plain prompts.
   */
  texts: (string | null)[] | null;
  /** The token that begins a text, and those that end an answer, as text. */
  begin: string | null;
  ends: string[];
  /** The chat template tells the model which tools it can call. */
  tools: boolean;
}
