/**
 * The one error type shown to users. It says what went wrong, where, and what to do next; `details` is for experts. It
 * crosses worker boundaries as plain data (`toData` / `fromData`), because structured clone drops the fields that a
 * subclass of Error adds.
 */
export type ErrorCode =
  | 'bad_data' // a dataset file cannot be used
  | 'bad_recipe' // a field of the recipe is unknown or impossible
  | 'bad_option' // something in the address or on the command line is unknown, or impossible here
  | 'bad_model' // a model folder is incomplete, truncated or of an unknown kind
  | 'bad_adapter' // an adapter folder does not match the model or cannot be read
  | 'no_webgpu' // the browser or machine offers no usable WebGPU adapter
  | 'gpu_lost' // the GPU device went away
  | 'gpu_out_of_memory'
  | 'storage_full'
  | 'storage' // IndexedDB is blocked, broken or from a newer version
  | 'network'
  | 'access' // the Hub requires an access token, or its terms have not been accepted
  | 'worker_died'
  | 'timeout' // untrusted code (template, tokenizer) ran past its deadline
  | 'cancelled'
  | 'inputs_changed' // a run's data or model is not what the run was trained on
  | 'bad_reward' // a reward gave no number, threw, or did not end
  | 'not_finite' // loss or gradient became NaN or infinite
  | 'no_signal' // rewards that tell no answer from another
  | 'internal';

/** One answer to a question that an error asks. */
export interface Choice {
  /** A few words, as on a button. */
  label: string;
  /** Recipe path -> value: the fields that this answer sets. */
  set: Record<string, unknown>;
}

export interface ErrorData {
  code: ErrorCode;
  /** What happened, in one sentence for a newcomer. */
  message: string;
  /** Where: a file, `file.jsonl, line 12`, a recipe path such as `training.learning_rate`, a tensor name. */
  where?: string;
  /** What to do next, in one sentence. */
  action?: string;
  /** Technical text for experts: the original message, shapes, limits. */
  details?: string;
  /** The answers, if the error is a question that only a person can answer. */
  choices?: Choice[];
}

/** Letters that an error keeps of each text, however much a stranger's file has put into it. */
const LONGEST = { message: 2000, where: 500, action: 2000, details: 20_000 };

function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 40)}… (${text.length - limit + 40} more letters)`;
}

const clipped = (text: string | undefined, limit: number) => (text === undefined ? undefined : clip(text, limit));

export class TabtuneError extends Error {
  readonly code: ErrorCode;
  readonly where?: string;
  readonly action?: string;
  readonly details?: string;
  readonly choices?: Choice[];

  constructor(data: ErrorData) {
    super(clip(data.message, LONGEST.message));
    this.name = 'TabtuneError';
    this.code = data.code;
    this.where = clipped(data.where, LONGEST.where);
    this.action = clipped(data.action, LONGEST.action);
    this.details = clipped(data.details, LONGEST.details);
    this.choices = data.choices;
  }

  toData(): ErrorData {
    const { code, message, where, action, details, choices } = this;
    return { code, message, where, action, details, ...(choices && { choices }) };
  }

  /** One line for a terminal: `where: message action`, and the recipe's fields that answer a question. */
  toLine(): string {
    const answers = (this.choices ?? []).map(({ label, set }) => `${label}: ${JSON.stringify(set)}`);
    return [
      this.where ? `${this.where}: ` : '',
      this.message,
      this.action ? ` ${this.action}` : '',
      answers.length > 0 ? ` In a recipe: ${answers.join('; ')}.` : '',
    ].join('');
  }

  static fromData(data: ErrorData): TabtuneError {
    return new TabtuneError(data);
  }

  /** Wraps anything thrown; a TabtuneError passes through unchanged. */
  static from(cause: unknown, fallback: Omit<ErrorData, 'details'>): TabtuneError {
    if (cause instanceof TabtuneError) return cause;
    const details = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    return new TabtuneError({ ...fallback, details });
  }
}
