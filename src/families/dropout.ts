/** A model's own dropout rates, which config.json has under the family's names. */
import { refuse, show } from '../base/bad-model';
import { CONFIG, RESTORE } from './config';

/** Shares of the values that training drops. */
export interface DropoutRates {
  /** After the embeddings. */
  embeddings: number;
  /** Of attention's probabilities. */
  attention: number;
  /** Of what attention and feed-forward add to the hidden states. */
  residual: number;
  /** Before a head for texts. */
  classifier: number;
  /** Before a head for tokens. */
  tokenClassifier: number;
}

/** Fields of which the first one present counts, and the rate if none is. */
export type DropoutSource = [...names: string[], fallback: number];

export type DropoutSources = { [K in keyof DropoutRates]: DropoutSource };

export function readDropout(json: Record<string, unknown>, sources: DropoutSources): DropoutRates {
  const rate = (source: DropoutSource): number => {
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
