/** A model's own dropout rates, which its config.json holds under names of its family. */
import { refuse, show } from '../base/bad-model';
import { CONFIG, RESTORE } from './config';

/** Shares of values that are switched off while training. */
export interface DropoutRates {
  /** Behind the embeddings. */
  embeddings: number;
  /** Of attention's probabilities. */
  attention: number;
  /** Of what attention and feed-forward add to the hidden states. */
  residual: number;
  /** Before the head that classifies a text. */
  classifier: number;
  /** Before the head that classifies tokens. */
  tokenClassifier: number;
}

/** Names of a field in the order in which the first one that is there counts; a number where none is. */
type Source = [...names: string[], fallback: number];

export function readDropout(
  json: Record<string, unknown>,
  sources: { [K in keyof DropoutRates]: Source },
): DropoutRates {
  const rate = (source: Source): number => {
    const names = source.slice(0, -1) as string[];
    const name = names.find((field) => json[field] !== undefined && json[field] !== null);
    if (name === undefined) return source.at(-1) as number;
    const value = json[name];
    if (typeof value === 'number' && value >= 0 && value < 1) return value;
    return refuse(`${CONFIG}, ${name}`, `${name} is ${show(value)}, not a share from 0 to below 1.`, RESTORE);
  };
  return {
    embeddings: rate(sources.embeddings),
    attention: rate(sources.attention),
    residual: rate(sources.residual),
    classifier: rate(sources.classifier),
    tokenClassifier: rate(sources.tokenClassifier),
  };
}
